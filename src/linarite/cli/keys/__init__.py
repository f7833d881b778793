"""`linarite keys`: the account's keys, and how to reach the server that takes them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from linarite.cli.help_texts import examples
from linarite.cli.keys import application
from linarite.cli.keys.server import ask_server
from linarite.cli.serving_file import SERVING_FILE, read_serving_file

if TYPE_CHECKING:
    from linarite.cli.commands import Commands
    from linarite.cli.serving_file import ServingFile
    from linarite.domain.resource import AccountKeys

EXAMPLES = examples(
    ("Where does the server listen, and which keys does it take?", "linarite keys"),
    ("The first key itself, for a script:", "linarite keys --show"),
    ("The second one:", "linarite keys --show --name key2"),
    ("What opens the control plane:", "linarite keys --management --show"),
    ("Replace the first; the old one opens nothing from then on:", "linarite keys regenerate key1"),
    ("A key of its own for an application:", "linarite keys application create web --expires 90d"),
)
REGENERATE_EXAMPLES = examples(
    ("Move clients to key2, then replace key1:", "linarite keys regenerate key1"),
    ("Replace the other, and print the new one:", "linarite keys regenerate key2 --show"),
)
SHOWN_CHARACTERS = 4


class KeyName(StrEnum):
    """Both do the same, so that one can be replaced while clients use the other."""

    KEY1 = "key1"
    KEY2 = "key2"


Show = Annotated[bool, typer.Option("--show", help="Print the key itself, and nothing else.")]


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="keys",
        help="The account's keys, and those of applications.",
        invoke_without_command=True,
    )
    app.callback()(keys)
    app.command("regenerate", epilog=REGENERATE_EXAMPLES)(regenerate)
    application.add_to(app)
    root.add_typer(app, epilog=EXAMPLES)


def keys(
    context: typer.Context,
    *,
    show: Show = False,
    name: Annotated[KeyName, typer.Option(help="Which key --show prints.")] = KeyName.KEY1,
    management: Annotated[
        bool, typer.Option("--management", help="The key that opens the control plane instead.")
    ] = False,
) -> None:
    """Show the account's keys and how to reach the server, or replace a key.

    Also while the server is stopped.
    """
    if context.invoked_subcommand is not None:
        return
    commands: Commands = context.obj
    if management:
        show_management_key(commands, show=show)
        return
    serving = serving_now(commands)
    pair = ask_server(serving) if serving else commands.stored_keys(None)
    if show:
        typer.echo(key_of(pair, name))
        return
    if serving is None:
        typer.echo("endpoint  none: the server is stopped")
    else:
        typer.echo(f"endpoint  {serving.endpoint}")
        typer.echo(f"openai    {serving.openai_v1}")
    for each in KeyName:
        typer.echo(f"{each.value}      …{key_of(pair, each)[-SHOWN_CHARACTERS:]}")
    typer.echo("Whole keys: linarite keys --show [--name key2]")


def regenerate(
    context: typer.Context,
    name: Annotated[KeyName, typer.Argument(help="Which key to replace.", show_default=False)],
    *,
    show: Show = False,
) -> None:
    """Replace a key by a new one. The old one opens nothing from then on.

    A running server takes the new key at once; requests that have begun are finished.
    """
    commands: Commands = context.obj
    serving = serving_now(commands)
    pair = ask_server(serving, new=name.value) if serving else commands.stored_keys(name.value)
    if show:
        typer.echo(key_of(pair, name))
        return
    typer.echo(
        f"{name.value} is new. The old one opens nothing any more. The new one: "
        f"linarite keys --show --name {name.value}"
    )


def show_management_key(commands: Commands, *, show: bool) -> None:
    """Print the management key, or where it lies. Raises SetupError while no server runs."""
    path = commands.home() / SERVING_FILE
    serving = read_serving_file(path)
    if show:
        typer.echo(serving.management_key)
        return
    typer.echo(f"endpoint  {serving.endpoint}")
    typer.echo(f"key       in {path} (linarite keys --management --show prints it)")


def serving_now(commands: Commands) -> ServingFile | None:
    """How to reach the server of this data folder; None when none runs."""
    path = commands.home() / SERVING_FILE
    return read_serving_file(path) if path.exists() else None


def key_of(pair: AccountKeys, name: KeyName) -> str:
    """The key of that name."""
    return pair.key1 if name is KeyName.KEY1 else pair.key2

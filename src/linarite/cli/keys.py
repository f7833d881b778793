"""`linarite keys`: how to reach the server that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from linarite.cli.help_texts import examples
from linarite.cli.serving_file import SERVING_FILE, read_serving_file

if TYPE_CHECKING:
    from linarite.cli.commands import Commands

EXAMPLES = examples(
    ("Where does the server listen, and which file holds its key?", "linarite keys"),
    ("The key itself, for a script:", "linarite keys --show"),
)


def add_to(root: typer.Typer) -> None:
    """Add the command."""
    root.command("keys", epilog=EXAMPLES)(keys)


def keys(
    context: typer.Context,
    *,
    show: Annotated[bool, typer.Option("--show", help="Print the key, and nothing else.")] = False,
) -> None:
    """Show how to reach the server that runs with this data folder."""
    commands: Commands = context.obj
    path = commands.home() / SERVING_FILE
    content = read_serving_file(path)
    if show:
        typer.echo(content.api_key)
        return
    typer.echo(f"endpoint  {content.endpoint}")
    typer.echo(f"openai    {content.openai_v1}")
    typer.echo(f"key       in {path} (linarite keys --show prints it)")

"""Flags that many commands share, each group a frozen value that the command is handed.

    command(app, "show", show, AccountFlags, OutputFlags, epilog=EXAMPLES)

Typer sees one function with all fields as parameters; `show` is called with a Server and a value
for each group, and may use up to six parameters without having six hundred flags.
"""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from linarite.cli.arm.completion import account_names
from linarite.cli.arm.reaching import Typed, address_of
from linarite.cli.arm.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

WHICH_SERVER = "Which server"


@dataclass(frozen=True, kw_only=True)
class ServerFlags:
    """Which server; without any, settings or the one that runs with this data folder."""

    endpoint: Annotated[
        str | None,
        typer.Option(
            help="URL of the server.",
            show_default="the server that runs here",
            rich_help_panel=WHICH_SERVER,
        ),
    ] = None
    key: Annotated[
        str | None,
        typer.Option(help="Its management key, as env:NAME.", rich_help_panel=WHICH_SERVER),
    ] = None
    key_file: Annotated[
        Path | None,
        typer.Option(help="File that holds its management key.", rich_help_panel=WHICH_SERVER),
    ] = None
    ca_file: Annotated[
        Path | None,
        typer.Option(
            help="PEM file with the authority to trust, for private ones.",
            rich_help_panel=WHICH_SERVER,
        ),
    ] = None

    @property
    def typed(self) -> Typed:
        """The same, without typer."""
        return Typed(self.endpoint, self.key, self.key_file, self.ca_file)


class Output(StrEnum):
    """How answers are printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


@dataclass(frozen=True, kw_only=True)
class OutputFlags:
    """How the answer is printed."""

    output: Annotated[Output, typer.Option("--output", "-o", help="How to print it.")] = (
        Output.TABLE
    )


@dataclass(frozen=True, kw_only=True)
class GroupFlags:
    """Which resource group."""

    resource_group: Annotated[
        str | None,
        typer.Option("--resource-group", "-g", help="Resource group.", show_default="any"),
    ] = None


@dataclass(frozen=True, kw_only=True)
class AccountFlags:
    """Which account."""

    account: Annotated[
        str | None,
        typer.Option(
            "--account",
            "--name",
            "-n",
            help="Account.",
            show_default="the one that settings declare",
            autocompletion=account_names,
        ),
    ] = None
    resource_group: Annotated[
        str | None,
        typer.Option("--resource-group", "-g", help="Its resource group.", show_default="any"),
    ] = None


def command(
    app: typer.Typer,
    name: str,
    run: Callable[..., Coroutine[Any, Any, None]],
    *groups: type,
    epilog: str,
) -> None:
    """Add a command that asks a server: `run(server, *values)`, a value for each group of flags."""

    def asking(context: typer.Context, *values: Any) -> None:  # noqa: ANN401 - the groups' values
        *own, flags = values
        ask(context, flags, lambda server: run(server, *own))

    asking.__doc__ = run.__doc__
    app.command(name, epilog=epilog)(flattened(asking, *groups, ServerFlags))


def ask(
    context: typer.Context,
    flags: ServerFlags,
    run: Callable[[Server], Coroutine[Any, Any, None]],
) -> None:
    """Ask the server that the flags mean, and leave it afterwards."""

    async def asked() -> None:
        server = Server(address_of(flags.typed, context.obj))
        try:
            await run(server)
        finally:
            await server.close()

    asyncio.run(asked())


def flattened(run: Callable[..., None], *groups: type) -> Callable[..., None]:
    """The function that typer reads: every flag of every group.

    It calls `run(context, *values)` with a value for each group.
    """

    def call(context: typer.Context, **typed: Any) -> None:  # noqa: ANN401 - typer's values
        run(
            context,
            *(
                group(**{field.name: typed[field.name] for field in fields(group)})
                for group in groups
            ),
        )

    parameters = [
        inspect.Parameter(
            "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
        )
    ]
    for group in groups:
        hints = get_type_hints(group, include_extras=True)
        parameters += [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.default is MISSING else field.default,
                annotation=hints[field.name],
            )
            for field in fields(group)
        ]
    call.__doc__ = run.__doc__
    call.__annotations__ = {}
    # What `inspect.signature` returns for it; type checkers don't know of it.
    setattr(call, "__signature__", inspect.Signature(parameters))  # noqa: B010 - the type has no such attribute, typer reads it
    return call

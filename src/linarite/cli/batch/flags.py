"""Which account's batches are meant, and with which of its keys."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.reaching import require_private
from linarite.cli.batch.service import Service
from linarite.cli.chat.endpoint import read_key
from linarite.cli.serving_file import SERVING_FILE, read_serving_file
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from linarite.cli.commands import Commands

WHICH = "Which account"


@dataclass(frozen=True, kw_only=True)
class DataFlags:
    """An account's endpoint; without any, that of the server that runs with this data folder."""

    endpoint: Annotated[
        str | None,
        typer.Option(
            help="URL of the account.",
            show_default="the server that runs here",
            rich_help_panel=WHICH,
        ),
    ] = None
    key: Annotated[
        str | None,
        typer.Option(help="A key of the account, as env:NAME.", rich_help_panel=WHICH),
    ] = None
    key_file: Annotated[
        Path | None,
        typer.Option(help="File that holds a key of the account.", rich_help_panel=WHICH),
    ] = None
    ca_file: Annotated[
        Path | None,
        typer.Option(
            help="PEM file with the authority to trust, for private ones.",
            rich_help_panel=WHICH,
        ),
    ] = None


def service_of(flags: DataFlags, commands: Commands) -> Service:
    """The account's data plane. A running server's key is sent to that server alone.

    Raises SetupError.
    """
    key = read_key(flags.key, flags.key_file, commands.variable)
    ca_file = str(flags.ca_file) if flags.ca_file is not None else None
    if flags.endpoint is None:
        serving = read_serving_file(commands.home() / SERVING_FILE)
        return Service(serving.endpoint, key or serving.api_key, ca_file or serving.ca_file)
    if not commands.client().plaintext_beyond_loopback:
        require_private(flags.endpoint)
    if key is None:
        raise SetupError(
            f"{flags.endpoint} wants a key of the account: give --key env:NAME or --key-file FILE."
        )
    return Service(flags.endpoint, key, ca_file)


def asking(act: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A command that asks an account: `act(service, *values)`, a value for each group of flags."""

    def command(context: typer.Context, *values: Any) -> None:  # noqa: ANN401 - the groups' values
        *own, flags = values

        async def asked() -> None:
            service = service_of(flags, context.obj)
            try:
                await act(service, *own)
            finally:
                await service.close()

        asyncio.run(asked())

    command.__doc__ = act.__doc__
    return command

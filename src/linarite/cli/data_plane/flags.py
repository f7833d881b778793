"""Which account is meant, and with which of its keys, or whose access token."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.reaching import require_private
from linarite.cli.data_plane.client import DataPlane
from linarite.cli.given_key import read_key
from linarite.cli.serving_file import SERVING_FILE, read_serving_file
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from linarite.cli.commands import Commands

WHICH = "Which account"


@dataclass(frozen=True, kw_only=True)
class AccountFlags:
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
    token: Annotated[
        str | None,
        typer.Option(help="An access token instead of a key, as env:NAME.", rich_help_panel=WHICH),
    ] = None


def data_plane_of(flags: AccountFlags, commands: Commands) -> DataPlane:
    """The account's own paths. A running server's key is sent to that server alone.

    Raises SetupError.
    """
    key = read_key(flags.key, flags.key_file, commands.variable)
    token = read_key(flags.token, None, commands.variable, "--token")
    if key is not None and token is not None:
        raise SetupError("A key and --token exclude each other: give one of them.")
    ca_file = str(flags.ca_file) if flags.ca_file is not None else None
    if flags.endpoint is None:
        serving = read_serving_file(commands.home() / SERVING_FILE)
        endpoint, ca_file = serving.endpoint, ca_file or serving.ca_file
        key = key or serving.api_key
    else:
        endpoint = flags.endpoint
        if not commands.client().plaintext_beyond_loopback:
            require_private(endpoint)
        if key is None and token is None:
            raise SetupError(
                f"{endpoint} wants a key of the account or an access token: give --key env:NAME, "
                "--key-file FILE or --token env:NAME."
            )
    credential = ("api-key", key or "")
    if token is not None:
        credential = ("authorization", f"Bearer {token}")
    return DataPlane(endpoint, credential, ca_file)


def asking(
    act: Callable[..., Coroutine[Any, Any, None]],
    begins_with: Callable[[DataPlane, Commands], tuple[object, ...]],
) -> Callable[..., None]:
    """A command that asks an account.

    `act` takes what it begins with, then a value for each group of flags but the last, which is
    `AccountFlags`.
    """

    def command(context: typer.Context, *values: Any) -> None:  # noqa: ANN401 - the groups' values
        *own, flags = values

        async def asked() -> None:
            account = data_plane_of(flags, context.obj)
            try:
                await act(*begins_with(account, context.obj), *own)
            finally:
                await account.close()

        asyncio.run(asked())

    command.__doc__ = act.__doc__
    return command

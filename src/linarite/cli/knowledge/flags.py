"""Which account's vector stores are meant, and with what of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.reaching import require_private
from linarite.cli.batch.flags import WHICH, DataFlags
from linarite.cli.chat.endpoint import read_key
from linarite.cli.knowledge.service import StoreService
from linarite.cli.serving_file import SERVING_FILE, read_serving_file
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from linarite.cli.commands import Commands


@dataclass(frozen=True, kw_only=True)
class AccountFlags(DataFlags):
    """An account's endpoint, and a key or an access token."""

    token: Annotated[
        str | None,
        typer.Option(help="An access token instead of a key, as env:NAME.", rich_help_panel=WHICH),
    ] = None


def service_of(flags: AccountFlags, commands: Commands) -> StoreService:
    """The account's stores. A running server's key is sent to that server alone.

    Raises SetupError.
    """
    key = read_key(flags.key, flags.key_file, commands.variable)
    token = read_key(flags.token, None, commands.variable)
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
    header = ("api-key", key or "")
    if token is not None:
        header = ("authorization", f"Bearer {token}")
    return StoreService(endpoint, header, ca_file)


def asking(act: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A command that asks an account: `act(service, variable, *values)`."""

    def command(context: typer.Context, *values: Any) -> None:  # noqa: ANN401 - the groups' values
        *own, flags = values

        async def asked() -> None:
            service = service_of(flags, context.obj)
            try:
                await act(service, context.obj.variable, *own)
            finally:
                await service.close()

        asyncio.run(asked())

    command.__doc__ = act.__doc__
    return command

"""The running server's own answer about its account's keys: its control plane is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from linarite.cli.arm.server import Address, Server
from linarite.domain.resource import AccountKeys

if TYPE_CHECKING:
    from linarite.cli.serving_file import ServingFile


def ask_server(serving: ServingFile, *, new: str | None = None) -> AccountKeys:
    """Both keys of the account that settings declare, the one named `new` replaced before.

    Azure's `Accounts_ListKeys` and `Accounts_RegenerateKey`. Raises SetupError when the server
    does not answer, or refuses.
    """
    return asyncio.run(_asked(serving, new))


async def _asked(serving: ServingFile, new: str | None) -> AccountKeys:
    server = Server(Address(serving.endpoint, serving.management_key, serving.ca_file))
    action, body = ("regenerateKey", {"keyName": new}) if new else ("listKeys", {})
    try:
        reply = await server.send("POST", f"{serving.account_id}/{action}", body=body)
    finally:
        await server.close()
    return msgspec.convert(reply.body, AccountKeys)

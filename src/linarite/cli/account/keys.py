"""`linarite account keys list | regenerate`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from linarite.cli.arm.naming import account_id
from linarite.cli.arm.printed import print_one

if TYPE_CHECKING:
    from linarite.cli.account.flags import NamedFlags
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server


class KeyName(StrEnum):
    """Which of the two; az writes `Key1`, Azure's portal `key1`."""

    KEY1 = "key1"
    KEY2 = "key2"


@dataclass(frozen=True, kw_only=True)
class KeyFlags:
    """Which key."""

    key_name: Annotated[
        KeyName,
        typer.Option(case_sensitive=False, help="Key to replace.", show_default=False),
    ]


async def list_keys(server: Server, asked: NamedFlags, shown: OutputFlags) -> None:
    """Print both keys of an account, whole."""
    account = await account_id(server, asked.named, asked.resource_group)
    print_one((await server.send("POST", f"{account}/listKeys")).body, dict, shown.output)


async def regenerate(server: Server, asked: NamedFlags, key: KeyFlags, shown: OutputFlags) -> None:
    """Replace a key, and print both. The old one opens nothing from then on."""
    account = await account_id(server, asked.named, asked.resource_group)
    body = {"keyName": key.key_name.value.title()}
    reply = await server.send("POST", f"{account}/regenerateKey", body=body)
    print_one(reply.body, dict, shown.output)

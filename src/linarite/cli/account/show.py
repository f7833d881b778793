"""`linarite account show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.cli.account.columns import facts
from linarite.cli.arm.naming import account_id
from linarite.cli.arm.printed import print_one

if TYPE_CHECKING:
    from linarite.cli.account.flags import NamedFlags
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server


async def show(server: Server, asked: NamedFlags, shown: OutputFlags) -> None:
    """Tell everything about one account."""
    account = await account_id(server, asked.named, asked.resource_group)
    print_one(await server.get(account), facts, shown.output)

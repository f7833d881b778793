"""`linarite account list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.cli.account.columns import row
from linarite.cli.arm.naming import accounts
from linarite.cli.arm.printed import print_many

if TYPE_CHECKING:
    from linarite.cli.arm.flags import GroupFlags, OutputFlags
    from linarite.cli.arm.server import Server


async def list_accounts(server: Server, within: GroupFlags, shown: OutputFlags) -> None:
    """List the accounts, of one resource group or of all."""
    print_many(
        await accounts(server, within.resource_group),
        row,
        shown.output,
        none="No accounts. Make one: linarite account create NAME",
    )

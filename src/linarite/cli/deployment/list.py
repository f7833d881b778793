"""`linarite deployment list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.cli.arm.naming import account_id
from linarite.cli.arm.printed import print_many
from linarite.cli.deployment.columns import row

if TYPE_CHECKING:
    from linarite.cli.arm.flags import AccountFlags, OutputFlags
    from linarite.cli.arm.server import Server


async def list_deployments(server: Server, named: AccountFlags, shown: OutputFlags) -> None:
    """List an account's deployments."""
    account = await account_id(server, named.account, named.resource_group)
    print_many(
        await server.every(f"{account}/deployments"),
        row,
        shown.output,
        none="No deployments yet. Make one: linarite deployment create NAME --model MODEL",
    )

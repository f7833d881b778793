"""`linarite private-endpoint list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.cli.arm.printed import print_many
from linarite.cli.private_endpoint.connections import connections, row, state_of

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.private_endpoint.flags import WhichFlags


async def list_endpoints(server: Server, asked: WhichFlags, shown: OutputFlags) -> None:
    """List the private endpoints to accounts, and how each stands."""
    found = await connections(server, asked.account, asked.resource_group)
    if asked.state:
        found = [each for each in found if state_of(each).lower() == asked.state.lower()]
    print_many(
        found,
        row,
        shown.output,
        none="No private endpoints. They are made with: az network private-endpoint create",
    )

"""`linarite operation list`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from linarite.cli.arm.naming import accounts, subscription_path
from linarite.cli.arm.printed import print_many
from linarite.cli.arm.server import RESOURCES_VERSION
from linarite.cli.arm.watching import ENDED
from linarite.domain.arm_id import resource_group_of

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server


async def list_operations(server: Server, shown: OutputFlags) -> None:
    """List what is being made, changed or deleted: accounts, deployments, templates.

    The Resource Manager has no list of operations; it says of each resource how it stands.
    """
    found = await accounts(server)
    below = await asyncio.gather(
        *(server.every(f"{account['id']}/deployments") for account in found), _templates(server)
    )
    everything = [*found, *(each for some in below for each in some)]
    running = [each for each in everything if each["properties"]["provisioningState"] not in ENDED]
    print_many(running, row, shown.output, none="Nothing is going on.")


async def _templates(server: Server) -> list[dict[str, Any]]:
    """Deployments of templates, at the subscription and at its groups."""
    subscription = await subscription_path(server)
    groups = await server.every(f"{subscription}/resourcegroups", version=RESOURCES_VERSION)
    scopes = [subscription, *(str(group["id"]) for group in groups)]
    lists = await asyncio.gather(
        *(
            server.every(
                f"{scope}/providers/Microsoft.Resources/deployments", version=RESOURCES_VERSION
            )
            for scope in scopes
        )
    )
    return [each for some in lists for each in some]


def row(resource: dict[str, Any]) -> dict[str, object]:
    """The line of what is going on."""
    return {
        "name": resource["name"],
        "type": resource["type"],
        "group": resource_group_of(resource["id"]),
        "state": resource["properties"]["provisioningState"],
    }

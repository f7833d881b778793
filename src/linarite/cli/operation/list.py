"""`linarite operation list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.cli.arm.naming import subscription_path
from linarite.cli.arm.printed import print_many
from linarite.cli.operation.show import facts
from linarite.domain.arm_id import resource_group_of, type_of

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server


async def list_operations(server: Server, shown: OutputFlags) -> None:
    """List what is being made, changed or deleted: deployments, templates.

    Azure has no such list; it is an extension of Linarite's.
    """
    subscription = await subscription_path(server)
    running = await server.every(f"{subscription}/providers/Linarite.Hosting/operations")
    print_many(running, row, shown.output, none="Nothing is going on.")


def row(operation: dict[str, Any]) -> dict[str, object]:
    """The line of an operation."""
    told, resource = facts(operation), str(operation["resourceId"])
    return {
        "name": resource.rpartition("/")[2],
        "type": type_of(resource),
        "group": resource_group_of(resource),
        "doing": told["doing"],
        "done": told["done"],
        "operation": told["id"],
    }

"""`linarite operation show`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.answers import part
from linarite.cli.arm.naming import first_location, subscription_path
from linarite.cli.arm.printed import print_one
from linarite.cli.arm.server import COGNITIVE_SERVICES_VERSION

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server


@dataclass(frozen=True, kw_only=True)
class OperationFlags:
    """Which operation."""

    operation: Annotated[
        str, typer.Argument(help="Its id, as a command has told it.", show_default=False)
    ]


async def show(server: Server, asked: OperationFlags, shown: OutputFlags) -> None:
    """Tell how far an operation is."""
    reply = await server.follow(await link_of(server, asked.operation))
    print_one(reply.body, facts, shown.output)


async def link_of(server: Server, operation: str) -> str:
    """Where an operation can be followed. The region in the path is of no account."""
    subscription = await subscription_path(server)
    return (
        f"{subscription}/providers/Microsoft.CognitiveServices/locations/"
        f"{await first_location(server)}/operationStatuses/{operation}"
        f"?api-version={COGNITIVE_SERVICES_VERSION}"
    )


def facts(status: dict[str, Any]) -> dict[str, object]:
    """What is worth knowing about it."""
    error = part(status, "error")
    return {
        "id": status.get("name"),
        "status": status["status"],
        "done": f"{status.get('percentComplete', 0):g} %",
        "doing": part(status, "properties").get("message"),
        "resource": status.get("resourceId"),
        "started": status.get("startTime"),
        "ended": status.get("endTime"),
        "error": error and f"{error.get('code')}: {error.get('message')}",
    }

"""`linarite webhook deliveries`: how deliveries to webhooks stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.naming import subscription_path
from linarite.cli.arm.printed import print_many

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server

VERSION = "2026-11-01"
PATH = "providers/Linarite.Operations/webhookDeliveries"


@dataclass(frozen=True, kw_only=True)
class DeliveryFlags:
    """Which ones."""

    state: Annotated[
        str | None, typer.Option(help="waiting, delivered or dead.", show_default="all")
    ] = None
    max_entries: Annotated[int, typer.Option(min=1, help="Most entries that are shown.")] = 50


async def list_deliveries(server: Server, asked: DeliveryFlags, shown: OutputFlags) -> None:
    """List deliveries, the newest first, with why the last attempt failed."""
    scope = await subscription_path(server)
    query = {"state": asked.state} if asked.state else {}
    found = await server.first(asked.max_entries, f"{scope}/{PATH}", version=VERSION, query=query)
    print_many(found, row, shown.output, none="Nothing was told to webhooks.")


def row(delivery: dict[str, Any]) -> dict[str, object]:
    """A delivery's line."""
    return {
        "id": delivery["id"],
        "made": str(delivery["madeAt"])[:19].replace("T", " "),
        "destination": str(delivery["destination"]).rpartition("/")[2],
        "type": delivery["type"],
        "state": delivery["state"],
        "attempts": delivery["attempts"],
        "outcome": delivery["outcome"],
    }

"""`linarite egress refused`: outgoing connections that rules refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.naming import account_id, subscription_path
from linarite.cli.arm.printed import print_many

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server

VERSION = "2026-11-01"
PATH = "providers/Linarite.Operations/networkLog"


@dataclass(frozen=True, kw_only=True)
class RefusedFlags:
    """Which ones."""

    account: Annotated[
        str | None, typer.Option(help="For requests to this account.", show_default="all")
    ] = None
    resource_group: Annotated[
        str | None, typer.Option("--resource-group", "-g", help="The account's resource group.")
    ] = None
    everything: Annotated[
        bool,
        typer.Option("--all", help="Inbound ones and perimeters' access logs, too."),
    ] = False
    max_entries: Annotated[int, typer.Option(min=1, help="Most entries that are shown.")] = 50


async def list_refused(server: Server, asked: RefusedFlags, shown: OutputFlags) -> None:
    """List what was refused, what was seen last first; alike ones of a day are one line."""
    scope = (
        await account_id(server, asked.account, asked.resource_group)
        if asked.account
        else await subscription_path(server)
    )
    query = {} if asked.everything else {"direction": "Outbound"}
    entries = await server.first(asked.max_entries, f"{scope}/{PATH}", version=VERSION, query=query)
    print_many(entries, row, shown.output, none="Nothing was refused.")


def row(entry: dict[str, Any]) -> dict[str, object]:
    """An entry's line."""
    port = entry["DestinationPort"]
    host = entry["SourceIpAddress"] or entry["DestinationFqdn"]
    return {
        "last": str(entry["TimeGeneratedEndTime"])[:19].replace("T", " "),
        "first": str(entry["TimeGenerated"])[:19].replace("T", " "),
        "count": entry["Count"],
        "account": str(entry["ServiceResourceId"]).rpartition("/")[2] or "(the server)",
        "purpose": entry["OperationName"],
        "host": f"{host}:{port}" if port else host,
        "rule": entry["MatchedRule"],
        "category": entry["Category"],
    }

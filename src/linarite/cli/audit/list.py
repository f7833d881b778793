"""`linarite audit list`: a running server's audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.answers import part
from linarite.cli.arm.naming import subscription_path
from linarite.cli.arm.printed import print_many

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server

VERSION = "2026-11-01"
PATH = "providers/Linarite.Operations/auditEvents"


@dataclass(frozen=True, kw_only=True)
class ListFlags:
    """Which events."""

    category: Annotated[
        str | None,
        typer.Option(
            help="ControlPlane, Directory, SignIn, KeyUse, DataPlaneRefusal or Administration.",
            show_default="any",
        ),
    ] = None
    principal: Annotated[str | None, typer.Option(help="Of this name or id.")] = None
    resource_id: Annotated[
        str | None, typer.Option(help="Of this resource and what is under it.")
    ] = None
    request_id: Annotated[str | None, typer.Option(help="Of one request.")] = None
    correlation_id: Annotated[str | None, typer.Option(help="Of one deed and what it did.")] = None
    start_time: Annotated[
        str | None, typer.Option(help="Not before this time, ISO 8601; UTC if no zone is told.")
    ] = None
    end_time: Annotated[str | None, typer.Option(help="Not after this time.")] = None
    max_events: Annotated[int, typer.Option(min=1, help="Most events that are shown.")] = 50


async def list_events(server: Server, asked: ListFlags, shown: OutputFlags) -> None:
    """List the events of the audit log, the newest first."""
    query = {
        "category": asked.category,
        "principal": asked.principal,
        "under": asked.resource_id,
        "requestId": asked.request_id,
        "correlationId": asked.correlation_id,
        "since": moment(asked.start_time, "--start-time"),
        "until": moment(asked.end_time, "--end-time"),
    }
    events = await server.first(
        asked.max_events,
        f"{await subscription_path(server)}/{PATH}",
        version=VERSION,
        query={name: value for name, value in query.items() if value},
    )
    print_many(events, row, shown.output, none="No events.")


def row(event: dict[str, Any]) -> dict[str, object]:
    """An event's line."""
    resource = str(event.get("resource_id") or "")
    folded = part(event, "details").get("folded")
    return {
        "seq": event["seq"],
        "time": str(event["at"])[:19].replace("T", " "),
        "category": event["category"],
        "principal": event.get("principal") or "",
        "address": event.get("address") or "",
        "action": event["action"],
        "outcome": f"{event['outcome']} ({folded} of them)" if folded else event["outcome"],
        "code": event.get("code") or "",
        "resource": resource.partition("/providers/")[2].partition("/")[2] or resource,
    }


def moment(text: str | None, flag: str) -> str:
    """A time as the log writes it, so that texts compare as times do. Raises BadParameter."""
    if not text:
        return ""
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no time in ISO 8601.", param_hint=flag) from None
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    return told.astimezone(UTC).isoformat(timespec="microseconds")

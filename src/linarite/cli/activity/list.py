"""`linarite activity list`. Flags are those of `az monitor activity-log list`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.answers import part
from linarite.cli.arm.naming import subscription_path
from linarite.cli.arm.printed import print_many

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server

VERSION = "2015-04-01"
OFFSET = re.compile(r"(?:(?P<days>\d{1,3})d)?(?:(?P<hours>\d{1,4})h)?(?:(?P<minutes>\d{1,5})m)?")
PATH = "providers/Microsoft.Insights/eventtypes/management/values"


@dataclass(frozen=True, kw_only=True)
class ActivityFlags:
    """Which records."""

    resource_group: Annotated[
        str | None,
        typer.Option("--resource-group", "-g", help="Of this resource group.", show_default="any"),
    ] = None
    resource_id: Annotated[
        str | None, typer.Option(help="Of this resource and what is under it.")
    ] = None
    correlation_id: Annotated[str | None, typer.Option(help="Of one request.")] = None
    status: Annotated[
        str | None, typer.Option(help="Only with this status: Started, Succeeded, Failed, …")
    ] = None
    start_time: Annotated[
        str | None, typer.Option(help="Not before this time, ISO 8601; UTC if no zone is told.")
    ] = None
    end_time: Annotated[
        str | None, typer.Option(help="Not after this time.", show_default="now")
    ] = None
    offset: Annotated[str, typer.Option(help="How long before --end-time: 90d, 6h, 1d12h.")] = "6h"
    max_events: Annotated[int, typer.Option(min=1, help="Most records that are shown.")] = 50


async def list_activity(server: Server, asked: ActivityFlags, shown: OutputFlags) -> None:
    """List the records of the activity log, the newest first."""
    wanted = filter_of(asked, datetime.now(UTC))
    reply = await server.send(
        "GET",
        f"{await subscription_path(server)}/{PATH}",
        version=VERSION,
        query={"$filter": wanted},
    )
    events = _fitting(reply.body, asked)
    while len(events) < asked.max_events and (following := reply.body.get("nextLink")):
        reply = await server.follow(following)
        events += _fitting(reply.body, asked)
    print_many(
        events[: asked.max_events],
        row,
        shown.output,
        none="No records. Look further back: linarite activity list --offset 90d",
    )


def filter_of(asked: ActivityFlags, now: datetime) -> str:
    """The `$filter` that asks for them. Raises BadParameter."""
    until = _moment(asked.end_time, "--end-time") if asked.end_time else now
    since = (
        _moment(asked.start_time, "--start-time")
        if asked.start_time
        else until - _length(asked.offset)
    )
    conditions = [
        f"eventTimestamp ge '{since.isoformat()}'",
        f"eventTimestamp le '{until.isoformat()}'",
    ]
    for field, value in (
        ("resourceGroupName", asked.resource_group),
        ("resourceUri", asked.resource_id),
        ("correlationId", asked.correlation_id),
    ):
        if value and "'" in value:
            raise typer.BadParameter(f"There is no quotation mark in a {field}: {value}")
        if value:
            conditions.append(f"{field} eq '{value}'")
    return " and ".join(conditions)


def row(event: dict[str, Any]) -> dict[str, object]:
    """A record's line."""
    resource = str(event.get("resourceId") or "")
    return {
        "time": str(event["eventTimestamp"])[:19].replace("T", " "),
        "caller": event.get("caller") or "",
        "operation": event["operationName"]["value"],
        "status": event["status"]["value"],
        "result": part(event, "subStatus").get("value", ""),
        "resource": resource.partition("/providers/")[2].partition("/")[2] or resource,
    }


def _fitting(body: dict[str, Any], asked: ActivityFlags) -> list[dict[str, Any]]:
    """The server's filter knows no status."""
    wanted = (asked.status or "").lower()
    return [
        event for event in body["value"] if not wanted or event["status"]["value"].lower() == wanted
    ]


def _moment(text: str, flag: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no time in ISO 8601.", param_hint=flag) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _length(text: str) -> timedelta:
    found = OFFSET.fullmatch(text)
    if not text or found is None:
        raise typer.BadParameter(
            f"'{text}' is no length of time, as 90d, 6h or 1d12h are.", param_hint="--offset"
        )
    return timedelta(**{unit: int(count or 0) for unit, count in found.groupdict().items()})

"""`linarite usage report`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs, urlsplit

import typer

from linarite.cli.arm.naming import account_id, group_path, subscription_path
from linarite.cli.arm.printed import print_many, say
from linarite.cli.usage.files import write_csv, write_parquet
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server

VERSION = "2025-03-01"
QUERY = "providers/Microsoft.CostManagement/query"
DIMENSIONS = {
    "account": "Account",
    "application": "Application",
    "deployment": "Deployment",
    "group": "ResourceGroup",
    "key": "Key",
    "model": "Model",
    "operation": "Operation",
    "principal": "Principal",
    "project": "Project",
    "region": "ResourceLocation",
    "sku": "Sku",
    "tier": "ServiceTier",
    "user": "EndUser",
    "version": "ModelVersion",
}
"""what one may tell usage apart by, beside day, month and `tag:NAME`"""
GRANULARITIES = {"day": "Daily", "month": "Monthly"}
TAG = "tag:"
SUMS = {
    "requests": "Requests",
    "refused": "RefusedRequests",
    "prompt": "PromptTokens",
    "cached": "CachedTokens",
    "completion": "CompletionTokens",
    "ptu hours": "ProvisionedUnitHours",
    "cost": "Cost",
}
BAR_WIDTH = 24
EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, kw_only=True)
class ReportFlags:
    """Whose usage, of when, told apart by what."""

    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            help="day, month, key, principal, application, project, tag:NAME, deployment, model, "
            "version, sku, tier, user, operation, region, account or group; several times for "
            "each combination.",
            show_default="deployment",
        ),
    ] = None
    since: Annotated[
        str | None,
        typer.Option("--from", help="First day, in UTC.", show_default="the month's first"),
    ] = None
    until: Annotated[str | None, typer.Option("--to", help="Last day.", show_default="today")] = (
        None
    )
    account: Annotated[
        str | None,
        typer.Option("--account", "--name", "-n", help="Of this account.", show_default="all"),
    ] = None
    resource_group: Annotated[
        str | None,
        typer.Option("--resource-group", "-g", help="Of this group.", show_default="all"),
    ] = None
    csv: Annotated[
        Path | None, typer.Option(help="Write it to a file, as CSV; - for standard output.")
    ] = None
    parquet: Annotated[Path | None, typer.Option(help="Write it to a file, as Parquet.")] = None


async def report_usage(server: Server, asked: ReportFlags, shown: OutputFlags) -> None:
    """Show what was used and what it cost."""
    by = list(dict.fromkeys(asked.by or ["deployment"]))
    rows = await rows_of(server, await _scope(server, asked), _definition(asked, by), by)
    if asked.parquet is not None:
        write_parquet(asked.parquet, rows, by)
    if asked.csv is not None:
        write_csv(asked.csv, rows, [*by, *SUMS, "currency"])
    written = [path for path in (asked.parquet, asked.csv) if path is not None]
    if written:
        for path in written:
            say(f"{len(rows)} rows in {path}")
        return
    print_many(rows, bars(rows, by), shown.output, none="Nothing was used in that time.")


async def rows_of(
    server: Server, scope: str, definition: dict[str, Any], by: list[str]
) -> list[dict[str, Any]]:
    """All rows of a query, under our names for its columns."""
    place, rows = "0", list[dict[str, Any]]()
    while place:
        reply = await server.send(
            "POST",
            f"{scope}/{QUERY}",
            version=VERSION,
            query={"$skiptoken": place, "$top": "5000"},
            body=definition,
        )
        answer = reply.body["properties"]
        names = [column["name"] for column in answer["columns"]]
        rows += [_row(names, row, by) for row in answer["rows"]]
        following = urlsplit(answer["nextLink"] or "").query
        place = parse_qs(following).get("$skiptoken", [""])[0]
    return rows


def bars(rows: list[dict[str, Any]], by: list[str]) -> Any:  # noqa: ANN401 - as print_many takes it
    """A row as a line of a table, with a bar: of its cost, or of its tokens where none cost."""
    costs, units = any(row["cost"] for row in rows), any(row["ptu hours"] for row in rows)
    greatest = max((_measure(row, costs=costs) for row in rows), default=0)

    def line(row: dict[str, Any]) -> dict[str, object]:
        shown: dict[str, object] = {name: row[name] or "-" for name in by}
        hidden = {"cost"} if units else {"cost", "ptu hours"}
        shown |= {name: row[name] for name in SUMS if name not in hidden}
        if costs:
            shown["cost"] = f"{row['cost']:,.4f} {row['currency']}"
        return shown | {"": _bar(_measure(row, costs=costs), greatest)}

    return line


def _measure(row: dict[str, Any], *, costs: bool) -> float:
    return row["cost"] if costs else row["prompt"] + row["completion"]


def _bar(measure: float, greatest: float) -> str:
    eighths = round(BAR_WIDTH * 8 * measure / greatest) if greatest else 0
    whole, part = divmod(eighths, 8)
    return "█" * whole + EIGHTHS[part].strip()


async def _scope(server: Server, asked: ReportFlags) -> str:
    if asked.account:
        return await account_id(server, asked.account, asked.resource_group)
    if asked.resource_group:
        return await group_path(server, asked.resource_group)
    return await subscription_path(server)


def _definition(asked: ReportFlags, by: list[str]) -> dict[str, Any]:
    """The query, as Cost Management takes it. Raises SetupError."""
    dated = [name for name in by if name in GRANULARITIES]
    if len(dated) > 1:
        raise SetupError("Usage is told by day or by month: leave one --by out.")
    today = datetime.now(UTC).date()
    since = _day("--from", asked.since) or today.replace(day=1)
    until = _day("--to", asked.until) or today
    return {
        "type": "Usage",
        "timeframe": "Custom",
        "timePeriod": {"from": f"{since}T00:00:00Z", "to": f"{until}T23:59:59Z"},
        "dataset": {
            "granularity": GRANULARITIES[dated[0]] if dated else "None",
            "aggregation": {
                name: {"name": column, "function": "Sum"} for name, column in SUMS.items()
            },
            "grouping": [_grouping(name) for name in by if name not in GRANULARITIES],
        },
    }


def _grouping(name: str) -> dict[str, str]:
    if name.startswith(TAG) and len(name) > len(TAG):
        return {"type": "TagKey", "name": name.removeprefix(TAG)}
    if name not in DIMENSIONS:
        there = ", ".join([*GRANULARITIES, *DIMENSIONS, "tag:NAME"])
        raise SetupError(
            f"--by {name}: there is no such thing to tell usage by. Use: {there}. "
            "For several, give --by several times."
        )
    return {"type": "Dimension", "name": DIMENSIONS[name]}


def _day(flag: str, said: str | None) -> date | None:
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        raise SetupError(f"{flag} {said} is no day: write it like 2026-03-31.") from None


def _row(names: list[str], row: list[Any], by: list[str]) -> dict[str, Any]:
    """Our name → value. A tag's columns come twice for two tags, so places tell."""
    sums = dict(zip(SUMS, row, strict=False))
    place = len(SUMS)
    told: dict[str, Any] = {}
    for name in sorted(by, key=lambda one: one not in GRANULARITIES):  # the date comes first
        if names[place] == "TagKey":
            place += 1
        value = row[place]
        if name == "day":
            value = f"{value // 10_000}-{value // 100 % 100:02}-{value % 100:02}"
        told[name] = value[:7] if name == "month" else value
        place += 1
    return {name: told[name] for name in by} | sums | {"currency": row[-1]}

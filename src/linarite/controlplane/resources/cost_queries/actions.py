"""Usage and cost of a scope, in the shape of Microsoft.CostManagement.

Source: learn.microsoft.com, "Query - Usage". Costs there lag by hours; ours are those of all
requests that have ended.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from linarite.controlplane.cost_filters import refused
from linarite.controlplane.request import Answer
from linarite.controlplane.resources.cost_queries.query import read_cost_query
from linarite.controlplane.verbs.list import next_link
from linarite.controlplane.verbs.parents import stored_parent_id
from linarite.domain.resource import ACCOUNT_TYPE
from linarite.domain.usage_report import SUMS_MAX, TooManySums, UsageCounts, UsageQuestion

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.resources.cost_queries.query import CostQuery
    from linarite.controlplane.surface import Surface
    from linarite.domain.usage_report import UsageSum

TYPE = "Microsoft.CostManagement/query"
PAGE_ROWS = 1000
PAGE_ROWS_MAX = 5000
DATES = {"Daily": "day", "Monthly": "month"}
DATE_COLUMNS = {
    "Daily": {"name": "UsageDate", "type": "Number"},
    "Monthly": {"name": "BillingMonth", "type": "Datetime"},
}


async def query_usage(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The sums of each group, a page of them."""
    scope = await _scope(target, surface)
    query = read_cost_query(request.body, surface.now().date(), surface.currency)
    start, size = _place(request)
    read_from = list(dict.fromkeys(_read_from(query)))
    # Everything lies in the one subscription; a management group holds it.
    question = UsageQuestion(
        query.since,
        query.until,
        scope if scope.lower().startswith("/subscriptions/") else "",
        by=tuple(read_from),
    )
    try:
        usage = await surface.usage.usage(question)
    except TooManySums:
        raise refused(
            f"it has more than {SUMS_MAX:,} rows: ask of fewer days, or group by less"
        ) from None
    rows = await asyncio.to_thread(_table, query, read_from, usage, surface.currency)
    following = start + size
    name = str(uuid4())
    return Answer(
        200,
        {
            "id": f"{scope.lstrip('/')}/providers/{TYPE}/{name}",
            "name": name,
            "type": TYPE,
            "location": None,
            "sku": None,
            "eTag": None,
            "properties": {
                "nextLink": next_link(request, str(following)) if following < len(rows) else None,
                "columns": _columns(query),
                "rows": rows[start:following],
            },
        },
    )


async def _scope(target: Target, surface: Surface) -> str:
    scope = await stored_parent_id(surface, target["scope"], TYPE, "read")
    words = scope.lower().split("/providers/")
    if len(words) > 1 and words[0] and not words[-1].startswith(f"{ACCOUNT_TYPE}/".lower()):
        raise refused(
            f"'{scope[:300]}' is no scope of costs: use a subscription, a resource group or an "
            "account"
        )
    return scope


def _table(
    query: CostQuery, read_from: list[str], usage: list[UsageSum], currency: str
) -> list[list[Any]]:
    return _sorted(_rows(query, _folded(query, read_from, usage), currency), query)


def _read_from(query: CostQuery) -> list[str]:
    """The dimensions of usage that the answer is made of."""
    dated = [DATES[query.granularity]] if query.granularity != "None" else []
    return [
        *dated,
        *(each.read_from for each in query.groups),
        *(each.read_from for each, _ in query.where),
    ]


def _folded(
    query: CostQuery, read_from: list[str], usage: list[UsageSum]
) -> dict[tuple[str, ...], UsageCounts]:
    """Date and group → sums, of what fits the filter."""
    folded: dict[tuple[str, ...], UsageCounts] = {}
    for each in usage:
        told = dict(zip(read_from, each.group, strict=True))
        if any(one.shown(told[one.read_from]).lower() not in values for one, values in query.where):
            continue
        dated = told[DATES[query.granularity]] if query.granularity != "None" else ""
        group = (dated, *(one.shown(told[one.read_from]) for one in query.groups))
        folded.setdefault(group, UsageCounts()).add(each.counts)
    return folded


def _columns(query: CostQuery) -> list[dict[str, str]]:
    columns = [{"name": each.name, "type": "Number"} for each in query.sums]
    if query.granularity != "None":
        columns.append(DATE_COLUMNS[query.granularity])
    for each in query.groups:
        names = ("TagKey", "TagValue") if each.name in query.tag_groups else (each.name,)
        columns += [{"name": name, "type": "String"} for name in names]
    return [*columns, {"name": "Currency", "type": "String"}]


def _rows(
    query: CostQuery, folded: dict[tuple[str, ...], UsageCounts], currency: str
) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for (dated, *values), counts in sorted(folded.items()):
        row: list[Any] = [each.of(counts) for each in query.sums]
        if query.granularity == "Daily":
            row.append(int(dated.replace("-", "")))
        elif query.granularity == "Monthly":
            row.append(f"{dated}-01T00:00:00")
        for each, value in zip(query.groups, values, strict=True):
            row += [each.name, value] if each.name in query.tag_groups else [value]
        rows.append([*row, currency])
    return rows


def _sorted(rows: list[list[Any]], query: CostQuery) -> list[list[Any]]:
    names = [column["name"].lower() for column in _columns(query)]
    for wanted in reversed(query.sorting):
        if wanted.name.lower() not in names:
            raise refused(
                f"Invalid sorting {wanted.name[:60]}; valid ones: {', '.join(dict.fromkeys(names))}"
            )
        place = names.index(wanted.name.lower())
        falling = wanted.direction.lower().startswith("desc")
        rows.sort(key=lambda row, place=place: row[place], reverse=falling)
    return rows


def _place(request: ArmRequest) -> tuple[int, int]:
    """Where the page begins, and how many rows it has. Raises ArmError."""
    start, size = request.query.get("$skiptoken", "0"), request.query.get("$top", str(PAGE_ROWS))
    if not (start.isdecimal() and size.isdecimal() and len(start + size) < len(str(2**63))):
        raise refused("$skiptoken and $top are whole numbers, as nextLink tells them")
    return int(start), min(max(int(size), 1), PAGE_ROWS_MAX)

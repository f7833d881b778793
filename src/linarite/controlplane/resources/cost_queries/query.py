"""The body of a query: what is asked, with the errors that teach."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Literal, TypeVar

import msgspec

from linarite.controlplane.cost_filters import conditions, dimension_named, refused, valid
from linarite.controlplane.resources.cost_queries.dimensions import IN_DOLLARS, SUMS, Sum
from linarite.controlplane.wire import read_object
from linarite.domain.cost_dimensions import TAG_KEY, Dimension

GROUPS_MAX = 8
"""Azure takes two; ours tell more apart"""
TYPES = ("Usage", "ActualCost", "AmortizedCost")
TIMEFRAMES = (
    "WeekToDate",
    "MonthToDate",
    "BillingMonthToDate",
    "TheLastMonth",
    "TheLastBillingMonth",
    "Custom",
)
Word = TypeVar("Word", bound=str)
Granularity = Literal["None", "Daily", "Monthly"]
GRANULARITIES: tuple[Granularity, ...] = ("None", "Daily", "Monthly")


class SentTimePeriod(msgspec.Struct):
    """Of a query whose timeframe is Custom."""

    since: datetime = msgspec.field(name="from")
    until: datetime = msgspec.field(name="to")


class SentSum(msgspec.Struct):
    """What is to be summed."""

    name: str
    function: str = "Sum"


class SentGrouping(msgspec.Struct):
    """What is to be told apart."""

    type: str
    name: str


class SentSorting(msgspec.Struct):
    """By which column."""

    name: str
    direction: str = "Ascending"


class SentDataset(msgspec.Struct, frozen=True):
    """What of the usage is asked for."""

    granularity: str | None = None
    aggregation: dict[str, SentSum] = {}
    grouping: list[SentGrouping] = []
    filter: dict[str, Any] | None = None
    sorting: list[SentSorting] = []
    configuration: dict[str, Any] | None = None


class SentQuery(msgspec.Struct, rename="camel"):
    """A QueryDefinition."""

    type: str
    timeframe: str
    dataset: SentDataset = SentDataset()
    time_period: SentTimePeriod | None = None


class CostQuery(msgspec.Struct, frozen=True):
    """What is asked, in our terms."""

    since: date
    until: date
    granularity: Granularity
    sums: list[Sum]
    groups: list[Dimension]
    tag_groups: frozenset[str]
    """the names of those groups that are tags"""
    where: list[tuple[Dimension, frozenset[str]]]
    """the values that count, lower-cased; all of these together"""
    sorting: list[SentSorting]


def read_cost_query(body: bytes, today: date, currency: str) -> CostQuery:
    """The query. Raises ArmError 400."""
    try:
        sent = msgspec.convert(read_object(body), SentQuery)
    except msgspec.ValidationError as problem:
        text, _, where = str(problem).partition(" - at `$")
        raise refused(f"{text} at '{where.rstrip('`').lstrip('.') or 'the top level'}'") from None
    _one_of("type", sent.type, TYPES)
    dataset = sent.dataset
    if dataset.configuration:
        raise refused(
            "dataset.configuration is not supported: name sums in dataset.aggregation and columns "
            "in dataset.grouping"
        )
    if len(dataset.grouping) > GROUPS_MAX:
        raise refused(f"dataset.grouping has more than {GROUPS_MAX} entries")
    since, until = _days(sent, today)
    return CostQuery(
        since=since,
        until=until,
        granularity=_one_of("granularity", dataset.granularity or "None", GRANULARITIES),
        sums=[_sum(each, currency) for each in dataset.aggregation.values()],
        groups=[dimension_named(each.type, each.name) for each in dataset.grouping],
        tag_groups=frozenset(
            each.name for each in dataset.grouping if each.type.lower() == TAG_KEY.lower()
        ),
        where=conditions(dataset.filter or {}),
        sorting=dataset.sorting,
    )


def _one_of(what: str, said: str, words: tuple[Word, ...]) -> Word:
    for word in words:
        if word.lower() == said.lower():
            return word
    raise refused(f"'{said[:60]}' is no {what}; valid values: {', '.join(words)}")


def _days(sent: SentQuery, today: date) -> tuple[date, date]:
    timeframe = _one_of("timeframe", sent.timeframe, TIMEFRAMES)
    first = today.replace(day=1)
    if timeframe == "Custom":
        period = sent.time_period
        if period is None:
            raise refused("the timeframe Custom needs a timePeriod with 'from' and 'to'")
        since, until = period.since.date(), period.until.date()
        if until < since:
            raise refused("timePeriod.to is before timePeriod.from")
        return since, until
    if timeframe == "WeekToDate":
        return today - timedelta(days=(today.weekday() + 1) % 7), today  # weeks begin on Sundays
    if timeframe in {"TheLastMonth", "TheLastBillingMonth"}:
        last = first - timedelta(days=1)
        return last.replace(day=1), last
    return first, today


def _sum(sent: SentSum, currency: str) -> Sum:
    found = SUMS.get(sent.name.lower())
    if found is None:
        there = valid(each.name for each in SUMS.values())
        raise refused(f"Invalid aggregation {sent.name[:60]}; valid ones: {there}")
    if sent.function.lower() != "sum":
        raise refused(f"'{sent.function[:60]}' is no function of aggregation; valid values: Sum")
    if found.name in IN_DOLLARS and currency != "USD":
        raise refused(
            f"prices of this server are in {currency} and there are no rates of exchange; ask for "
            f"{found.name.removesuffix('USD')}"
        )
    return found

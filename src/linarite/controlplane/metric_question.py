"""What a question about metrics asks, from the parameters of its request.

Source: learn.microsoft.com, "Metrics - List" and "Metrics Batch - Batch": parameters, their
defaults, and what is refused.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote

import msgspec

from linarite.domain.arm_errors import bad_request
from linarite.domain.arm_id import location_key
from linarite.domain.azure_metrics.catalogue import METRICS, NAMESPACE, MetricDefinition
from linarite.domain.azure_metrics.filters import Filter, FilterError, read_filter
from linarite.domain.azure_metrics.grains import HOUR_S, MINUTE_S
from linarite.domain.azure_metrics.question import RESOURCE_ID, Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from linarite.domain.arm_errors import ArmError

READS_METRICS = "Microsoft.Insights/metrics/read"
"""what a role must grant to whom metrics are told"""
INTERVALS = {
    "PT1M": 60,
    "PT5M": 300,
    "PT15M": 900,
    "PT30M": 1800,
    "PT1H": 3600,
    "PT6H": 6 * 3600,
    "PT12H": 12 * 3600,
    "P1D": 86_400,
}
FULL = "FULL"
"""one point for the whole time"""
AGGREGATIONS = ("Average", "Count", "Maximum", "Minimum", "Total")
BY_AGGREGATION = {name.lower(): name for name in AGGREGATIONS} | {"sum": "Total"}
"""what a question may write → the word of the answer"""
METRICS_MAX = 20
TOP_DEFAULT = 10
TOP_MAX = 1000
POINTS_MAX = 50_000
"""of one series: a month of minutes"""
ANSWER_POINTS_MAX = 1_000_000
"""of all series together: some hundreds of megabytes while the answer is made"""
SPAN_MAX = timedelta(days=94)
WHOLE_HOURS_AFTER_S = 7 * 86_400
"""a longer time begins with a whole hour where steps are hours: then hours are read, not minutes"""
LAST = timedelta(hours=1)
"""what is told where no time is asked for"""

NEVER = datetime.min.replace(tzinfo=UTC)
FIRST = datetime(1980, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(2200, 1, 1, tzinfo=UTC)
"""times beyond are nobody's"""

DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)


class Order(msgspec.Struct, frozen=True):
    """By what series are sorted before the first `top` are taken."""

    aggregation: str
    descending: bool


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Everything but whose metrics they are."""

    metrics: tuple[MetricDefinition, ...]
    window: Window
    interval: str
    """as the answer tells it"""
    aggregations: tuple[str, ...]
    """in the answer's words; empty: each metric's own"""
    wanted: Filter
    split_by: tuple[str, ...]
    """dimensions in lower case: each combination of values is a series"""
    top: int
    order: Order | None
    metadata_only: bool


def read_question(query: Mapping[str, str], now: datetime) -> Question:
    """Read the parameters of `Metrics - List`, by lower-cased names. Raises ArmError 400."""
    start, end = _timespan(query.get("timespan", ""), now)
    question = _question(query, query.get("$filter", ""), start, end)
    require_room(question)
    return question


def read_batch_question(query: Mapping[str, str], now: datetime) -> Question:
    """Read those of `Metrics Batch`, which differ in the names of a few. Raises ArmError 400.

    `require_room` is asked once it is known of how many resources.
    """
    end = moment(query["endtime"]) if query.get("endtime") else now
    start = moment(query["starttime"]) if query.get("starttime") else end - LAST
    return _question(query, query.get("filter", ""), start, end)


def _question(
    query: Mapping[str, str], filter_text: str, start: datetime, end: datetime
) -> Question:
    require_namespace(query.get("metricnamespace", ""))
    metrics = _metrics(query.get("metricnames", ""))
    try:
        wanted = read_filter(filter_text)
    except FilterError as problem:
        raise refused(f"Invalid $filter '{filter_text[:200]}'. {problem}") from None
    split_by = _dimensions(query, wanted, metrics)
    interval, window = _window(query, start, end)
    return Question(
        metrics=metrics,
        window=window,
        interval=interval,
        aggregations=_aggregations(query.get("aggregation", "")),
        wanted=wanted,
        split_by=split_by,
        top=_top(query.get("top", "")),
        order=_order(query.get("orderby", "")),
        metadata_only=_result_type(query.get("resulttype", "")),
    )


def require_room(question: Question, resources: int = 1) -> None:
    """Refuse an answer with too many points, of all resources together. Raises ArmError 400."""
    if question.metadata_only:
        return
    series = len(question.metrics) * resources * (question.top if question.split_by else 1)
    points = question.window.steps * series
    if points > ANSWER_POINTS_MAX:
        raise refused(
            f"The answer could have {points} points, more than the {ANSWER_POINTS_MAX} allowed: "
            f"{question.window.steps} steps of up to {series} series. Ask for a longer interval, a "
            "shorter time, fewer metrics or resources, or a smaller top."
        )


def refused(message: str) -> ArmError:
    """Azure Monitor's refusal of a parameter."""
    return bad_request("BadRequest", message)


def require_namespace(name: str) -> None:
    """There is one. Raises ArmError 400."""
    if name and name.lower() != NAMESPACE.lower():
        raise refused(
            f"Invalid metric namespace: {name[:100]}. The only one of this resource is {NAMESPACE}."
        )


def region_of(query: Mapping[str, str]) -> str:
    """Whose accounts a question about a subscription means, as regions are compared.

    Raises ArmError 400 where it does not say.
    """
    region = location_key(query.get("region", ""))
    if not region:
        raise refused("The region parameter is required where several resources are asked about.")
    return region


def _metrics(names: str) -> tuple[MetricDefinition, ...]:
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if not wanted:
        return (METRICS["azureopenairequests"],)
    if len(wanted) > METRICS_MAX:
        raise refused(
            f"Requested metrics count: {len(wanted)} bigger than allowed max: {METRICS_MAX}"
        )
    for name in wanted:
        if name.lower() not in METRICS:
            provider, _, kind = NAMESPACE.partition("/")
            known = ",".join(each.name for each in METRICS.values())
            raise refused(
                f"Failed to find metric configuration for provider: {provider}, resource Type: "
                f"{kind}, metric: {name[:100]}, Valid metrics: {known}"
            )
    return tuple({name.lower(): METRICS[name.lower()] for name in wanted}.values())


def _dimensions(
    query: Mapping[str, str], wanted: Filter, metrics: Sequence[MetricDefinition]
) -> tuple[str, ...]:
    """By what series are told apart: what the filter names, less what is rolled up."""
    named = {name.lower(): name for name in wanted.dimensions}
    if query.get("validatedimensions", "").lower() != "false":
        for metric in metrics:
            has = {name.lower() for name in metric.dimensions} | {RESOURCE_ID}
            if not named.keys() <= has:
                raise refused(
                    f"Metric: {metric.name} does not support requested dimension combination: "
                    f"{','.join(named)[:300].lower()}, supported ones are: "
                    f"{','.join(metric.dimensions)}"
                )
    rolled = {name.strip().lower() for name in query.get("rollupby", "").split(",")}
    return tuple(name for name in named if name not in rolled)


def _timespan(text: str, now: datetime) -> tuple[datetime, datetime]:
    """`START/END`, `START/DURATION`, `DURATION/END` or `DURATION`; az encodes it twice."""
    text = unquote(text).strip()
    if not text:
        return now - LAST, now
    first, slash, second = text.partition("/")
    if not slash:
        return now - _duration(first), now
    if first.startswith("P"):
        end = moment(second)
        return end - _duration(first), end
    start = moment(first)
    return start, start + _duration(second) if second.startswith("P") else moment(second)


def _duration(text: str) -> timedelta:
    found = DURATION.fullmatch(text.strip().upper())
    parts = [int(part[:9]) for part in found.groups(default="0")] if found else []
    if not any(parts):
        raise refused(
            f"Invalid time interval input: {text[:60]}. Write it in ISO 8601, such as PT1H or P1D."
        )
    days, hours, minutes, seconds = parts
    return min(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds), SPAN_MAX * 2)


def moment(text: str) -> datetime:
    """A time in ISO 8601, in UTC where it does not say. Raises ArmError 400."""
    try:
        # A plus sign in a query is read as a space.
        found = datetime.fromisoformat(unquote(text).strip().replace(" ", "+"))
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        found = NEVER
    if not FIRST <= found <= LAST_MOMENT:
        raise refused(
            f"Invalid time: '{text[:60]}'. Write it in ISO 8601, such as 2026-01-01T00:00:00Z."
        )
    return found


def _window(query: Mapping[str, str], start: datetime, end: datetime) -> tuple[str, Window]:
    """Whole minutes; the one that is under way belongs to it."""
    if start >= end:
        raise refused(
            f"Start time {start.isoformat()} cannot be later than or equal to end time "
            f"{end.isoformat()}"
        )
    if end - start > SPAN_MAX:
        raise refused(f"The time asked for is longer than {SPAN_MAX.days} days.")
    since_s = int(start.timestamp()) // MINUTE_S * MINUTE_S
    until_s = -(-int(end.timestamp() + 0.999) // MINUTE_S) * MINUTE_S
    interval = _interval(query, until_s - since_s)
    step_s = INTERVALS.get(interval, until_s - since_s)
    if step_s % HOUR_S == 0 and until_s - since_s > WHOLE_HOURS_AFTER_S:
        since_s = since_s // HOUR_S * HOUR_S
    if interval == FULL:
        step_s = until_s - since_s
    return interval, Window(since_s=since_s, until_s=until_s, step_s=step_s)


def _interval(query: Mapping[str, str], span_s: int) -> str:
    text = query.get("interval", "").strip().upper() or "PT1M"
    if text == FULL:
        return FULL
    step_s = {"PT24H": 86_400, "PT60M": 3600}.get(text) or INTERVALS.get(text)
    if query.get("autoadjusttimegrain", "").lower() == "true":
        asked_s = step_s or _duration(text).total_seconds()
        fitting = [each for each in INTERVALS.values() if each >= asked_s]
        few = [each for each in fitting if span_s / each <= POINTS_MAX]
        step_s = (few or fitting or [86_400])[0]
    if step_s is None:
        raise refused(
            f"Detected invalid time grain input: {text[:40]}, supported ones are: "
            f"{','.join((*INTERVALS, FULL))}. With AutoAdjustTimegrain=true the next one is taken."
        )
    if span_s / step_s > POINTS_MAX:
        raise refused(
            f"The time asked for has more than {POINTS_MAX} steps of {text}: ask for a longer "
            "interval or a shorter time."
        )
    return next(name for name, each in INTERVALS.items() if each == step_s)


def _aggregations(text: str) -> tuple[str, ...]:
    wanted = [word.strip().lower() for word in unquote(text).split(",") if word.strip()]
    for word in wanted:
        if word not in BY_AGGREGATION and word != "none":
            raise refused(
                f"Invalid aggregation type: {word[:40]}, supported ones are: "
                f"None,{','.join(AGGREGATIONS)}"
            )
    return tuple(dict.fromkeys(BY_AGGREGATION[word] for word in wanted if word != "none"))


def _top(text: str) -> int:
    if not text:
        return TOP_DEFAULT
    if not (text.isdecimal() and text.isascii() and 0 < int(text[:9]) <= TOP_MAX):
        raise refused(f"Invalid top: '{text[:40]}'. It is a number from 1 to {TOP_MAX}.")
    return int(text)


def _order(text: str) -> Order | None:
    if not text.strip():
        return None
    aggregation, _, direction = unquote(text).strip().lower().partition(" ")
    direction = direction.strip() or "asc"
    if aggregation not in BY_AGGREGATION or direction not in {"asc", "desc"}:
        raise refused(f"Invalid orderby: '{text[:60]}'. Write an aggregation and asc or desc.")
    return Order(BY_AGGREGATION[aggregation].lower(), descending=direction == "desc")


def _result_type(text: str) -> bool:
    word = text.strip().lower()
    if word not in {"", "data", "metadata"}:
        raise refused(f"Invalid resultType: '{text[:40]}'. It is Data or Metadata.")
    return word == "metadata"

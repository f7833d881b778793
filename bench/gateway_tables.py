"""The gateway's tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.statistics_of import median_of, ratio
from bench.tables import milliseconds, number, table, times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.options import GatewayPlan
    from bench.results import Measured


def gateway_tables(measured: Sequence[Measured], plan: GatewayPlan) -> Iterator[str]:
    """Plain answers, latency, then a table for each number of streams."""
    yield _plain(measured, plan)
    yield _latency(measured, plan)
    paces = [(streams, plan.pace_ms) for streams in plan.streams]
    for streams, pace_ms in [*paces, (plan.many_streams, plan.many_pace_ms)]:
        yield _streams(measured, streams, pace_ms)


def named(measured: Sequence[Measured], start: str) -> Measured | None:
    """The row whose name begins so."""
    return next((row for row in measured if row.name.startswith(start)), None)


def middle(row: Measured | None, metric: str) -> float:
    """The median over the rounds; nan when there is no such row or figure."""
    return median_of(row.of(metric)) if row is not None else math.nan


def total(row: Measured | None, metric: str) -> float:
    """The sum over the rounds; nan when it was not measured."""
    values = row.of(metric) if row is not None else []
    return sum(values) if values else math.nan


def added(row: Measured | None, direct: Measured | None, metric: str) -> float:
    """The median over the rounds of a row's figure less the upstream's in the same round."""
    if row is None or direct is None:
        return math.nan
    pairs = zip(row.of(metric), direct.of(metric), strict=False)
    return median_of(mine - its for mine, its in pairs)


def _plain(measured: Sequence[Measured], plan: GatewayPlan) -> str:
    nginx = middle(named(measured, "nginx"), "cpu_us_per_request")
    litellm = middle(named(measured, "LiteLLM"), "requests_per_s")
    rows = [
        (
            row.name,
            number(middle(row, "cpu_us_per_request"), 1),
            times(ratio(middle(row, "cpu_us_per_request"), nginx)),
            number(middle(row, "requests_per_s")),
            times(ratio(middle(row, "requests_per_s"), litellm)),
            number(total(row, "closed_errors")),
        )
        for row in measured
    ]
    return table(
        f"Plain answers, {plan.connections} connections, as fast as it goes",
        ("", "CPU µs per request", "nginx's", "requests/s", "LiteLLM's", "errors"),
        rows,
        "CPU of the server's process and its children. The gateway has one core; the load and the "
        "upstream share the others, so that they bound the fastest rows' requests/s.",
    )


def _latency(measured: Sequence[Measured], plan: GatewayPlan) -> str:
    direct = named(measured, "upstream")
    rows = [
        (
            row.name,
            number(middle(row, "rate")),
            milliseconds(middle(row, "latency_p50_s")),
            milliseconds(middle(row, "latency_p99_s")),
            milliseconds(added(row, direct, "latency_p50_s")),
            milliseconds(added(row, direct, "latency_p99_s")),
            number(total(row, "open_errors")),
        )
        for row in measured
    ]
    return table(
        f"Latency in milliseconds at {plan.rate:g} requests a second",
        ("", "requests/s", "p50", "p99", "added p50", "added p99", "errors"),
        rows,
        "Requests are sent by the clock, whatever the answers do. A row that can't keep up with "
        "the rate is asked for 60 % of its best.",
    )


def _streams(measured: Sequence[Measured], streams: int, pace_ms: int) -> str:
    key = f"streams_{streams}"
    nginx = middle(named(measured, "nginx"), f"{key}_cpu_us_per_chunk")
    rows = [
        (
            row.name,
            number(middle(row, f"{key}_cpu_us_per_chunk"), 1),
            times(ratio(middle(row, f"{key}_cpu_us_per_chunk"), nginx)),
            milliseconds(middle(row, f"{key}_first_chunk_p50_s")),
            milliseconds(middle(row, f"{key}_first_chunk_p99_s")),
            number(middle(row, f"{key}_chunks_per_s")),
            milliseconds(max(row.of(f"{key}_longest_gap_s"), default=math.nan)),
            number(total(row, f"{key}_stalls")),
            number(total(row, f"{key}_broken_streams")),
        )
        for row in measured
    ]
    return table(
        f"{streams:,} streams at once, a chunk every {pace_ms} ms in each",
        (
            "",
            "CPU µs per chunk",
            "nginx's",
            "first chunk ms p50",
            "p99",
            "chunks/s",
            "longest gap ms",
            "stalls",
            "broken",
        ),
        rows,
        "A stall is a gap of more than 100 ms, or of three paces where that is longer. Gaps, "
        "stalls and broken streams are over all rounds. A row that broke streams is not asked for "
        "more of them.",
    )

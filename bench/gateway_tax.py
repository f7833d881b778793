"""What a gateway costs: CPU for each request and chunk, added latency, streams that stay smooth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.load.plain import closed_loop, open_loop, warm_up
from bench.load.streams import run_streams
from bench.results import Measured
from bench.statistics_of import percentile, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.options import GatewayPlan
    from bench.rows.row import Row

MICRO = 1e6
SUSTAINED = 0.6
"""share of its best throughput that a row is asked for at a fixed rate, where 500 is too much"""


async def measure(
    rows: Sequence[Row], plan: GatewayPlan, tell: Callable[[str], None]
) -> list[Measured]:
    """All rows, interleaved: each cell of the tables is measured for one row after the other."""
    for row in rows:
        tell(f"gateway tax: warming up {row.name}")
        await warm_up(row.target, plan.warm_up_requests)
    measured = [Measured(row.name) for row in rows]
    pairs = list(zip(rows, measured, strict=True))
    for at in range(plan.rounds):
        tell(f"gateway tax, round {at + 1} of {plan.rounds}: plain answers")
        for row, seen in pairs:
            await _plain(row, seen, plan)
        for row, seen in pairs:
            await _latency(row, seen, plan)
        for streams in plan.streams:
            tell(f"gateway tax, round {at + 1} of {plan.rounds}: {streams} streams")
            for row, seen in pairs:
                await _streams(row, seen, streams, (plan.pace_ms, plan.chunks))
    tell(f"gateway tax: {plan.many_streams} streams")
    for row, seen in pairs:
        await _streams(row, seen, plan.many_streams, (plan.many_pace_ms, plan.many_chunks))
    return measured


async def _plain(row: Row, seen: Measured, plan: GatewayPlan) -> None:
    got = await closed_loop(
        row.target, row.started.cpu_s, connections=plan.connections, seconds=plan.closed_s
    )
    seen.note(
        requests_per_s=got.requests / got.seconds,
        cpu_us_per_request=ratio(got.cpu_s * MICRO, got.requests),
        closed_errors=got.errors,
    )


async def _latency(row: Row, seen: Measured, plan: GatewayPlan) -> None:
    rate = min(plan.rate, max(1.0, SUSTAINED * min(seen.of("requests_per_s"))))
    got = await open_loop(row.target, rate=rate, seconds=plan.open_s)
    seen.note(
        rate=rate,
        latency_p50_s=percentile(got.latencies_s, 0.50),
        latency_p99_s=percentile(got.latencies_s, 0.99),
        open_errors=got.errors,
    )


async def _streams(row: Row, seen: Measured, streams: int, pace: tuple[int, int]) -> None:
    """A row that broke streams before is not asked for more of them."""
    key = f"streams_{streams}"
    broken = any(
        any(seen.of(metric)) for metric in seen.rounds if metric.endswith("_broken_streams")
    )
    if broken:
        return
    before_s = row.started.cpu_s()
    got = await run_streams(row.target, streams=streams, pace_ms=pace[0], chunks=pace[1])
    used_s = row.started.cpu_s() - before_s
    seen.note(
        **{
            f"{key}_cpu_us_per_chunk": ratio(used_s * MICRO, got.chunks),
            f"{key}_first_chunk_p50_s": percentile(got.first_chunk_s, 0.50),
            f"{key}_first_chunk_p99_s": percentile(got.first_chunk_s, 0.99),
            f"{key}_chunks_per_s": ratio(got.chunks, got.seconds),
            f"{key}_longest_gap_s": got.longest_gap_s,
            f"{key}_stalls": got.stalls,
            f"{key}_broken_streams": got.errors,
        }
    )

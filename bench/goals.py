"""What this project wants to hold, as ratios within one run, and whether this run held it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.engine_tax import tax
from bench.gateway_tables import added, middle, named, total
from bench.statistics_of import ratio
from bench.tables import NOTHING, milliseconds, number, table, times

if TYPE_CHECKING:
    from bench.options import GatewayPlan
    from bench.results import Footprint, Results

CPU_PER_REQUEST = 4.0
ADDED_P50_S = 0.0005
CPU_PER_CHUNK = 2.0
TIMES_LITELLM = 60.0
ENGINE_TAX = 0.03
MEMORY_BYTES = 100_000_000
TOKEN_CPU_US = 30.0
GOVERNED_CPU = 6.0
"""of nginx's"""
GOVERNING_CPU = 1.5
"""of a call that nothing but its key governs"""
GOVERNED_P50_S = 0.0008
GROWTH_BYTES_PER_REQUEST = 2.0
"""what counts as none: a hundred megabytes in fifty million requests"""


def goals_table(results: Results, plan: GatewayPlan) -> str:
    """A line for each goal; a dash where the run did not measure it."""
    rows = [*_gateway(results, plan), *_engine(results), *_memory(results.footprint)]
    return table("Goals", ("", "goal", "measured", "held"), rows)


def _gateway(results: Results, plan: GatewayPlan) -> list[tuple[str, ...]]:
    ours, nginx, direct, litellm = (
        named(results.gateway, start) for start in ("Linarite", "nginx", "upstream", "LiteLLM")
    )
    by_token, governed = (named(results.gateway, start) for start in ("a token", "a governed"))
    token_us = middle(by_token, "cpu_us_per_request") - middle(ours, "cpu_us_per_request")
    request = ratio(middle(ours, "cpu_us_per_request"), middle(nginx, "cpu_us_per_request"))
    p50_s = added(ours, direct, "latency_p50_s")
    whole_us = middle(governed, "cpu_us_per_request")
    whole = ratio(whole_us, middle(nginx, "cpu_us_per_request"))
    governing = ratio(whole_us, middle(ours, "cpu_us_per_request"))
    governed_s = added(governed, direct, "latency_p50_s")
    most = plan.streams[-1]
    chunk_metric = f"streams_{most}_cpu_us_per_chunk"
    chunk = ratio(middle(ours, chunk_metric), middle(nginx, chunk_metric))
    speed = ratio(middle(ours, "requests_per_s"), middle(litellm, "requests_per_s"))
    stalls = total(ours, f"streams_{most}_stalls")
    broken = total(ours, f"streams_{plan.many_streams}_broken_streams")
    return [
        _row("CPU per request, of nginx's", f"≤ {CPU_PER_REQUEST:g} x", times(request))
        + _held(request <= CPU_PER_REQUEST, request),
        _row(f"added p50 at {plan.rate:g}/s, ms", "< 0.5", milliseconds(p50_s))
        + _held(p50_s < ADDED_P50_S, p50_s),
        _row(f"CPU per chunk of {most} streams, of nginx's", f"≤ {CPU_PER_CHUNK:g} x", times(chunk))
        + _held(chunk <= CPU_PER_CHUNK, chunk),
        _row("requests/s, of LiteLLM's", f"≥ {TIMES_LITELLM:g} x", times(speed))
        + _held(speed >= TIMES_LITELLM, speed),
        _row("a known token instead of a key, CPU µs", f"≤ {TOKEN_CPU_US:g}", number(token_us, 1))
        + _held(token_us <= TOKEN_CPU_US, token_us),
        _row("CPU per governed request, of nginx's", f"≤ {GOVERNED_CPU:g} x", times(whole))
        + _held(whole <= GOVERNED_CPU, whole),
        _row("the same, of an ungoverned one's", f"≤ {GOVERNING_CPU:g} x", times(governing))
        + _held(governing <= GOVERNING_CPU, governing),
        _row(f"its added p50 at {plan.rate:g}/s, ms", "< 0.8", milliseconds(governed_s))
        + _held(governed_s < GOVERNED_P50_S, governed_s),
        _row(f"stalls of {most} streams", "0", number(stalls)) + _held(stalls == 0, stalls),
        _row(f"broken of {plan.many_streams:,} streams", "0", number(broken))
        + _held(broken == 0, broken),
    ]


def _engine(results: Results) -> list[tuple[str, ...]]:
    worst = max((tax(cell) for cell in results.engine), default=math.nan)
    return [
        _row("engine tax, the worst of its lines", "< 3 %", number(worst * 100, 1, " %"))
        + _held(worst < ENGINE_TAX, worst)
    ]


def _memory(seen: Footprint | None) -> list[tuple[str, ...]]:
    most = max(seen.loaded_bytes, *(rss for _, rss in seen.points)) if seen else math.nan
    growth = seen.bytes_per_request if seen else math.nan
    doubt = 2 * seen.standard_error if seen else math.nan
    return [
        _row("memory of the gateway at most", "< 100 MB", number(most / 1e6, 1, " MB"))
        + _held(most < MEMORY_BYTES, most),
        _row("its growth, bytes per request", "0", number(growth, 2))
        + _held(growth <= max(GROWTH_BYTES_PER_REQUEST, doubt), growth),
    ]


def _row(name: str, goal: str, measured: str) -> tuple[str, ...]:
    return (name, goal, measured)


def _held(held: bool, measured: float) -> tuple[str]:
    return (NOTHING if math.isnan(measured) else "yes" if held else "NO",)

"""How long the server takes to start, what memory it takes, and whether that grows."""

from __future__ import annotations

import asyncio
import shutil
import time
from typing import TYPE_CHECKING

from bench.fake_upstream import MODEL
from bench.load.plain import ClosedLoop, until_good
from bench.load.streams import run_streams
from bench.peers import Unavailable
from bench.processes import running_on, until_listening
from bench.results import Footprint
from bench.rows.fake import FakeRow
from bench.rows.linarite import CONFIG, launch, ready_target
from bench.rows.row import free_port
from bench.statistics_of import median_of, percentile, slope
from bench.tables import number, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.load.target import Target
    from bench.options import MemoryPlan
    from bench.processes import Started

SAMPLE_S = 0.05
STUCK_S = 20.0
MIB = 2**20


async def measure(
    scratch: Path, plan: MemoryPlan, cores: tuple[set[int], set[int]], tell: Callable[[str], None]
) -> Footprint:
    """Everything about one server in front of the fake upstream. Raises Unavailable."""
    gateway_core, load_cores = cores
    fake = FakeRow()
    try:
        await fake.start(scratch, 0, load_cores)
        config = CONFIG.format(model=MODEL, upstream_port=fake.target.port)
        with running_on(load_cores):
            return await _measure(scratch / "footprint", config, plan, gateway_core, tell)
    finally:
        fake.stop()


async def _measure(
    home: Path, config: str, plan: MemoryPlan, gateway_core: set[int], tell: Callable[[str], None]
) -> Footprint:
    seen = Footprint([], [], [], 0, 0, 0, plan.streams, [], 0.0, 0.0)
    for at in range(plan.starts):
        tell(f"start-up, round {at + 1} of {plan.starts}")
        shutil.rmtree(home, ignore_errors=True)
        seen.first_start_to_port_s.append((await _start_once(home, config, gateway_core, None))[0])
        target = await _learn_key(home, config, gateway_core)
        to_port_s, to_answer_s = await _start_once(home, config, gateway_core, target)
        seen.to_port_s.append(to_port_s)
        seen.to_first_answer_s.append(to_answer_s)
    server = launch(home, config, cores=gateway_core)
    try:
        target = await ready_target(home, server, MODEL)
        await asyncio.sleep(0.5)
        seen.idle_bytes = server.rss_bytes()
        seen.children_bytes = server.children_rss_bytes()
        tell(f"memory with {plan.streams} streams")
        seen.loaded_bytes = await _loaded(server, target, plan)
        tell(f"memory over {plan.requests:,} requests")
        seen.points = await _points(server, target, plan)
    finally:
        server.stop()
    seen.bytes_per_request, seen.standard_error = slope(seen.points)
    return seen


async def _start_once(
    home: Path, config: str, core: set[int], target: Target | None
) -> tuple[float, float]:
    """Seconds until it takes connections, and until its first good answer."""
    port = free_port()
    began = time.perf_counter()
    server = launch(home, config, port=port, cores=core)
    try:
        await until_listening(port, server, 60)
        to_port_s = time.perf_counter() - began
        if target is not None:
            here = type(target)(port, target.path, target.model, target.headers)
            await until_good(here, STUCK_S)
        return to_port_s, time.perf_counter() - began
    finally:
        server.stop()


async def _learn_key(home: Path, config: str, core: set[int]) -> Target:
    server = launch(home, config, cores=core)
    try:
        return await ready_target(home, server, MODEL)
    finally:
        server.stop()


async def _loaded(server: Started, target: Target, plan: MemoryPlan) -> int:
    """The most memory it has while streams run."""
    running = asyncio.create_task(
        run_streams(target, streams=plan.streams, pace_ms=20, chunks=plan.chunks)
    )
    most = 0
    while not running.done():
        most = max(most, server.rss_bytes())
        await asyncio.wait([running], timeout=SAMPLE_S)
    seen = await running
    if seen.errors:
        raise Unavailable(f"{seen.errors} of {plan.streams} streams broke")
    return most


async def _points(server: Started, target: Target, plan: MemoryPlan) -> list[tuple[int, int]]:
    """Requests answered since the warm-up, and memory then."""
    loop = ClosedLoop(target)
    await loop.open(64)
    try:
        points: list[tuple[int, int]] = []
        progress, progress_at = 0, time.monotonic()
        while loop.requests < plan.warm_up_requests + plan.requests:
            await asyncio.sleep(SAMPLE_S)
            if loop.requests >= plan.warm_up_requests:
                points.append((loop.requests - plan.warm_up_requests, server.rss_bytes()))
            if loop.requests > progress:
                progress, progress_at = loop.requests, time.monotonic()
            elif time.monotonic() - progress_at > STUCK_S:
                raise Unavailable(f"it stopped answering after {loop.requests:,} requests")
        return points
    finally:
        await loop.close()


def memory_table(seen: Footprint, plan: MemoryPlan) -> str:
    """Start-up and memory, line by line."""
    memory = [float(rss) for _, rss in seen.points]
    per_request = f"{seen.bytes_per_request:+.1f} ± {2 * seen.standard_error:.1f} bytes a request"
    rows = [
        ("first start (new data folder) to open port", _seconds(seen.first_start_to_port_s)),
        ("later start to open port", _seconds(seen.to_port_s)),
        ("later start to first good answer", _seconds(seen.to_first_answer_s)),
        ("memory of the gateway process, idle", _mib(seen.idle_bytes)),
        (f"the same, most with {seen.streams} streams", _mib(seen.loaded_bytes)),
        (f"the same, over {plan.requests:,} requests: median", _mib(percentile(memory, 0.5))),
        ("slope over those requests, least squares", per_request),
    ]
    return table(
        "Start-up and memory",
        ("", "measured"),
        rows,
        f"Upstream engine, so there are no engine processes. The slope begins after "
        f"{plan.warm_up_requests:,} requests of warm-up; ± is two standard errors.",
    )


def _seconds(values: list[float]) -> str:
    return number(median_of(values), 2, " s")


def _mib(value: float) -> str:
    return number(value / MIB, 1, " MiB")

"""Where the gateway's time goes, function by function, under load with plain answers and streams.

The server runs under Python's own profiler, which makes it some three times slower; shares tell,
absolute times do not. The printed microseconds are scaled back to what the same load costs without
the profiler.
"""

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING

from bench.load.plain import closed_loop
from bench.load.streams import run_streams
from bench.processes import running_on
from bench.rows.fake import FakeRow
from bench.rows.linarite import LinariteRow
from bench.statistics_of import ratio
from bench.tables import number, table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from bench.rows.row import Row

STREAMS = 256
CHUNKS = 200
LINES = 45
OFTEN = 0.3
"""calls for each request or chunk below which a function is left out"""
SECONDS = 5.0
MICRO = 1e6

Stats = dict[tuple[str, int, str], tuple[int, int, float, float, object]]
"""file, line and name of a function → primitive calls, calls, own time, time with callees"""


async def profile(scratch: Path, gateway_core: set[int], load_cores: set[int]) -> None:
    """Profile both loads and print a table each. Raises Unavailable."""
    fake = FakeRow()
    try:
        await fake.start(scratch, 0, load_cores)
        with running_on(load_cores):
            for title, load in (("a plain answer", _plain), ("a chunk of a stream", _streams)):
                bare_us = await _cost(scratch, fake, gateway_core, load)
                file = scratch / f"{load.__name__}.profile"
                launcher = ("-m", "cProfile", "-o", str(file), "-m", "linarite.main")
                row = LinariteRow(launcher)
                count = 0
                try:
                    await row.start(scratch, fake.target.port, gateway_core)
                    _, count = await load(row)
                finally:
                    row.stop()
                print(_table(title, read_profile(file), count, bare_us), flush=True)
    finally:
        fake.stop()


async def _cost(
    scratch: Path,
    fake: FakeRow,
    core: set[int],
    load: Callable[[Row], Awaitable[tuple[float, int]]],
) -> float:
    """CPU µs of one request or chunk, without the profiler."""
    row = LinariteRow()
    try:
        await row.start(scratch, fake.target.port, core)
        used_s, count = await load(row)
        return ratio(used_s * MICRO, count)
    finally:
        row.stop()


async def _plain(row: Row) -> tuple[float, int]:
    got = await closed_loop(row.target, row.started.cpu_s, connections=64, seconds=SECONDS)
    return got.cpu_s, got.requests


async def _streams(row: Row) -> tuple[float, int]:
    before_s = row.started.cpu_s()
    got = await run_streams(row.target, streams=STREAMS, pace_ms=20, chunks=CHUNKS)
    return row.started.cpu_s() - before_s, got.chunks


def read_profile(file: Path) -> Stats:
    """What the profiler wrote."""
    stats: Stats = marshal.loads(file.read_bytes())  # noqa: S302 - written by our own child
    return stats


def _table(title: str, stats: Stats, count: int, bare_us: float) -> str:
    hot = {place: entry for place, entry in stats.items() if entry[1] > count * OFTEN}
    total_s = sum(entry[2] for entry in hot.values())
    rows = [
        (
            f"{file.rpartition('/src/')[2] or file}:{line} {name}"[-90:],
            number(calls / count, 2),
            number(own_s / total_s * bare_us, 2),
            number(own_s / total_s * 100, 1, " %"),
        )
        for (file, line, name), (_, calls, own_s, _, _) in sorted(
            hot.items(), key=lambda item: -item[1][2]
        )[:LINES]
    ]
    return table(
        f"Where the time of {title} goes: {bare_us:.1f} µs",
        ("function, its own time", "calls", "µs", "share"),
        rows,
    )

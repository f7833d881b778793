"""`python -m bench.soak`: a server under load for minutes, its shared ledger stalled half-way.

Clients ask without pause, each request charged in a real Valkey or Redis. Half-way that stands
still (SIGSTOP) for a while and goes on. Told are the growth of the server's memory, what clients
were answered meanwhile and how soon, and when the first request was admitted again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bench.fake_upstream import MODEL
from bench.rows.fake import FakeRow
from bench.rows.linarite import launch, ready_target
from bench.statistics_of import slope
from bench.tables import milliseconds, number, table
from tests.store import running_store

if TYPE_CHECKING:
    from bench.load.target import Target
    from bench.processes import Started
    from tests.store import Store

CLIENTS = 32
SAMPLE_S = 1.0
WARM_UP = 0.2
"""of the whole time: caches fill, and memory grows as it must"""
MIB = 2**20
BODY = {"messages": [{"role": "user", "content": "after=20ms uses=64"}], "max_tokens": 64}
CONFIG = """\
[quota]
ledger = "{store}"

[[deployments]]
name = "{model}"
model = "gpt-5"
instance = "{model}"
capacity = 1000000

[instances.{model}]
engine = "upstream"
options.base_url = "http://127.0.0.1:{upstream_port}/v1"
options.parallel_requests = 2048
"""


@dataclass
class Seen:
    """What happened, at seconds since the beginning."""

    rss: list[tuple[float, float]] = field(default_factory=list)
    answers: list[tuple[float, float, int]] = field(default_factory=list)
    """when asked, how long it took, status"""
    stalled_at: float = 0.0
    went_on_at: float = 0.0


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long (default 600)")
    parser.add_argument("--stall", type=float, default=20.0, help="of it stalled (default 20)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="linarite-soak-") as folder:
        seen = asyncio.run(measure(Path(folder), chosen.seconds, chosen.stall))
    print(shown(seen, chosen.seconds))
    return 0


async def measure(folder: Path, lasts_s: float, stall_s: float) -> Seen:
    """Start everything, and let it run."""
    upstream = FakeRow()
    await upstream.start(folder, 0, os.sched_getaffinity(0))
    (folder / "store").mkdir()
    with running_store(folder / "store") as store:
        port = upstream.target.port
        config = CONFIG.format(store=store.url, model=MODEL, upstream_port=port)
        started = launch(folder / "linarite", config)
        try:
            target = await ready_target(folder / "linarite", started, MODEL)
            return await _run(started, target, store, (lasts_s, stall_s))
        finally:
            started.stop()
            upstream.stop()


async def _run(
    started: Started, target: Target, store: Store, times_s: tuple[float, float]
) -> Seen:
    lasts_s, stall_s = times_s
    seen, began = Seen(), time.monotonic()

    async def ask(client: httpx.AsyncClient) -> None:
        while (asked := time.monotonic() - began) < lasts_s:
            answer = await client.post(target.path, json=BODY)
            took = time.monotonic() - began - asked
            seen.answers.append((asked, took, answer.status_code))
            if answer.status_code != httpx.codes.OK:
                await asyncio.sleep(0.05)

    async def watch() -> None:
        while (now := time.monotonic() - began) < lasts_s:
            seen.rss.append((now, started.rss_bytes() / MIB))
            await asyncio.sleep(SAMPLE_S)

    async def disturb() -> None:
        await asyncio.sleep((lasts_s - stall_s) / 2)
        seen.stalled_at = time.monotonic() - began
        store.signal(signal.SIGSTOP)
        await asyncio.sleep(stall_s)
        store.signal(signal.SIGCONT)
        seen.went_on_at = time.monotonic() - began

    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{target.port}",
        headers=target.headers,
        limits=httpx.Limits(max_connections=CLIENTS),
        timeout=60,
        trust_env=False,
    ) as client:
        await asyncio.gather(watch(), disturb(), *(ask(client) for _ in range(CLIENTS)))
    return seen


def shown(seen: Seen, lasts_s: float) -> str:
    """As a table."""
    during = [each for each in seen.answers if _stalled(seen, each[0])]
    outside = Counter(status for at, _, status in seen.answers if not _stalled(seen, at))
    admitted = [at + took for at, took, status in seen.answers if status == httpx.codes.OK]
    again = min((at for at in admitted if at > seen.went_on_at), default=float("nan"))
    warm = [each for each in seen.rss if each[0] > lasts_s * WARM_UP]
    calm = [each for each in warm if not seen.stalled_at <= each[0] < seen.went_on_at + 5]
    refused = Counter(status for _, _, status in during)
    grows, error = slope(calm)
    rows = [
        ("requests admitted", number(outside[httpx.codes.OK] + refused[httpx.codes.OK])),
        ("answered otherwise while the ledger was there", number(_others(outside))),
        ("answered while it stood still", ", ".join(f"{n:,} x {s}" for s, n in refused.items())),
        ("the slowest of these, ms", milliseconds(max((took for _, took, _ in during), default=0))),
        ("first admitted again after, s", number(again - seen.went_on_at, 2)),
        ("memory at first, MiB", number(warm[0][1], 1)),
        ("memory at most, MiB", number(max(rss for _, rss in seen.rss), 1)),
        ("memory at last, MiB", number(seen.rss[-1][1], 1)),
        ("growth, MiB an hour", f"{grows * 3600:,.1f} ± {error * 3600:,.1f}"),
    ]
    stall_s = seen.went_on_at - seen.stalled_at
    title = f"{lasts_s:,.0f} s of load by {CLIENTS} clients, the ledger stalled for {stall_s:.0f} s"
    return table(title, ("", "measured"), rows)


def _stalled(seen: Seen, at: float) -> bool:
    return seen.stalled_at <= at < seen.went_on_at


def _others(statuses: Counter[int]) -> int:
    return sum(count for status, count in statuses.items() if status != httpx.codes.OK)


if __name__ == "__main__":
    sys.exit(main())

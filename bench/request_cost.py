"""What a request and a chunk cost in our own code alone: `python -m bench.request_cost`.

The whole server, but in one process, with clients and an upstream that are plain calls: see
`bench.in_process`. Told is the best of many slices of some 30 ms, in processor time of the event
loop's thread, so that other work on the machine matters little; of other threads (records, metrics,
audit) the mean.
What it leaves out is what sockets cost: `python -m bench --only gateway` measures that.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec
import uvloop

from bench.bare_gateway import BareGateway
from bench.cost_tree import CostTree
from bench.fake_upstream import MODEL
from bench.in_process import Clients, InProcess, MemoryUpstream
from bench.load.target import Target
from bench.rows.fake import PATH
from bench.rows.linarite import CONFIG, target_of
from bench.rows.linarite_governed import LinariteGovernedRow
from bench.rows.linarite_token import LinariteTokenRow, Signer
from bench.tables import number, table
from linarite.hosting.models.store import ModelStore
from linarite.main import GARBAGE_THRESHOLD, serving_content
from linarite.settings import load
from linarite.telemetry.logs import configure_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.web.exchange import Handler

CLIENTS = 64
REQUESTS = 320
CHUNKS = 30
"""of each client's stream"""
MICRO = 1e6


@dataclass
class Cost:
    """Processor µs of one request or chunk."""

    loop_us: float
    """of the thread that serves"""
    other_us: float
    """of all others"""


@dataclass
class Row:
    """A handler under measurement."""

    name: str
    clients: Clients
    upstream: MemoryUpstream
    target: Target


class Watch:
    """Processor time since it was made, by threads."""

    def __init__(self) -> None:
        self._loop_s, self._all_s = time.thread_time(), time.process_time()

    def cost(self, count: int) -> Cost:
        """Of each of so many."""
        loop_s = time.thread_time() - self._loop_s
        other_s = time.process_time() - self._all_s - loop_s
        return Cost(loop_s * MICRO / count, other_s * MICRO / count)


async def plain(row: Row) -> Cost:
    """One slice of plain answers."""
    request = row.target.plain()
    watch = Watch()
    await row.clients.ask(request, REQUESTS)
    return watch.cost(REQUESTS)


async def streamed(row: Row) -> Cost:
    """One slice of streams, without their beginnings and ends."""
    await row.clients.begin(row.target.stream(20, CHUNKS))
    watch = Watch()
    for _ in range(CHUNKS):
        written = row.clients.written(CLIENTS)
        row.upstream.say()
        await written
    cost = watch.cost(CHUNKS * CLIENTS)
    written = row.clients.written(CLIENTS)
    row.upstream.end()
    await written
    return cost


async def bare(folder: Path, stack: AsyncExitStack) -> Row:
    """Our server and our client, and nothing between them."""
    del folder, stack
    upstream = MemoryUpstream()

    async def connect(factory: Callable[[], asyncio.Protocol]) -> asyncio.Protocol:
        protocol = factory()
        upstream.connected(protocol)
        return protocol

    gateway = BareGateway(connect, "127.0.0.1")
    return _row("bare", gateway, upstream, Target(80, PATH, MODEL))


async def by_key(folder: Path, stack: AsyncExitStack) -> Row:
    """As people run it."""
    return await _linarite("key", stack, folder, CONFIG.format(model=MODEL, upstream_port=1))


async def by_token(folder: Path, stack: AsyncExitStack) -> Row:
    """With a token and its role."""
    return await _with_token("token", stack, folder, LinariteTokenRow())


async def governed(folder: Path, stack: AsyncExitStack) -> Row:
    """With everything on that may govern a call."""
    return await _with_token("governed", stack, folder, LinariteGovernedRow())


LOADS = (plain, streamed)
ROWS = {"bare": bare, "key": by_key, "token": by_token, "governed": governed}


async def _with_token(name: str, stack: AsyncExitStack, home: Path, like: LinariteTokenRow) -> Row:
    signer = Signer(home / "keys.json")
    config = CONFIG.format(model=MODEL, upstream_port=1) + signer.settings
    row = await _linarite(name, stack, home, like.configured(config, home), like)
    row.target = replace(row.target, headers=signer.headers())
    return row


async def _linarite(
    name: str,
    stack: AsyncExitStack,
    home: Path,
    config: str,
    like: LinariteTokenRow | None = None,
) -> Row:
    file = home / "bench.toml"
    file.write_text(config, encoding="utf-8")
    loaded = load(file, {"home": str(home), "server.port": 0})
    server = InProcess(loaded, ModelStore(home / "models"), [])
    await server.start()
    stack.push_async_callback(server.stop)
    await server.settled()
    serving = serving_content(server)
    if like is not None:
        like.serving = msgspec.to_builtins(serving)
        await asyncio.to_thread(like.prepare)
    target = target_of(serving.endpoint, serving.api_key, MODEL)
    return _row(name, server.edge, server.upstream, target)


def _row(name: str, handler: Handler, upstream: MemoryUpstream, target: Target) -> Row:
    return Row(name, Clients(handler, CLIENTS), upstream, target)


async def measure(rows: list[Row], rounds: int) -> None:
    """Measure in turns, and print."""
    seen: dict[tuple[str, str], list[Cost]] = {}
    for _ in range(rounds):
        for row in rows:
            for kind in LOADS:
                cost = await kind(row)
                seen.setdefault((row.name, kind.__name__), []).append(cost)
    lines = [
        (row.name, *(each for kind in LOADS for each in cells(seen[row.name, kind.__name__])))
        for row in rows
    ]
    heads = ("", "µs a request", "other threads", "µs a chunk", "other threads")
    print(table(f"{CLIENTS} clients, the best of {rounds} slices", heads, lines, ""))


def cells(costs: Sequence[Cost]) -> tuple[str, str]:
    """A row's figures. Other threads work in batches: only a mean tells what they do."""
    loop_us = min(cost.loop_us for cost in costs)
    other_us = sum(cost.other_us for cost in costs) / len(costs)
    return number(loop_us, 1), number(other_us, 1)


async def show_trees(rows: list[Row], rounds: int) -> None:
    """Print what calls what, in µs of the thread that serves."""
    for row in rows:
        for kind in LOADS:
            tree = CostTree()
            tree.start()
            costs = [await kind(row) for _ in range(rounds)]
            tree.stop()
            print(f"{row.name}, {kind.__name__}")
            print(*tree.lines(min(cost.loop_us for cost in costs)), sep="\n")


async def run(names: list[str], rounds: int, *, tree: bool) -> None:
    """Start what is to be measured, measure, and stop."""
    sys.set_asyncgen_hooks(firstiter=None)
    configure_logs("auto", "error", sys.stderr)
    async with AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="linarite-bench-")))
        rows: list[Row] = []
        for name in names:
            (scratch / name).mkdir()
            rows.append(await ROWS[name](scratch / name, stack))
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE_THRESHOLD, 20, 20)
        await (show_trees if tree else measure)(rows, rounds)
        for row in rows:
            assert not row.clients.wrong, f"{row.clients.wrong} wrong answers of {row.name}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.request_cost", description=__doc__)
    parser.add_argument("--rows", default=",".join(ROWS), help=f"some of {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--tree", action="store_true", help="what calls what, and what it costs")
    given = parser.parse_args()
    uvloop.run(run(given.rows.split(","), given.rounds, tree=given.tree))


if __name__ == "__main__":
    main()

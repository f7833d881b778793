"""What Linarite takes from a real engine's speed: the same prompts through it and straight."""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bench.load.plain import until_good
from bench.load.streams import StreamConnection
from bench.load.target import Target
from bench.peers import Unavailable
from bench.processes import start, until_listening
from bench.results import EngineCell, Measured
from bench.rows.fake import PATH
from bench.rows.linarite import launch, ready_target
from bench.rows.row import free_port
from bench.statistics_of import median_bounds, median_of, percentile, ratio
from bench.tables import NOTHING, milliseconds, number, table
from linarite.domain.errors import LinariteError
from linarite.hosting.models.store import ModelStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.options import EnginePlan
    from bench.processes import Started

MODELS = Path(__file__).parent.parent / ".cache" / "models-home" / "models"
"""where the tests keep the real models they download"""
SLOTS = 8
CONTEXT = 2048
ENVIRONMENT = {"GOMP_SPINCOUNT": "1000"}
"""how Linarite has the engine's threads wait for each other, unless told otherwise"""
PATIENCE_S = 120.0
MIB = 2**20
COMPLETION = re.compile(rb'"completion_tokens":\s*(\d+)')

CONFIG = """\
[[deployments]]
name = "{model}"
model = "{model}"

[instances."{model}"]
engine = "{engine}"
options.parallel_requests = {slots}
options.context_tokens = {context}
"""


@dataclass
class Ran:
    """What one cell of the table saw."""

    tokens: int
    seconds: float
    first_token_s: list[float]


class TokenStream(StreamConnection):
    """A stream whose bytes are kept, for the token count at its end."""

    def __init__(self, request: bytes) -> None:
        super().__init__(request)
        self.received = bytearray()

    def data_received(self, data: bytes) -> None:
        """Keep and count."""
        self.received += data
        super().data_received(data)

    def tokens(self) -> int:
        """As the engine counted them. Raises Unavailable when the stream was not whole."""
        counts = COMPLETION.findall(self.received)
        if not self.whole or not counts:
            shown = bytes(self.received[-300:]).decode(errors="replace")
            raise Unavailable(f"a stream of the engine was not whole; it ends: {shown}")
        return int(counts[-1])


class Side(Protocol):
    """What is asked in rounds: Linarite, or an engine without it."""

    async def run(self, concurrency: int, plan: EnginePlan, label: str) -> Ran:
        """`concurrency` clients, each asking `requests_per_slot` times. Raises Unavailable."""
        ...


async def measure(
    scratch: Path, plan: EnginePlan, engine: str, tell: Callable[[str], None]
) -> list[EngineCell]:
    """Interleaved rounds; who comes first changes from round to round. Raises Unavailable."""
    store = ModelStore(MODELS)
    try:
        tell(f"engine tax: {plan.model} on {engine}")
        store.add_from_catalogue(plan.model)
    except LinariteError as problem:
        raise Unavailable(problem.message) from None
    folder = scratch / engine
    folder.mkdir()
    with ExitStack() as stack:
        server, through = await _linarite(folder, engine, plan.model, stack)
        straight = await _BARE[engine](folder, store.verified_path(plan.model), stack)
        cells = [
            EngineCell(concurrency, Measured("through Linarite"), Measured("bare engine"), engine)
            for concurrency in plan.concurrency
        ]
        for side in (through, straight):
            await side.run(1, plan, "warm-up")
        for at in range(plan.rounds):
            for cell in cells:
                tell(f"{engine}, round {at + 1} of {plan.rounds}: {cell.concurrency} at once")
                sides = [(through, cell.through), (straight, cell.straight)]
                for side, seen in sides if at % 2 == 0 else reversed(sides):
                    label = f"Round {at}, {cell.concurrency} clients"
                    ran = await side.run(cell.concurrency, plan, label)
                    seen.note(
                        tokens_per_s=ran.tokens / ran.seconds,
                        first_token_p50_s=percentile(ran.first_token_s, 0.5),
                    )
                cell.through.note(
                    gateway_bytes=server.rss_bytes(), engine_bytes=server.children_rss_bytes()
                )
        return cells


async def _linarite(
    folder: Path, engine: str, model: str, stack: ExitStack
) -> tuple[Started, Side]:
    home = folder / "home"
    home.mkdir()
    (home / "models").symlink_to(MODELS)
    config = CONFIG.format(model=model, engine=engine, slots=SLOTS, context=CONTEXT)
    server = launch(home, config)
    stack.callback(server.stop)
    target = await ready_target(home, server, model)
    return server, HttpSide(replace(target, takes_bias=engine == "llamacpp"))


async def _bare_llamacpp(folder: Path, model: Path, stack: ExitStack) -> Side:
    port, engine = start_bare("bench.bare_engine", folder, model, stack)
    await until_listening(port, engine, 60)
    target = Target(port, PATH, model.stem)
    await until_good(target, 60)  # it listens before it has loaded the model
    return HttpSide(target)


async def _bare_openvino(folder: Path, model: Path, stack: ExitStack) -> Side:
    port, engine = start_bare("bench.bare_openvino", folder, model, stack)
    await until_listening(port, engine, 120)
    return LineSide(port)


_BARE = {"llamacpp": _bare_llamacpp, "openvino": _bare_openvino}
_BARE_TITLES = {
    "llamacpp": "xllamacpp's own server",
    "openvino": "the library's own batch in a loop, without any server",
}
ENGINES = tuple(_BARE)


def start_bare(
    module: str,
    folder: Path,
    model: Path,
    stack: ExitStack,
    context: int = CONTEXT,
    *kind: str,
) -> tuple[int, Started]:
    """Start an engine without Linarite, as `module` has it; its port, and its process."""
    port = free_port()
    threads = len(os.sched_getaffinity(0))
    numbers = [str(port), str(SLOTS), str(context), str(threads)]
    command = [sys.executable, "-m", module, str(model), *numbers, *kind]
    engine = start(command, folder / "bare.log", environment=ENVIRONMENT)
    stack.callback(engine.stop)
    return port, engine


class HttpSide:
    """An OpenAI-compatible endpoint."""

    def __init__(self, target: Target) -> None:
        self._target = target

    async def run(self, concurrency: int, plan: EnginePlan, label: str) -> Ran:
        """Ask it as clients do, streaming."""
        return await _run(self._target, concurrency, plan, label)


class LineSide:
    """The batch of `bench.bare_openvino`, which plays the clients itself."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def run(self, concurrency: int, plan: EnginePlan, label: str) -> Ran:
        """Hand it a whole round."""
        asked = Target(self._port, PATH, plan.model)
        clients = [
            [
                asked.messages(f"{label}, client {at}, request {request}. ")
                for request in range(plan.requests_per_slot)
            ]
            for at in range(concurrency)
        ]
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(json.dumps({"clients": clients, "tokens": plan.tokens}).encode() + b"\n")
            async with asyncio.timeout(PATIENCE_S):
                line = await reader.readline()
        except TimeoutError:
            raise Unavailable(f"a round took longer than {PATIENCE_S:g} s") from None
        finally:
            writer.close()
        if not line:
            raise Unavailable("the bare openvino engine ended")
        seen = json.loads(line)
        return Ran(seen["tokens"], seen["seconds"], seen["first"])


async def _run(target: Target, concurrency: int, plan: EnginePlan, label: str) -> Ran:
    """`concurrency` clients, each asking `requests_per_slot` times."""
    began = time.perf_counter()
    slots = [_client(target, f"{label}, client {at}", plan) for at in range(concurrency)]
    streams = [stream for done in await asyncio.gather(*slots) for stream in done]
    seconds = max(stream.last_at for stream in streams) - began
    return Ran(
        tokens=sum(stream.tokens() for stream in streams),
        seconds=seconds,
        first_token_s=[stream.first_at - stream.sent_at for stream in streams],
    )


async def _client(target: Target, label: str, plan: EnginePlan) -> list[TokenStream]:
    streams: list[TokenStream] = []
    for at in range(plan.requests_per_slot):
        request = target.words(f"{label}, request {at}. ", plan.tokens)
        _, stream = await asyncio.get_running_loop().create_connection(
            lambda request=request: TokenStream(request), "127.0.0.1", target.port
        )
        stream.send()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await stream.ended
        except TimeoutError:
            raise Unavailable(f"a stream took longer than {PATIENCE_S:g} s") from None
        finally:
            stream.close()
        streams.append(stream)
    return streams


def engine_table(cells: Sequence[EngineCell], plan: EnginePlan) -> str:
    """Tokens a second and time to the first token, side by side."""
    rows: list[tuple[str, ...]] = []
    for cell in cells:
        speeds = [median_of(side.of("tokens_per_s")) for side in (cell.straight, cell.through)]
        firsts = [median_of(side.of("first_token_p50_s")) for side in (cell.straight, cell.through)]
        rows.append(
            (
                str(cell.concurrency),
                *(number(speed, 1) for speed in speeds),
                number(tax(cell) * 100, 1, " %"),
                _bounds(cell),
                *(milliseconds(first) for first in firsts),
                milliseconds(firsts[1] - firsts[0]),
                *(
                    number(max(cell.through.of(metric)) / MIB, 0)
                    for metric in ("gateway_bytes", "engine_bytes")
                ),
            )
        )
    return table(
        f"Engine tax: {plan.model} on {cells[0].engine}, {plan.tokens} tokens a reply",
        (
            "concurrent requests",
            "tokens/s, bare engine",
            "through Linarite",
            "tax",
            "in 19 of 20 cases",
            "first token ms, bare engine",
            "through Linarite",
            "added",
            "MiB, gateway",
            "its engine",
        ),
        rows,
        f"The bare engine is {_BARE_TITLES[cells[0].engine]}, with the same parameters. The tax "
        "is the median over the rounds of 1 less the ratio of the two speeds in the same round.",
    )


def tax(cell: EngineCell) -> float:
    """Share of the bare engine's speed that is lost; negative where Linarite was faster."""
    return median_of(_taxes(cell))


def _taxes(cell: EngineCell) -> list[float]:
    """Of each round."""
    pairs = zip(cell.through.of("tokens_per_s"), cell.straight.of("tokens_per_s"), strict=True)
    return [1 - ratio(mine, its) for mine, its in pairs]


def _bounds(cell: EngineCell) -> str:
    low, high = median_bounds(_taxes(cell))
    return NOTHING if math.isnan(low) else f"{low * 100:.1f} to {high * 100:.1f} %"

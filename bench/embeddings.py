"""`python -m bench.embeddings`: what Linarite takes from a real engine's speed at vectors.

The same inputs, through Linarite and straight at the bare engine, by as many clients as it has
slots.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bench.engine_tax import MODELS, SLOTS, start_bare
from bench.load.target import Target
from bench.peers import Unavailable
from bench.processes import until_listening
from bench.results import Measured
from bench.rows.linarite import launch, ready_target
from bench.statistics_of import median_of
from bench.tables import milliseconds, number, table
from linarite.hosting.models.catalogue import MULTILINGUAL_E5
from linarite.hosting.models.store import ModelStore

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTEXT = 512
CONFIG = f"""\
[[deployments]]
name = "vectors"
model = "{MULTILINGUAL_E5.name}"

[instances."{MULTILINGUAL_E5.name}"]
options.parallel_requests = {SLOTS}
options.context_tokens = {CONTEXT}
"""
PATH = "/v1/embeddings"
INPUTS = (1, 16)
"""of a request, in each of the table's lines"""
PATIENCE_S = 120.0
BARE = "bare engine"
THROUGH = "through Linarite"


def text(at: int) -> str:
    """An input like no other."""
    return (
        f"Passage {at}: the number {at * 7919 % 1000} and what is said of it in a sentence or two."
    )


async def ask(target: Target, label: int, inputs: int, requests: int) -> tuple[float, list[float]]:
    """Inputs a second, and how long each request took, in seconds. Raises Unavailable."""
    left = iter(range(label * requests, (label + 1) * requests))
    took_s: list[float] = []
    address = f"http://127.0.0.1:{target.port}"
    async with httpx.AsyncClient(headers=target.headers, timeout=PATIENCE_S) as http:

        async def client() -> None:
            for at in left:
                texts = [text(at * inputs + each) for each in range(inputs)]
                body = {"model": target.model, "input": texts, "encoding_format": "base64"}
                sent_at = time.perf_counter()
                answer = await http.post(f"{address}{target.path}", json=body)
                took_s.append(time.perf_counter() - sent_at)
                if answer.status_code != httpx.codes.OK or len(answer.json()["data"]) != inputs:
                    raise Unavailable(f"{target.path} answered {answer.text[:200]}")

        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(SLOTS)))
        return requests * inputs / (time.perf_counter() - began), took_s


async def measure(scratch: Path, rounds: int, inputs_each: int) -> Mapping[int, list[Measured]]:
    """For each number of inputs the bare engine and Linarite, in rounds. Raises Unavailable."""
    store = ModelStore(MODELS)
    store.add_from_catalogue(MULTILINGUAL_E5.name)
    home = scratch / "home"
    home.mkdir()
    (home / "models").symlink_to(MODELS)
    with ExitStack() as stack:
        server = launch(home, CONFIG)
        stack.callback(server.stop)
        chats = await ready_target(home, server, "vectors")
        through = Target(chats.port, f"/openai{PATH}", "vectors", chats.headers)
        model = store.verified_path(MULTILINGUAL_E5.name)
        port, engine = start_bare("bench.bare_engine", scratch, model, stack, CONTEXT, "vectors")
        await until_listening(port, engine, 60)
        straight = Target(port, PATH, MULTILINGUAL_E5.name)
        await _until_loaded(straight)
        seen = {inputs: [Measured(BARE), Measured(THROUGH)] for inputs in INPUTS}
        for target in (straight, through):
            await ask(target, rounds, 1, SLOTS)
        for at in range(rounds):
            for inputs, (bare, mine) in seen.items():
                sides = [(straight, bare), (through, mine)]
                for target, noted in sides if at % 2 else reversed(sides):
                    speed, took_s = await ask(target, at, inputs, max(SLOTS, inputs_each // inputs))
                    noted.note(inputs_per_s=speed, request_s=median_of(took_s))
        return seen


async def _until_loaded(target: Target) -> None:
    """It listens before it has loaded the model. Raises Unavailable."""
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        try:
            await ask(target, 0, 1, 1)
        except Unavailable:
            if time.monotonic() > give_up_at:
                raise
            await asyncio.sleep(0.1)
        else:
            return


def shown(seen: Mapping[int, list[Measured]]) -> str:
    """The table."""
    rows: list[tuple[str, ...]] = []
    for inputs, (bare, mine) in seen.items():
        pairs = zip(mine.of("inputs_per_s"), bare.of("inputs_per_s"), strict=True)
        tax = median_of(1 - its / bares for its, bares in pairs)
        rows.append(
            (
                str(inputs),
                *(number(median_of(side.of("inputs_per_s")), 0) for side in (bare, mine)),
                number(tax * 100, 1, " %"),
                *(milliseconds(median_of(side.of("request_s"))) for side in (bare, mine)),
            )
        )
    return table(
        f"Embeddings: {MULTILINGUAL_E5.name}, {SLOTS} clients",
        (
            "inputs a request",
            "inputs/s, bare engine",
            "through Linarite",
            "tax",
            "ms a request, bare engine",
            "through Linarite",
        ),
        rows,
        "The bare engine is xllamacpp's own server, with the same parameters. The tax is the "
        "median over the rounds of 1 less the ratio of the two speeds in the same round.",
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.embeddings")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--inputs", type=int, default=512, help="of each side in each round")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="linarite-bench-") as scratch:
        seen = asyncio.run(measure(Path(scratch), asked.rounds, asked.inputs))
    print(shown(seen))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

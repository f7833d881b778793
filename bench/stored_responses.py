"""`python -m bench.stored_responses`: what keeping a response costs.

The same conversation, asked for as a chat completion, as a response that is not kept, and as one
that is, of a model that answers at once. Each row in turn, round after round, so that what else
the machine does falls on all of them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from bench.load.plain import closed_loop, warm_up
from bench.load.target import Target
from bench.peers import Unavailable
from bench.results import Measured
from bench.rows.linarite import launch, ready_target
from bench.statistics_of import median_of
from bench.tables import number, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.processes import Started

CONFIG = """\
[[deployments]]
name = "gpt-4o"
model = "gpt-4o"
instance = "simulated"

[instances.simulated]
engine = "simulator"
model = "gpt-4o"
options.parallel_requests = 256
"""
MODEL = "gpt-4o"
TOKENS = 64
KIB = 1024
CHAT, UNKEPT, KEPT = "chat completion", "response, store false", "response, store true"


@dataclass(frozen=True)
class Responses(Target):
    """The operation of responses; they have the messages of the chat as their input."""

    store: bool = False

    def plain(self, max_tokens: int = TOKENS) -> bytes:
        """See Target."""
        return self.asking(
            {
                "input": self.messages(""),
                "max_output_tokens": max_tokens,
                "temperature": 0.7,
                "store": self.store,
            }
        )


async def measure(
    scratch: Path, *, rounds: int, seconds: float, connections: int
) -> dict[str, Measured]:
    """Requests a second, CPU and disk of each row, in rounds. Raises Unavailable."""
    home = scratch / "home"
    with ExitStack() as stack:
        server = launch(home, CONFIG)
        stack.callback(server.stop)
        chat = await ready_target(home, server, MODEL)
        port = int(json.loads((home / "ready.json").read_text())["endpoint"].rpartition(":")[2])
        path = "/openai/v1/responses"
        rows: dict[str, Target] = {
            CHAT: chat,
            UNKEPT: Responses(port, path, MODEL, chat.headers),
            KEPT: Responses(port, path, MODEL, chat.headers, store=True),
        }
        measured = {name: Measured(name) for name in rows}
        for target in rows.values():
            await warm_up(target, 200)
        for _ in range(rounds):
            for name, target in rows.items():
                noted = await _one(server, target, home, seconds, connections)
                measured[name].note(**noted)
        return measured


async def _one(
    server: Started, target: Target, home: Path, seconds: float, connections: int
) -> dict[str, float]:
    before = _stored_bytes(home)
    closed = await closed_loop(target, server.cpu_s, connections=connections, seconds=seconds)
    if closed.errors or not closed.requests:
        raise Unavailable(f"{closed.errors} of {closed.requests + closed.errors} were refused")
    return {
        "rate": closed.requests / closed.seconds,
        "cpu_us": closed.cpu_s / closed.requests * 1e6,
        "wait_ms": connections * closed.seconds / closed.requests * 1e3,
        "disk_kib": (_stored_bytes(home) - before) / closed.requests / KIB,
    }


def _stored_bytes(home: Path) -> int:
    return sum(file.stat().st_size for file in home.glob("objects.db"))


def shown(measured: Mapping[str, Measured], connections: int, rounds: int) -> str:
    """The table."""
    head = ("", "requests/s", "ms each", "CPU µs each", "CPU, of a chat's", "KiB on disk")
    chat_us = median_of(measured[CHAT].of("cpu_us"))
    rows: list[Sequence[str]] = []
    for name, one in measured.items():
        cpu_us = median_of(one.of("cpu_us"))
        kept = number(max(0.0, median_of(one.of("disk_kib"))), 1) if name == KEPT else "-"
        rows.append(
            (
                name,
                number(median_of(one.of("rate"))),
                number(median_of(one.of("wait_ms")), 1),
                number(cpu_us),
                number(cpu_us / chat_us, 2, " x"),
                kept,
            )
        )
    return table(
        f"Stored responses: {connections} connections, a simulated model, at most {TOKENS} tokens",
        head,
        rows,
        f"Medians of {rounds} rounds, each row in turn. What is on disk is what `objects.db` has "
        "grown by; some of it is still in its journal.",
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.stored_responses")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--connections", type=int, default=16)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="linarite-bench-") as scratch:
        measured = uvloop.run(
            measure(
                Path(scratch),
                rounds=asked.rounds,
                seconds=asked.seconds,
                connections=asked.connections,
            )
        )
    print(shown(measured, asked.connections, asked.rounds))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""`python -m bench.batches`: what a batch takes from a real engine's speed.

The same requests, once as a batch through Linarite, once to the bare engine by as many clients as
it has slots. The batch's time is all of it: from the request that makes it until its files are
there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bench.engine_tax import CONTEXT, MODELS, SLOTS, start_bare
from bench.load.plain import until_good
from bench.load.target import Target
from bench.peers import Unavailable
from bench.processes import until_listening
from bench.rows.fake import PATH
from bench.rows.linarite import launch, ready_target
from bench.statistics_of import median_of
from bench.tables import number, table
from linarite.hosting.models.catalogue import QWEN_CODER_SMALL, SMOLLM2
from linarite.hosting.models.store import ModelStore

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIG = """\
[[deployments]]
name = "later"
model = "{model}"
sku = "GlobalBatch"

[instances."{model}"]
options.parallel_requests = {slots}
options.context_tokens = {context}
"""
SIMULATED = """\
[[deployments]]
name = "later"
model = "gpt-4o"
sku = "GlobalBatch"
instance = "simulated"

[instances.simulated]
engine = "simulator"
model = "gpt-4o"
"""
TOKENS = 32
MIB = 2**20
POLL_S = 0.5
"""fifty looks a second took a tenth of the machine from what was measured"""
PATIENCE_S = 600.0
CHAT = "/v1/chat/completions"


def body(model: str, at: int) -> dict[str, object]:
    """A request like no other."""
    question = f"Request {at}: tell me something about the number {at * 7919 % 1000}."
    messages = [{"role": "user", "content": question}]
    return {"model": model, "messages": messages, "max_tokens": TOKENS, "temperature": 0}


async def straight(port: int, model: str, round_at: int, count: int) -> float:
    """Lines a second, by a client for each slot."""
    left = iter(range(round_at * count, (round_at + 1) * count))

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as http:

        async def client() -> None:
            for at in left:
                answer = await http.post(PATH, json=body(model, at))
                if answer.status_code != httpx.codes.OK:
                    raise Unavailable(f"the bare engine answered {answer.text[:200]}")

        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(SLOTS)))
        return count / (time.perf_counter() - began)


async def through(endpoint: str, key: str, round_at: int, count: int) -> float:
    """Lines a second, as a batch."""
    lines = [
        json.dumps(
            {
                "custom_id": f"{at}",
                "method": "POST",
                "url": CHAT,
                "body": body("later", at),
            }
        )
        for at in range(round_at * count, (round_at + 1) * count)
    ]
    base = f"{endpoint}/openai/v1"
    async with httpx.AsyncClient(headers={"api-key": key}, timeout=PATIENCE_S) as http:
        file = {"file": ("asked.jsonl", "\n".join(lines).encode())}
        stored = await http.post(f"{base}/files", data={"purpose": "batch"}, files=file)
        asked = {
            "input_file_id": stored.json()["id"],
            "endpoint": CHAT,
            "completion_window": "24h",
        }
        began = time.perf_counter()
        batch = (await http.post(f"{base}/batches", json=asked)).json()
        while batch["status"] in {"validating", "in_progress", "finalizing"}:
            await asyncio.sleep(POLL_S)
            batch = (await http.get(f"{base}/batches/{batch['id']}")).json()
        seconds = time.perf_counter() - began
    if batch["request_counts"]["completed"] != count:
        raise Unavailable(f"the batch ended as {batch}")
    return count / seconds


async def measure(
    scratch: Path, name: str, rounds: int, count: int
) -> tuple[list[float], list[float]]:
    """Lines a second of the bare engine and of batches, in rounds."""
    store = ModelStore(MODELS)
    store.add_from_catalogue(name)
    home = scratch / "home"
    home.mkdir()
    (home / "models").symlink_to(MODELS)
    with ExitStack() as stack:
        server = launch(home, CONFIG.format(model=name, slots=SLOTS, context=CONTEXT))
        stack.callback(server.stop)
        await ready_target(home, server, "later")
        ready = json.loads((home / "ready.json").read_text())
        model = store.verified_path(name)
        port, engine = start_bare("bench.bare_engine", scratch, model, stack)
        await until_listening(port, engine, 60)
        await until_good(Target(port, PATH, name), 60)
        address = ready["endpoint"], ready["api_key"]
        bare: list[float] = []
        batches: list[float] = []
        await straight(port, name, rounds, SLOTS)
        await through(*address, rounds, SLOTS)
        for at in range(rounds):
            bare.append(await straight(port, name, at, count))
            batches.append(await through(*address, at, count))
        return bare, batches


async def simulated(scratch: Path, count: int) -> str:
    """What the server itself takes for a line: its model answers at once."""
    home = scratch / "simulated"
    with ExitStack() as stack:
        server = launch(home, SIMULATED)
        stack.callback(server.stop)
        await ready_target(home, server, "later")
        ready = json.loads((home / "ready.json").read_text())
        before, began_cpu_s = server.rss_bytes(), server.cpu_s()
        speed = await through(ready["endpoint"], ready["api_key"], 0, count)
        cells = (
            f"{count:,}",
            number(speed, 0),
            number((server.cpu_s() - began_cpu_s) / count * 1e6, 0),
            number((server.rss_bytes() - before) / MIB, 0),
        )
    head = ("lines", "lines/s", "CPU µs a line", "MiB more than before")
    return table("Batches on a simulated model", head, [cells])


def shown(name: str, bare: Sequence[float], batches: Sequence[float], count: int) -> str:
    """The table."""
    pairs = zip(batches, bare, strict=True)
    tax = median_of(1 - mine / its for mine, its in pairs)
    cells = (
        str(count),
        number(median_of(bare), 2),
        number(median_of(batches), 2),
        number(tax * 100, 1, " %"),
    )
    return table(
        f"Batches: {name}, {TOKENS} tokens a reply, {SLOTS} slots",
        ("lines", "lines/s, bare engine", "as a batch", "tax"),
        [cells],
        "The bare engine is xllamacpp's own server, asked by a client for each slot. The tax is "
        "the median over the rounds of 1 less the ratio of the two in the same round.",
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.batches")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=int, default=160)
    parser.add_argument(
        "--model", choices=(SMOLLM2.name, QWEN_CODER_SMALL.name), default=SMOLLM2.name
    )
    parser.add_argument("--simulated", type=int, default=0, help="so many lines, and no model")
    asked = parser.parse_args()
    if asked.simulated:
        with tempfile.TemporaryDirectory(prefix="linarite-bench-") as scratch:
            print(asyncio.run(simulated(Path(scratch), asked.simulated)))
        return 0
    with tempfile.TemporaryDirectory(prefix="linarite-bench-") as scratch:
        bare, batches = asyncio.run(measure(Path(scratch), asked.model, asked.rounds, asked.lines))
    print(shown(asked.model, bare, batches, asked.lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

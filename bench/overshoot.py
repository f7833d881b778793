"""`python -m bench.overshoot`: how far beyond its tokens a minute a deployment lets its clients go.

The same clients, in front of the same upstream, once through Linarite and once through LiteLLM's
proxy. For twenty seconds around the beginning of a minute of the clock they ask again and again,
and come back a little after each refusal. All of it lies within sixty seconds, so the answers may
have used one minute's tokens together.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bench.fake_upstream import MODEL
from bench.peers import Unavailable, litellm_binary
from bench.processes import start, until_listening
from bench.rows.fake import FakeRow
from bench.rows.linarite import launch, ready_target
from bench.rows.litellm import ENVIRONMENT, version_of
from bench.rows.row import KEY, free_port
from bench.tables import number, table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bench.processes import Started

LIMIT = 10_000
"""tokens a minute"""
CLIENTS = (1, 10, 100)
LASTS_S = 20.0
AFTER_REFUSAL_S = 0.1
ANSWER_TOKENS = 1000
BODY = {
    "messages": [{"role": "user", "content": f"after=500ms uses={ANSWER_TOKENS}"}],
    "max_tokens": ANSWER_TOKENS,
}
LINARITE = """\
[quota]
rates = "{rates}"

[instances.{model}]
engine = "upstream"
options.base_url = "http://127.0.0.1:{upstream_port}/v1"
options.parallel_requests = 2048
"""
DEPLOYMENT = """
[[deployments]]
name = "{name}"
model = "gpt-5"
instance = "{model}"
capacity = {capacity}
"""
LITELLM = """\
general_settings:
  master_key: {key}
router_settings:
  optional_pre_call_checks: ["enforce_model_rate_limits"]
  disable_cooldowns: true
litellm_settings:
  telemetry: false
  num_retries: 0
model_list:
"""
LITELLM_MODEL = """\
  - model_name: {name}
    litellm_params:
      model: openai/{model}
      api_base: http://127.0.0.1:{upstream_port}/v1
      api_key: none
      tpm: {limit}
"""


class Served:
    """A gateway that runs: where each number of clients asks."""

    def __init__(
        self, started: Started, port: int, path: Callable[[str], str], headers: Mapping[str, str]
    ) -> None:
        self.started = started
        self.url = f"http://127.0.0.1:{port}"
        self.path = path
        self.headers = headers


def main() -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="linarite-overshoot-") as folder:
        asyncio.run(measure(Path(folder)))
    return 0


async def measure(folder: Path) -> None:
    """Each gateway in turn."""
    upstream = FakeRow()
    await upstream.start(folder, 0, os.sched_getaffinity(0))
    port = upstream.target.port
    rows: list[list[str]] = []
    gateways: tuple[tuple[str, Callable[[Path, int], Awaitable[Served]]], ...] = (
        ("Linarite", lambda home, at: linarite(home, at, "exact")),
        ('Linarite, rates = "azure"', lambda home, at: linarite(home, at, "azure")),
        (_litellm_name(), litellm),
    )
    try:
        for number_of_row, (name, begin) in enumerate(gateways):
            home = folder / str(number_of_row)
            home.mkdir()
            print(f"{name} …", file=sys.stderr, flush=True)
            try:
                rows.append([name, *await used_through(await begin(home, port))])
            except Unavailable as problem:
                print(f"{name}: {problem}", file=sys.stderr)
    finally:
        upstream.stop()
    print(
        table(
            f"Tokens used within sixty seconds, of {LIMIT:,} allowed",
            ("", *(f"{count} client{'s' if count > 1 else ''}" for count in CLIENTS)),
            rows,
            f"Each request uses {ANSWER_TOKENS} tokens and those of its prompt, and takes half a "
            "second.",
        )
    )


async def linarite(home: Path, upstream_port: int, rates: str) -> Served:
    """A deployment for each number of clients."""
    config = LINARITE.format(rates=rates, model=MODEL, upstream_port=upstream_port)
    for count in CLIENTS:
        config += DEPLOYMENT.format(name=f"d{count}", model=MODEL, capacity=LIMIT // 1000)
    started = launch(home, config)
    target = await ready_target(home, started, f"d{CLIENTS[0]}")
    return Served(
        started,
        target.port,
        lambda name: f"/openai/deployments/{name}/chat/completions?api-version=2024-10-21",
        target.headers,
    )


async def litellm(home: Path, upstream_port: int) -> Served:
    """A model for each number of clients; its own check of limits is on."""
    config = LITELLM.format(key=KEY)
    for count in CLIENTS:
        config += LITELLM_MODEL.format(
            name=f"d{count}", model=MODEL, upstream_port=upstream_port, limit=LIMIT
        )
    (home / "config.yaml").write_text(config, encoding="utf-8")
    port = free_port()
    where = ["--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    started = start(
        [litellm_binary(), "--config", str(home / "config.yaml"), *where],
        home / "litellm.log",
        environment=ENVIRONMENT,
        folder=home,
    )
    await until_listening(port, started, 300)
    headers = {"authorization": f"Bearer {KEY}"}
    return Served(started, port, lambda _: "/v1/chat/completions", headers)


async def used_through(served: Served) -> Sequence[str]:
    """For each number of clients the tokens that their answers have used, and of the limit."""
    used: list[int] = []
    try:
        for count in CLIENTS:  # one after the other: a busy gateway keeps no other clients waiting
            await asyncio.sleep((60 - LASTS_S / 2 - time.time()) % 60)
            used.append(await load(served, count))
    finally:
        served.started.stop()
    return [f"{tokens:,} ({number(tokens / LIMIT * 100)} %)" for tokens in used]


async def load(served: Served, count: int) -> int:
    """Tokens of all answers to so many clients."""
    name = f"d{count}"
    until = time.monotonic() + LASTS_S
    used = 0
    limits = httpx.Limits(max_connections=count)

    async def ask(client: httpx.AsyncClient) -> None:
        nonlocal used
        while time.monotonic() < until:
            answer = await client.post(served.path(name), json=BODY | {"model": name})
            if answer.status_code == httpx.codes.OK:
                used += answer.json()["usage"]["total_tokens"]
            else:
                await asyncio.sleep(AFTER_REFUSAL_S)

    async with httpx.AsyncClient(
        base_url=served.url, headers=served.headers, limits=limits, timeout=30, trust_env=False
    ) as client:
        await asyncio.gather(*(ask(client) for _ in range(count)))
    return used


def _litellm_name() -> str:
    with suppress(Unavailable):
        return f"LiteLLM {version_of(litellm_binary())}"
    return "LiteLLM"


if __name__ == "__main__":
    raise SystemExit(main())

"""Usage is kept exactly once, whatever moment the server is killed at."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import threading
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.serving import SIMULATED, start_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server

pytestmark = pytest.mark.anyio

KILLS = 3
CLIENTS = 8
"""few enough that they keep up: the server must be amid streams when it is killed"""
PRICED = """
[[prices.models]]
model = "gpt-4o"
input = 2
output = 8
"""
PACED = PRICED + SIMULATED.replace("seed = 1", "seed = 1, tokens_per_second = 100, jitter = 0.5")
TOKENS = "prompt_tokens, completion_tokens, cost_nano, finish, caller_key, streamed"


@dataclass
class Told:
    """What clients were told, by request id."""

    pieces: dict[str, int] = field(default_factory=dict)
    """of streams: chunks with text"""
    whole: dict[str, tuple[int, int]] = field(default_factory=dict)
    """prompt and completion tokens, where the answer said them"""


async def keep_asking(client: httpx.AsyncClient, told: Told, chance: random.Random) -> None:
    """Stream, ask plainly, or leave in the middle, until the server is gone."""
    with suppress(httpx.TransportError):
        while True:
            stream = chance.random() < 0.7
            body = {
                "model": "gpt-4o",
                "messages": [{"role": "user", "content": f"tell me {chance.random()}"}],
                "max_tokens": chance.randrange(1, 40),
            }
            if stream:
                body |= {"stream": True, "stream_options": {"include_usage": True}}
            async with client.stream("POST", "/openai/v1/chat/completions", json=body) as answer:
                assert answer.status_code == 200
                request_id = answer.headers["apim-request-id"]
                told.pieces[request_id] = 0
                if not stream:
                    note(told, request_id, json.loads(await answer.aread()))
                    continue
                leaves_after = chance.choice((3, 10**9, 10**9))
                async for line in answer.aiter_lines():
                    if line.startswith("data: {"):
                        note(told, request_id, json.loads(line[6:]))
                    if told.pieces[request_id] >= leaves_after:
                        break


def note(told: Told, request_id: str, said: dict[str, object]) -> None:
    """Count a chunk with text, and take the usage where it is told."""
    choices, usage = said["choices"], said.get("usage")
    assert isinstance(choices, list)
    if any(choice.get("delta", {}).get("content") for choice in choices):
        told.pieces[request_id] += 1
    if isinstance(usage, dict):
        told.whole[request_id] = (usage["prompt_tokens"], usage["completion_tokens"])


async def until_killed(server: Server, told: Told, chance: random.Random) -> None:
    """A load of many clients, and the end of the server at any moment of it."""
    headers = {"api-key": server.key}
    async with httpx.AsyncClient(base_url=server.endpoint, headers=headers) as client:
        killer = threading.Timer(0.7 + chance.random() / 2, server.process.kill)
        killer.start()  # a thread: whatever the clients are at
        await asyncio.gather(*(keep_asking(client, told, chance) for _ in range(CLIENTS)))
    server.process.wait(60)


def rows(home: Path, query: str) -> list[tuple]:
    """Of `requests.db`."""
    with closing(sqlite3.connect(home / "requests.db")) as database:
        return database.execute(query).fetchall()


async def test_usage_survives_being_killed(tmp_path: Path) -> None:
    """Each request that a client knows of is there once, with no fewer tokens than it was told."""
    told, chance = Told(), random.Random(7)
    for _ in range(KILLS):
        await until_killed(start_server(tmp_path, PACED), told, chance)
    server = start_server(tmp_path, PACED)
    server.stop()
    assert "Traceback" not in server.said
    kept = {
        row[0]: row[1:]
        for row in rows(
            tmp_path,
            f"SELECT request_id, {TOKENS} FROM "  # noqa: S608 - names of our own
            "request_records",
        )
    }
    assert len(told.pieces) > 30
    assert set(told.pieces) <= set(kept)
    for request_id, pieces in told.pieces.items():
        prompt, completion, cost, _, key, _ = kept[request_id]
        assert completion >= pieces, request_id
        assert cost == prompt * 2_000 + completion * 8_000
        assert key == "key1"
        if request_id in told.whole:
            assert (prompt, completion) == told.whole[request_id]
    endings = {row[3] for row in kept.values()}
    assert {"completed", "client_left", "server_died"} <= endings
    ((count, ids),) = rows(
        tmp_path, "SELECT count(*), count(DISTINCT request_id) FROM request_records"
    )
    assert count == ids
    (sums,) = rows(
        tmp_path,
        "SELECT sum(requests), sum(prompt_tokens), sum(completion_tokens), sum(cost_nano) "
        "FROM usage_days",
    )
    assert sums == (count, *(sum(row[place] for row in kept.values()) for place in range(3)))

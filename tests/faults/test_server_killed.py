"""The server is killed: what it had acknowledged is there when it starts again."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

import httpx

from tests.serving import SIMULATED, start_server

if TYPE_CHECKING:
    from pathlib import Path

LOST_AT_MOST_S = 0.2


def recorded(home: Path) -> set[str]:
    """The ids of all request records on disk."""
    with sqlite3.connect(home / "requests.db") as database:
        rows = database.execute("select request_id from request_records").fetchall()
    database.close()
    return {row[0] for row in rows}


def test_records_survive(tmp_path: Path) -> None:
    """Of requests answered, refusals included, only the last 200 ms may be missing."""
    server = start_server(tmp_path, SIMULATED)
    url = f"{server.endpoint}/openai/v1/chat/completions"
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 2}
    answered: list[tuple[float, str]] = []
    with httpx.Client(headers={"api-key": server.key}) as client:
        began = time.monotonic()
        while time.monotonic() - began < 1.5:
            wrong = {"temperature": 9} if len(answered) % 5 == 0 else {}
            answer = client.post(url, json=body | wrong)
            answered.append((time.monotonic(), answer.headers["apim-request-id"]))
        killed_at = time.monotonic()
        server.kill()
    kept = recorded(tmp_path)
    due = {identity for at, identity in answered if at < killed_at - LOST_AT_MOST_S}
    assert len(due) > 10
    assert due <= kept


def test_keys_and_deployments_survive(tmp_path: Path) -> None:
    """A killed server starts again with the same keys, and takes them."""
    first = start_server(tmp_path, SIMULATED)
    first.kill()
    second = start_server(tmp_path, SIMULATED)
    try:
        assert second.key == first.key
        answer = httpx.get(f"{second.endpoint}/openai/v1/models", headers={"api-key": first.key})
        assert answer.status_code == 200
    finally:
        assert second.stop() == 0


def test_two_servers_cannot_share_a_home(tmp_path: Path) -> None:
    """The second one says who holds the folder, and ends."""
    first = start_server(tmp_path, SIMULATED)
    try:
        second = start_server(tmp_path, SIMULATED, wait=False)
        assert second.process.wait(60) != 0
        assert str(first.process.pid) in second.said
    finally:
        first.stop()

"""The server is killed, or its audit log is taken away: what was acknowledged is proved."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

import httpx
import msgspec

from linarite.cli.audit.evidence import proved
from linarite.domain.audit import AuditEvent
from tests.cli.terminal import linarite
from tests.serving import SIMULATED, start_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server

VERSION = "2025-09-01"
WRITERS = 4
WRITES_MIN = 20


def group(server: Server, name: str) -> str:
    """The URL of a resource group."""
    subscription = server.ready["account_id"].split("/resourceGroups/")[0]
    return f"{server.endpoint}{subscription}/resourceGroups/{name}?api-version=2024-11-01"


def bearer(server: Server) -> dict[str, str]:
    """The header that opens the control plane."""
    return {"authorization": f"Bearer {server.ready['management_key']}"}


def kept(home: Path) -> list[AuditEvent]:
    """What the file holds."""
    connection = sqlite3.connect(home / "audit.db")
    rows = connection.execute("SELECT body FROM audit_entries ORDER BY seq").fetchall()
    connection.close()
    return [msgspec.json.decode(body, type=AuditEvent) for (body,) in rows]


def test_a_killed_server_leaves_a_whole_log(tmp_path: Path) -> None:
    """In the middle of writes: both ends of all that was answered are there, and the chain holds.

    The next start goes on where it stopped.
    """
    server = start_server(tmp_path, SIMULATED)
    answered: list[str] = []
    enough = threading.Event()

    def write(writer: int) -> None:
        with httpx.Client(headers=bearer(server), timeout=30) as client:
            for number in range(10_000):
                try:
                    answer = client.put(
                        group(server, f"g-{writer}-{number}"), json={"location": "local"}
                    )
                except httpx.HTTPError:
                    return
                assert answer.status_code in {200, 201}
                answered.append(answer.headers["x-ms-request-id"])
                if len(answered) >= WRITES_MIN:
                    enough.set()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for each in writers:
        each.start()
    assert enough.wait(120)
    server.kill()
    for each in writers:
        each.join()
    events = kept(tmp_path)
    begun = {event.request_id for event in events if event.outcome == "Started"}
    ended = {event.request_id for event in events if event.outcome == "Succeeded"}
    assert set(answered) <= begun & ended
    verdict = proved(tmp_path, [], None, lambda _done, _total: None)
    assert verdict.good, verdict.problem
    again = start_server(tmp_path, SIMULATED)
    assert again.stop() == 0
    assert "audit log is broken" not in again.said
    verdict = proved(tmp_path, [], None, lambda _done, _total: None)
    assert verdict.good, verdict.problem
    assert verdict.signed_to == verdict.last


def test_a_log_that_is_taken_away_stops_changes_and_not_inference(tmp_path: Path) -> None:
    """Changes answer 503 and are not done; chats go on; /readyz and a metric tell."""
    server = start_server(tmp_path, SIMULATED)
    try:
        (tmp_path / "audit.db").rename(tmp_path / "taken.db")
        refused = httpx.put(
            group(server, "g"), headers=bearer(server), json={"location": "local"}, timeout=30
        )
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "AuditUnavailable")
        assert "retry-after" in refused.headers
        person = {"userPrincipalName": "ada@example.org", "displayName": "Ada"}
        graph = f"{server.endpoint}/v1.0/users"
        refused = httpx.post(graph, headers=bearer(server), json=person, timeout=30)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "ServiceUnavailable")
        assert httpx.get(graph, headers=bearer(server)).json()["value"] == []
        assert httpx.get(group(server, "g"), headers=bearer(server)).status_code == 404
        chat = httpx.post(
            f"{server.endpoint}/openai/v1/chat/completions",
            headers={"api-key": server.key},
            json={"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]},
        )
        assert chat.status_code == 200
        told = httpx.get(f"{server.endpoint}/readyz").json()
        assert told["ready"]
        assert not told["audit"]["writable"]
        assert "gone" in told["audit"]["detail"]
        assert "linarite_audit_backlog 2\n" in httpx.get(f"{server.endpoint}/metrics").text
    finally:
        server.stop()
    assert "audit events lost" in server.said


def test_a_key_replaced_on_a_stopped_server_is_told(tmp_path: Path) -> None:
    """By the command line, at both ends; the log stays whole."""
    assert start_server(tmp_path, SIMULATED).stop() == 0
    assert linarite(tmp_path, "keys", "regenerate", "key1").returncode == 0
    ends = [event for event in kept(tmp_path) if "keys/regenerate" in event.action]
    assert [event.outcome for event in ends] == ["Started", "Succeeded"]
    assert {event.details["key"] for event in ends} == {"key1"}
    assert proved(tmp_path, [], None, lambda _done, _total: None).good

"""The server is killed: application keys are as they were last acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from linarite.domain.application_key import APPLICATION_KEY_TYPE
from tests.faults.processes import PATIENCE_S
from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server


def manage(server: Server, method: str, name: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """A request about an application key; its properties afterwards."""
    answer = httpx.request(
        method,
        f"{server.endpoint}{server.ready['account_id']}/providers/{APPLICATION_KEY_TYPE}/{name}",
        params={"api-version": "2026-07-01"},
        headers={"authorization": f"Bearer {server.ready['management_key']}"},
        json={"properties": properties},
        timeout=PATIENCE_S,
    )
    assert answer.is_success, answer.text
    return answer.json()["properties"] if answer.content else {}


def status(server: Server, key: str) -> int:
    """What a key gets."""
    headers = {"api-key": key}
    return httpx.get(f"{server.endpoint}/openai/v1/models", headers=headers).status_code


def test_what_was_acknowledged_holds(tmp_path: Path) -> None:
    """Made, replaced, disabled and deleted keys, each killed right after the answer."""
    server = start_server(tmp_path, SIMULATED)
    kept = manage(server, "PUT", "kept", expiresAt="2999-01-01")["key"]
    old = manage(server, "PUT", "replaced")["key"]
    off = manage(server, "PUT", "off")["key"]
    deleted = manage(server, "PUT", "deleted")["key"]
    manage(server, "PATCH", "off", enabled=False)
    manage(server, "DELETE", "deleted")
    new = manage(server, "POST", "replaced/regenerate")["key"]
    server.kill()
    with stopped(start_server(tmp_path, SIMULATED)) as again:
        opened = [status(again, key) for key in (kept, new, old, off, deleted)]
        assert opened == [200, 200, 401, 401, 401]
        assert manage(again, "GET", "kept")["expiresAt"] == "2999-01-01T00:00:00Z"
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert not any(key.encode() in written for key in (kept, old, new, off, deleted))


def test_a_clean_stop_keeps_when_keys_were_used(tmp_path: Path) -> None:
    """The last uses reach the disk on the way out."""
    with stopped(start_server(tmp_path, SIMULATED)) as server:
        key = manage(server, "PUT", "web")["key"]
        assert status(server, key) == 200
    with stopped(start_server(tmp_path, SIMULATED)) as again:
        assert manage(again, "GET", "web")["lastUsedAt"]

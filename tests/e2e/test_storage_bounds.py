"""What an account may store has an end, counted over a kill, and every way to store knows it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.serving import SIMULATED, clean_environment, start_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Server

MOST = 20_000
SETTINGS = f"{SIMULATED}\n[storage.accounts]\nlinarite = {MOST}\n"
LINE = b'{"custom_id": "1", "method": "POST", "url": "/chat/completions", "body": {"model": "m"}}\n'
SAID = [{"role": "user", "content": "hello"}]


def ask(server: Server, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx
    """A request with the account's key."""
    url = f"{server.endpoint}/openai/v1{path}"
    return httpx.request(method, url, headers={"api-key": server.key}, timeout=60, **more)


def upload(server: Server, size: int, purpose: str = "assistants") -> httpx.Response:
    """A new file of so many bytes."""
    content = LINE * (size // len(LINE) + 1)
    files = {"file": ("a.jsonl", content[:size] if purpose != "batch" else content)}
    return ask(server, "POST", "/files", data={"purpose": purpose}, files=files)


def refused(answer: httpx.Response) -> dict[str, Any]:
    """What it says, having said no."""
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["code"] == "quotaExceeded"
    assert error["innererror"] == {"limit_bytes": MOST, "setting": "storage.accounts.linarite"}
    return error


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, list[str]]]:
    """A server whose account has three files, and that was killed since."""
    home: Path = tmp_path_factory.mktemp("bounded")
    server = start_server(home, SETTINGS)
    kept = [upload(server, 5000).json()["id"] for _ in range(3)]
    refused(upload(server, 6000))
    server.kill()
    server = start_server(home, SETTINGS)
    yield server, kept
    server.stop()


def test_every_way_to_store_knows_the_bound(killed: tuple[Server, list[str]]) -> None:
    """Before a model is asked; reading, deleting and storing nothing go on."""
    server, kept = killed
    refused(upload(server, 6000))  # what was counted before the kill is counted still
    batch_file = upload(server, 100, "batch").json()["id"]
    talk = ask(server, "POST", "/conversations", json={}).json()["id"]
    asked = {"model": "gpt-4o", "input": "x" * 6000}
    large = ask(server, "POST", "/responses", json=asked)  # the one that reaches it is kept
    assert large.status_code == 200, large.text
    batch = {
        "input_file_id": batch_file,
        "endpoint": "/chat/completions",
        "completion_window": "24h",
    }
    begun = {"filename": "a", "purpose": "assistants", "bytes": 10, "mime_type": "text/plain"}
    item = {"type": "message", **SAID[0]}
    for path, body in (
        ("/responses", asked),
        ("/responses", asked | {"stream": True}),
        ("/responses", asked | {"background": True}),
        ("/conversations", {"items": [item]}),
        (f"/conversations/{talk}/items", {"items": [item]}),
        ("/chat/completions", {"model": "gpt-4o", "messages": SAID, "store": True}),
        ("/uploads", begun),
        ("/batches", batch),
    ):
        said = refused(ask(server, "POST", path, json=body))
        assert "Delete some" in said["message"]
    refused(upload(server, 1))
    assert ask(server, "POST", "/responses", json=asked | {"store": False}).status_code == 200
    assert ask(server, "GET", f"/files/{kept[0]}/content").status_code == 200
    assert ask(server, "DELETE", f"/files/{kept[0]}").status_code == 200
    assert ask(server, "DELETE", f"/responses/{large.json()['id']}").status_code == 200
    assert upload(server, 4000).status_code == 200


def test_what_is_stored_is_told(killed: tuple[Server, list[str]]) -> None:
    """By the report and by the metrics."""
    server, _ = killed
    done = subprocess.run(
        [sys.executable, "-m", "linarite.main", "data", "report"],
        env=clean_environment() | {"LINARITE_HOME": str(server.home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "KiB (storage.accounts.linarite); " in done.stderr
    assert "free on the disk, of which 1.0 GiB stay." in done.stderr
    metrics = httpx.get(f"{server.endpoint}/metrics", headers={"api-key": server.key}).text
    told = {
        line.split()[0]: float(line.split()[1])
        for line in metrics.splitlines()
        if line.startswith(("linarite_stored_bytes", "linarite_disk_free_bytes"))
    }
    assert told['linarite_stored_bytes{kind="file"}'] > 14_000
    assert told["linarite_disk_free_bytes"] > 0


def test_a_disk_that_is_nearly_full_takes_nothing(tmp_path: Path) -> None:
    """503 with a time to wait; what needs no room goes on."""
    server = start_server(tmp_path, f"{SIMULATED}\n[storage]\nfree_bytes_min = {2**60}\n")
    try:
        answer = upload(server, 10)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "10"
        assert "storage.free_bytes_min" in answer.json()["error"]["message"]
        asked = {"model": "gpt-4o", "input": "hello"}
        assert ask(server, "POST", "/responses", json=asked).status_code == 503
        said = ask(server, "POST", "/responses", json=asked | {"store": False})
        assert said.status_code == 200, json.dumps(said.json())
    finally:
        server.stop()

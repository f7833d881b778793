"""Files by URL: fetched once, by the rules of egress, also when the server dies meanwhile."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.test_stored_files import ACCOUNTS, V1, Owner, mine, new_account, wait_for
from tests.faults.test_provisioning_killed import arm
from tests.serving import SIMULATED, serving, start_server, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Server

LINE = b'{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {}}\n'
SIGNATURE = "sig=5ecretSignature"
SETTINGS = f"""{SIMULATED}
[files]
import_private_hosts = ["127.0.0.1"]
file_bytes_max = 3000000
import_s = 1.9
"""


class Source(BaseHTTPRequestHandler):
    """Answers as its paths say."""

    held = threading.Event()
    asked = threading.Event()

    def do_GET(self) -> None:
        """Large, missing, elsewhere, half, slow."""
        name = self.path.partition("?")[0]
        if name == "/missing":
            self.send_error(404)
        elif name == "/elsewhere":
            self.send_response(302)
            self.send_header("location", "/good.jsonl")
            self.end_headers()
        else:
            body = {"/large": b"x" * 3_000_001, "/text": b"1,2,3"}.get(name, LINE * 1000)
            self.send_response(200)
            self.send_header("content-length", str(len(body) * (2 if name == "/half" else 1)))
            self.end_headers()
            self.wfile.write(body[:1000])
            if name == "/slow":
                self.wfile.flush()
                self.asked.set()
                self.held.wait(20)
            self.wfile.write(body[1000:])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@contextmanager
def a_source() -> Iterator[str]:
    """The address of one that serves."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Source)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        Source.held.set()
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def source() -> Iterator[str]:
    """Where files come from."""
    with a_source() as url:
        yield url


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that may fetch from this machine."""
    yield from serving(tmp_path_factory.mktemp("imported"), SETTINGS)


def imported(owner: Owner, url: str, **fields: str) -> dict[str, Any]:
    """The file that is told at once."""
    asked = {"purpose": "batch", "filename": "a.jsonl", "content_url": url} | fields
    made = owner.ask("POST", "/openai/files/import", json=asked)
    assert made.status_code == 201, made.text
    told: dict[str, Any] = made.json()
    assert made.headers["location"] == f"/openai/files/{told['id']}?api-version=2024-10-21"
    assert (told["status"], told["bytes"]) == ("pending", 0)
    return told


def ended(owner: Owner, file_id: str) -> dict[str, Any]:
    """The file once it is no longer pending."""
    told: dict[str, Any] = {}

    def over() -> bool:
        told.update(owner.ask("GET", f"{V1}/files/{file_id}").json())
        return told["status"] != "pending"

    wait_for(over)
    return told


def test_a_file_is_fetched(server: Server, source: str) -> None:
    """And then is one like any other."""
    owner = mine(server)
    file_id = imported(owner, f"{source}/good.jsonl?{SIGNATURE}")["id"]
    told = ended(owner, file_id)
    assert (told["status"], told["bytes"]) == ("processed", len(LINE) * 1000)
    assert owner.ask("GET", f"{V1}/files/{file_id}/content").content == LINE * 1000


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/missing", "answered with status 404"),
        ("/elsewhere", "answered with status 302"),
        ("/large", "larger than 3000000 bytes"),
        ("/half", "the connection failed"),
        ("/text", "its first line is not a JSON object"),
    ],
)
def test_what_is_no_file_is_told(server: Server, source: str, path: str, words: str) -> None:
    """In its status; its content can't be had, and it can be deleted."""
    owner = mine(server)
    purpose = "assistants" if path == "/large" else "batch"
    file_id = imported(owner, source + path, purpose=purpose)["id"]
    told = ended(owner, file_id)
    assert told["status"] == "error"
    assert told["status_details"].startswith("fileImportFailed: ")
    assert words in told["status_details"]
    refused = owner.ask("GET", f"{V1}/files/{file_id}/content")
    assert refused.status_code == 400
    assert words in refused.json()["error"]["message"]
    assert owner.ask("DELETE", f"{V1}/files/{file_id}").is_success


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://user:pass@example.com/x", "content_url"),
        ("file:///etc/passwd", "content_url"),
        ("http://127.1/x", "content_url"),
        ("", "content_url"),
    ],
)
def test_what_is_no_url(server: Server, url: str, words: str) -> None:
    """Is refused at once."""
    asked = {"purpose": "batch", "filename": "a.jsonl", "content_url": url}
    told = mine(server).ask("POST", f"{V1}/files/import", json=asked)
    assert told.status_code == 400, told.text
    assert told.json()["error"]["param"] == words


def test_only_hosts_that_are_allowed(server: Server, source: str) -> None:
    """By the settings, and by the account's own list: it is said which one to change."""
    owner = mine(server)
    told = ended(owner, imported(owner, "http://files.example.com/a.jsonl")["id"])
    assert "egress.file_import.allowed_hosts" in told["status_details"]
    strict = new_account(server, "strict")
    restricted = {"properties": {"restrictOutboundNetworkAccess": True, "allowedFqdnList": []}}
    assert arm(server, "PATCH", f"{ACCOUNTS}/strict", restricted).is_success
    told = ended(strict, imported(strict, f"{source}/good.jsonl")["id"])
    assert "properties.allowedFqdnList" in told["status_details"]


def test_an_import_survives(tmp_path: Path) -> None:
    """Killed while a file comes, the server fetches it again; the URL is nowhere in the clear."""
    Source.held.clear()
    Source.asked.clear()
    with a_source() as source:
        server = start_server(tmp_path, SETTINGS)
        file_id = imported(mine(server), f"{source}/slow?{SIGNATURE}")["id"]
        assert Source.asked.wait(20)
        server.kill()
        for kept in tmp_path.rglob("*"):
            assert not kept.is_file() or SIGNATURE.encode() not in kept.read_bytes(), kept
        Source.held.set()
        with stopped(start_server(tmp_path, SETTINGS)) as again:
            assert ended(mine(again), file_id)["status"] == "processed"
            wait_for(lambda: len(list((tmp_path / "files").iterdir())) == 1)


def test_a_deleted_file_does_not_come_back(server: Server, source: str) -> None:
    """Deleted while it comes, it is gone, bytes and all."""
    Source.held.clear()
    Source.asked.clear()
    owner = mine(server)
    for file_id in owner.ids():
        owner.ask("DELETE", f"{V1}/files/{file_id}")
    file_id = imported(owner, f"{source}/slow")["id"]
    assert Source.asked.wait(20)
    assert owner.ask("DELETE", f"{V1}/files/{file_id}").is_success
    Source.held.set()
    wait_for(lambda: not [each for each in (server.home / "files").iterdir() if each.is_file()])
    assert owner.ask("GET", f"{V1}/files/{file_id}").status_code == 404

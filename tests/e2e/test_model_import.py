"""Models that the control plane brings into the store of a running server."""

from __future__ import annotations

import base64
import hashlib
import shutil
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from linarite.hosting.models.store import ModelStore
from tests.e2e.test_hosting import ACCOUNT
from tests.e2e.test_model_lifecycle import MODELS
from tests.faults.test_provisioning_killed import arm, ended
from tests.hosting.models import gguf_files, package_files
from tests.hosting.models.file_server import FileServer, Page
from tests.hosting.models.file_server import serving as serving_files
from tests.serving import SIMULATED, serving, start_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Server

CONTENT = gguf_files.content()
COMMIT = "0123456789abcdef0123456789abcdef01234567"
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def hub() -> Iterator[FileServer]:
    """A hub with one file."""
    with serving_files() as server:
        told = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
        headers = {"X-Repo-Commit": COMMIT, "X-Linked-ETag": told, "ETag": '"other"'}
        for revision in ("main", COMMIT):
            path = f"/someone/tiny/resolve/{revision}/Tiny.gguf"
            server.pages[path] = Page(CONTENT, headers)
        yield server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, hub: FileServer) -> Iterator[Server]:
    """One that may reach that hub and nothing else."""
    settings = f'[models]\nhub_url = "http://{hub.host}"\nprivate_hosts = ["127.0.0.1"]\n'
    yield from serving(tmp_path_factory.mktemp("import"), SIMULATED + settings)


def bring(server: Server, name: str, source: str) -> dict[str, Any]:
    """List a version with a source; the operation as it ended."""
    answer = arm(server, "PUT", f"{MODELS}/{name}", {"properties": {"source": source}})
    assert answer.status_code in {200, 201}, answer.text
    assert answer.json()["properties"]["provisioningState"] == "Creating"
    return ended(server, httpx.URL(answer.headers["azure-asyncoperation"]).path)


def shown(server: Server, name: str) -> dict[str, Any]:
    """What the catalogue says of it."""
    return dict(arm(server, "GET", f"{MODELS}/{name}").json()["properties"])


def put_file(server: Server, name: str, content: bytes = CONTENT) -> None:
    """A file in the folder for imports."""
    folder = server.home / "imports"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)


def test_a_file_is_brought_and_taken_out_with_its_entry(server: Server) -> None:
    """It is told with its sha256, can be deployed, and is gone from disk when it is deleted."""
    put_file(server, "tiny.gguf")
    assert bring(server, "tiny@2025-01-01", "file:tiny.gguf")["status"] == "Succeeded"
    told = shown(server, "tiny@2025-01-01")
    assert told["provisioningState"] == "Succeeded"
    assert told["file"]["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert told["file"]["contextLength"] == 2048
    listed = arm(server, "GET", f"{ACCOUNT}/models").json()["value"]
    (offer,) = [each for each in listed if each["name"] == "tiny"]
    assert (offer["version"], offer["isDefaultVersion"]) == ("2025-01-01", True)
    assert offer["capabilities"]["chatCompletion"] == "true"
    store = ModelStore(server.home / "models")
    assert store.verified_path("tiny", "2025-01-01").is_file()
    assert arm(server, "DELETE", f"{MODELS}/tiny@2025-01-01").status_code == 200
    deadline = time.monotonic() + PATIENCE_S
    while store.list():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_file_of_a_hub_comes_through_the_rules_of_egress(server: Server) -> None:
    """The library is given no other way out than the server's own."""
    operation = bring(server, "hubbed@1", "hf:someone/tiny/Tiny.gguf")
    assert operation["status"] == "Succeeded", operation["error"]
    assert shown(server, "hubbed@1")["file"]["source"] == f"hf:someone/tiny/Tiny.gguf@{COMMIT}"


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("away@1", "oci://registry.example.com/models/phi:4", "egress.allowed_hosts"),
        ("away@2", "smollm2-135m-instruct", "egress.allowed_hosts"),
        ("away@3", "file:nothing.gguf", "models.import_folder"),
        ("away@6", "pypi:nobodys-weights==1.0", "egress.allowed_hosts"),
        ("away@4", "nobody-knows", "neither a file nor a model of the catalogue"),
        ("away@5", "hf:someone/tiny/Other.gguf", "cannot be had"),
    ],
)
def test_what_cannot_be_had_says_why(server: Server, name: str, source: str, words: str) -> None:
    """The operation names the setting to change; nothing is left in the store."""
    operation = bring(server, name, source)
    assert operation["status"] == "Failed"
    assert words in operation["error"]["message"]
    assert shown(server, name)["provisioningState"] == "Failed"
    assert "away" not in {each.name for each in ModelStore(server.home / "models").list()}


@pytest.fixture(scope="module")
def signed_in(
    tmp_path_factory: pytest.TempPathFactory, private_places: FileServer
) -> Iterator[Server]:
    """One with sign-ins to a private hub and a private index, from its environment."""
    host = private_places.host
    settings = (
        f'[models]\nhub_url = "http://{host}"\nhub_token = "env:HUB_TOKEN"\n'
        f'index_url = "http://{host}/simple"\nindex_credentials = "env:INDEX_LOGIN"\n'
        'private_hosts = ["127.0.0.1"]\n'
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HUB_TOKEN", "hf_mine")
        patched.setenv("INDEX_LOGIN", "robot:p@ss/word")
        yield from serving(tmp_path_factory.mktemp("signed-in"), SIMULATED + settings)


@pytest.fixture(scope="module")
def private_places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    """A hub and an index of packages that show nothing to strangers."""
    folder = tmp_path_factory.mktemp("index")
    package_files.wheel(folder, "tiny-weights", {"tiny/a.gguf": CONTENT})
    (wheel,) = folder.glob("*.whl")
    page = f'<!DOCTYPE html><a href="/files/{wheel.name}">{wheel.name}</a>'.encode()
    basic = "Basic " + base64.b64encode(b"robot:p@ss/word").decode()
    with serving_files() as server:
        server.refusal = Page(status=401, headers={"Www-Authenticate": 'Basic realm="x"'})
        told = {
            "X-Repo-Commit": COMMIT,
            "X-Linked-ETag": f'"{hashlib.sha256(CONTENT).hexdigest()}"',
        }
        for revision in ("main", COMMIT):
            path = f"/someone/hidden/resolve/{revision}/Tiny.gguf"
            server.pages[path] = Page(CONTENT, told | {"ETag": '"x"'}, needs="Bearer hf_mine")
        html = {"Content-Type": "text/html"}
        server.pages["/simple/tiny-weights/"] = Page(page, html, needs=basic)
        server.pages[f"/files/{wheel.name}"] = Page(wheel.read_bytes(), needs=basic)
        yield server


@pytest.mark.parametrize("source", ["hf:someone/hidden/Tiny.gguf", "pypi:tiny-weights==1.0"])
def test_private_places_open_to_the_servers_sign_in(signed_in: Server, source: str) -> None:
    """What was brought tells its source, and never how one signed in there."""
    name = f"private-{source[:2]}@1"
    operation = bring(signed_in, name, source)
    assert operation["status"] == "Succeeded", operation["error"]
    told = shown(signed_in, name)
    assert told["file"]["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert told["file"]["source"].startswith(source)
    everywhere = str(told) + signed_in.log.read_text()
    assert not [secret for secret in ("hf_mine", "p@ss", "p%40ss") if secret in everywhere]


def test_a_file_that_is_no_model_is_refused(server: Server) -> None:
    """Once it has been mended, the same request brings it."""
    put_file(server, "broken.gguf", CONTENT[:-1])
    operation = bring(server, "broken@1", "file:broken.gguf")
    assert operation["error"]["code"] == "ModelFileInvalid"
    put_file(server, "broken.gguf")
    assert bring(server, "broken@1", "file:broken.gguf")["status"] == "Succeeded"


@pytest.mark.parametrize(
    "source", ["/etc/passwd", "file:../secrets.gguf", "file:a/b.gguf", "../x", "http://x/y.gguf"]
)
def test_sources_that_lead_elsewhere_are_refused(server: Server, source: str) -> None:
    """No path of the server's machine can be named, and no address of another."""
    answer = arm(server, "PUT", f"{MODELS}/x@1", {"properties": {"source": source}})
    assert answer.status_code == 400
    assert "properties.source" in answer.text


def test_a_link_in_the_folder_is_not_followed(server: Server, tmp_path: Path) -> None:
    """Whoever may write there could else have any file of the server's user read."""
    put_file(server, "real.gguf")
    shutil.copy(server.home / "imports" / "real.gguf", tmp_path / "elsewhere.gguf")
    (server.home / "imports" / "link.gguf").symlink_to(tmp_path / "elsewhere.gguf")
    assert bring(server, "link@1", "file:link.gguf")["status"] == "Failed"


def test_a_version_is_one_file(server: Server) -> None:
    """Another source needs another version."""
    put_file(server, "one.gguf")
    assert bring(server, "one@1", "file:one.gguf")["status"] == "Succeeded"
    body = {"properties": {"source": "file:two.gguf"}}
    changed = arm(server, "PUT", f"{MODELS}/one@1", body)
    assert changed.json()["error"]["code"] == "PropertyChangeNotAllowed"
    again = arm(server, "PUT", f"{MODELS}/one@1", {"properties": {"source": "file:one.gguf"}})
    assert "azure-asyncoperation" not in again.headers


@pytest.mark.slow
def test_killed_while_a_file_is_brought(tmp_path: Path) -> None:
    """The next server brings it to its end, and no process of the killed one goes on."""
    server = start_server(tmp_path, SIMULATED)
    try:
        put_file(server, "big.gguf")
        with (server.home / "imports" / "big.gguf").open("r+b") as file:
            file.truncate(2 << 30)
        body = {"properties": {"source": "file:big.gguf"}}
        answer = arm(server, "PUT", f"{MODELS}/big@1", body)
        operation = httpx.URL(answer.headers["azure-asyncoperation"]).path
        deadline = time.monotonic() + PATIENCE_S
        while arm(server, "GET", operation).json()["percentComplete"] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert arm(server, "DELETE", f"{MODELS}/big@1").status_code == 409
        server.kill()
        (server.home / "imports" / "big.gguf").write_bytes(CONTENT)
        server = start_server(tmp_path, SIMULATED)
        assert ended(server, operation)["status"] == "Succeeded"
        assert shown(server, "big@1")["file"]["sizeBytes"] == len(CONTENT)
        assert list((server.home / "models" / ".incoming").iterdir()) == []
    finally:
        server.kill()

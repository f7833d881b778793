from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING

import pytest

from linarite.hosting.models.errors import ModelTampered, ModelUnavailable
from linarite.hosting.models.logins import Logins
from linarite.hosting.models.store import ModelStore
from tests.hosting.models import gguf_files
from tests.hosting.models.file_server import FileServer, Page, serving

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytest.importorskip("huggingface_hub", reason="the extra `huggingface` is not installed")

CONTENT = gguf_files.content()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
COMMIT = "0123456789abcdef0123456789abcdef01234567"
REFERENCE = "hf:someone/tiny/weights/Tiny.Q4_0.gguf"


@pytest.fixture
def hub() -> Generator[FileServer]:
    """A hub with one file, at its branch and at its commit."""
    with serving() as server:
        for revision in ("main", COMMIT):
            path = f"/someone/tiny/resolve/{revision}/weights/Tiny.Q4_0.gguf"
            server.pages[path] = Page(CONTENT, _headers(SHA256))
        yield server


def _headers(sha256: str) -> dict[str, str]:
    return {"X-Repo-Commit": COMMIT, "X-Linked-ETag": f'"{sha256}"', "ETag": '"other"'}


@pytest.fixture
def store(tmp_path: Path, hub: FileServer) -> ModelStore:
    """A store that looks at that hub."""
    return ModelStore(tmp_path / "models", hub_endpoint=f"http://{hub.host}")


def test_file_of_a_hub_is_added(store: ModelStore) -> None:
    """The file comes in under a name made of its own, with the commit as its source."""
    manifest = store.add(REFERENCE)
    assert manifest.name == "tiny.q4_0"
    assert manifest.source == f"hf:someone/tiny/weights/Tiny.Q4_0.gguf@{COMMIT}"
    assert manifest.sha256 == SHA256
    assert store.verified_path("tiny.q4_0").read_bytes() == CONTENT


def test_a_private_repository_opens_to_a_token(tmp_path: Path, hub: FileServer) -> None:
    """The token of the store's own sign-in is shown; without it the message names the ways."""
    for page in hub.pages.values():
        page.needs = "Bearer hf_mine"
    endpoint = f"http://{hub.host}"
    with pytest.raises(ModelUnavailable, match=r"models\.hub_token"):
        ModelStore(tmp_path / "none", hub_endpoint=endpoint).add(REFERENCE)
    mine = ModelStore(tmp_path / "m", hub_endpoint=endpoint, logins=Logins(hub_token="hf_mine"))
    assert mine.add(REFERENCE).sha256 == SHA256


def test_named_revision_and_name(store: ModelStore) -> None:
    """A revision in the reference is the one that is fetched; the name can be chosen."""
    manifest = store.add(f"{REFERENCE}@{COMMIT}", name="mine", version="7")
    assert (manifest.name, manifest.version) == ("mine", "7")


def test_second_time_downloads_nothing(store: ModelStore, hub: FileServer) -> None:
    """What is here already is recognised by its sha256 before anything is fetched."""
    store.add(REFERENCE)
    hub.asked.clear()
    store.add(REFERENCE)
    assert not [line for line in hub.asked if line.startswith("GET")]


def test_wrong_bytes_are_thrown_away(store: ModelStore, hub: FileServer) -> None:
    """Bytes that are not those the hub promised never reach the store."""
    for page in hub.pages.values():
        page.headers = _headers("0" * 64)
    with pytest.raises(ModelTampered, match="thrown away"):
        store.add(REFERENCE)
    assert store.list() == []


def test_file_without_sha256(store: ModelStore, hub: FileServer) -> None:
    """A file whose sha256 the hub does not tell is refused, with what to do instead."""
    for page in hub.pages.values():
        page.headers = {"X-Repo-Commit": COMMIT, "ETag": '"abc"'}
    with pytest.raises(ModelUnavailable, match="tells no sha256"):
        store.add(REFERENCE)


def test_absent_file(store: ModelStore) -> None:
    """What the hub does not have is told with the reference."""
    with pytest.raises(ModelUnavailable, match=r"someone/other/x\.gguf cannot be had"):
        store.add("hf:someone/other/x.gguf")


def test_unreachable_hub(tmp_path: Path) -> None:
    """A hub that does not answer is one of our errors, not the library's."""
    store = ModelStore(tmp_path, hub_endpoint="http://127.0.0.1:9")
    with pytest.raises(ModelUnavailable, match="cannot be had"):
        store.add(REFERENCE)


@pytest.mark.parametrize(
    "reference", ["hf:tiny.gguf", "hf:a/b/c.bin", "hf:a/b/../../c.gguf", "hf:a/b/c.gguf@x y"]
)
def test_malformed_references(store: ModelStore, hub: FileServer, reference: str) -> None:
    """A reference of another form is refused before anyone is asked."""
    with pytest.raises(ModelUnavailable, match=r"hf:OWNER/REPOSITORY/FILE\.gguf"):
        store.add(reference)
    assert hub.asked == []


def test_without_the_extra(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library the message says how to install it."""
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ModelUnavailable, match=r"linarite\[huggingface\]"):
        store.add(REFERENCE)

from __future__ import annotations

import base64
import hashlib
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from linarite.hosting.models.errors import ModelTampered, ModelUnavailable
from linarite.hosting.models.logins import Logins
from linarite.hosting.models.store import ModelStore
from tests.hosting.models import gguf_files
from tests.hosting.models.file_server import FileServer, Page, serving

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytest.importorskip("oras", reason="the extra `oci` is not installed")

CONTENT = gguf_files.content()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
TITLE = "org.opencontainers.image.title"


def _layer(**changes: object) -> dict[str, Any]:
    return {
        "mediaType": "application/octet-stream",
        "digest": f"sha256:{SHA256}",
        "size": len(CONTENT),
        "annotations": {TITLE: "Tiny.gguf"},
        **changes,
    }


def _publish(server: FileServer, layers: list[dict[str, Any]], tag: str = "1") -> str:
    """Put an artifact into the registry and return the manifest's digest."""
    body = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "layers": layers}).encode()
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    for reference in (tag, digest):
        page = Page(body, {"Content-Type": MANIFEST_TYPE})
        server.pages[f"/v2/models/tiny/manifests/{reference}"] = page
    return digest


@pytest.fixture
def registry() -> Generator[FileServer]:
    """A registry with one artifact: a licence and a GGUF file."""
    with serving() as server:
        server.pages[f"/v2/models/tiny/blobs/sha256:{SHA256}"] = Page(CONTENT)
        licence = _layer(digest="sha256:" + "1" * 64, annotations={TITLE: "LICENSE"})
        _publish(server, [licence, _layer()])
        yield server


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """An empty store."""
    return ModelStore(tmp_path / "models")


def test_artifact_is_added(store: ModelStore, registry: FileServer) -> None:
    """The GGUF layer comes in, named by its title, with the manifest's digest as its source."""
    manifest = store.add(f"oci://{registry.host}/models/tiny:1")
    assert manifest.name == "tiny"
    assert manifest.source.startswith(f"oci://{registry.host}/models/tiny@sha256:")
    assert store.verified_path("tiny").read_bytes() == CONTENT
    assert store.add(manifest.source) == manifest


@pytest.mark.parametrize("media_type", ["application/vnd.ollama.image.model", "whatever"])
def test_layer_without_a_title(store: ModelStore, registry: FileServer, media_type: str) -> None:
    """A model's media type, or being alone, tells the layer too; the repository names it."""
    layers = [_layer(mediaType=media_type, annotations={})]
    if media_type != "whatever":
        layers.append(_layer(digest="sha256:" + "2" * 64, annotations={}))
    _publish(registry, layers)
    assert store.add(f"oci://{registry.host}/models/tiny:1").name == "tiny"


def test_signing_in(store: ModelStore, registry: FileServer) -> None:
    """A registry that wants a token is asked for one, the way it says."""
    realm = f"http://{registry.host}/token"
    challenge = f'Bearer realm="{realm}",service="test",scope="repository:models/tiny:pull"'
    registry.refusal = Page(status=401, headers={"Www-Authenticate": challenge})
    for page in registry.pages.values():
        page.needs = "Bearer sesame"
    registry.pages["/token"] = Page(b'{"token": "sesame"}', {"Content-Type": "application/json"})
    assert store.add(f"oci://{registry.host}/models/tiny:1").sha256 == SHA256


def test_signing_in_as_settings_say(tmp_path: Path, registry: FileServer) -> None:
    """User and password for a registry are shown to it, and to no other."""
    logins = Logins(registries={registry.host: "robot:pass:word"})
    for page in registry.pages.values():
        page.needs = "Bearer sesame"
    challenge = f'Bearer realm="http://{registry.host}/token",service="test",scope="a:b:pull"'
    registry.refusal = Page(status=401, headers={"Www-Authenticate": challenge})
    basic = "Basic " + base64.b64encode(b"robot:pass:word").decode()
    token = {"Content-Type": "application/json"}
    registry.pages["/token"] = Page(b'{"token": "sesame"}', token, needs=basic)
    mine = ModelStore(tmp_path / "mine", logins=logins)
    assert mine.add(f"oci://{registry.host}/models/tiny:1").sha256 == SHA256
    other = Logins(registries={"other.example.com": "robot:pass:word"})
    with pytest.raises(ModelUnavailable, match=r"models\.registries"):
        ModelStore(tmp_path / "other", logins=other).add(f"oci://{registry.host}/models/tiny:1")


def test_wrong_blob_and_wrong_manifest(store: ModelStore, registry: FileServer) -> None:
    """Bytes of another digest are thrown away, in the blob as in the manifest."""
    registry.pages[f"/v2/models/tiny/blobs/sha256:{SHA256}"].body = CONTENT[:-1] + b"x"
    with pytest.raises(ModelTampered, match="thrown away"):
        store.add(f"oci://{registry.host}/models/tiny:1")
    digest = _publish(registry, [_layer()])
    registry.pages[f"/v2/models/tiny/manifests/{digest}"].body += b" "
    with pytest.raises(ModelTampered, match="another manifest"):
        store.add(f"oci://{registry.host}/models/tiny@{digest}")
    assert store.list() == []


def test_endless_blob(store: ModelStore, registry: FileServer) -> None:
    """A body longer than announced is cut off."""
    registry.pages[f"/v2/models/tiny/blobs/sha256:{SHA256}"].body = CONTENT * 2
    with pytest.raises(ModelTampered, match="longer than announced"):
        store.add(f"oci://{registry.host}/models/tiny:1")


@pytest.mark.parametrize(
    "layers",
    [
        [],
        [_layer(), _layer(digest="sha256:" + "3" * 64)],
        [_layer(digest="md5:abc")],
        [_layer(size=0)],
    ],
)
def test_artifacts_that_are_no_model(
    store: ModelStore, registry: FileServer, layers: list[dict[str, Any]]
) -> None:
    """Exactly one proper layer must be the model."""
    _publish(registry, layers)
    with pytest.raises(ModelUnavailable, match="exactly one is needed"):
        store.add(f"oci://{registry.host}/models/tiny:1")


def test_absent_and_unreadable(store: ModelStore, registry: FileServer) -> None:
    """An unknown tag, and a manifest that is none, are told with the reference."""
    with pytest.raises(ModelUnavailable, match="tiny:2 cannot be had"):
        store.add(f"oci://{registry.host}/models/tiny:2")
    registry.pages["/v2/models/tiny/manifests/1"].body = b"[]"
    with pytest.raises(ModelUnavailable, match="not the manifest of a model"):
        store.add(f"oci://{registry.host}/models/tiny:1")


def test_unreachable_registry(store: ModelStore) -> None:
    """A registry that does not answer is told at once, not after minutes of retries."""
    with pytest.raises(ModelUnavailable, match="cannot be had"):
        store.add("oci://127.0.0.1:9/models/tiny:1")


@pytest.mark.parametrize("reference", ["oci://host", "oci://host/x", "oci://host/x@sha256:12"])
def test_malformed_references(store: ModelStore, reference: str) -> None:
    """A reference of another form is refused before anyone is asked."""
    with pytest.raises(ModelUnavailable, match="oci://REGISTRY/REPOSITORY:TAG"):
        store.add(reference)


def test_without_the_extra(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library the message says how to install it."""
    monkeypatch.setitem(sys.modules, "oras.provider", None)
    with pytest.raises(ModelUnavailable, match=r"linarite\[oci\]"):
        store.add("oci://127.0.0.1:9/models/tiny:1")

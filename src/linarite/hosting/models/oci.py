"""Models from an OCI registry, where they lie as artifacts (extra `oci`).

References look like `oci://REGISTRY/REPOSITORY:TAG` or `oci://REGISTRY/REPOSITORY@sha256:DIGEST`.
Credentials are those of `Logins`, else those that `docker login` or `oras login` left behind.
"""

from __future__ import annotations

import hashlib
import importlib
import re
from typing import TYPE_CHECKING, Protocol, Self, cast

import msgspec

from linarite.hosting.models.errors import ModelTampered, ModelUnavailable
from linarite.hosting.models.logins import NO_LOGINS, Logins

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from linarite.hosting.models.progress import Reporter

PREFIX = "oci://"
_REFERENCE = re.compile(
    r"oci://(?P<registry>[\w.\[\]:-]+?)/(?P<repository>[a-z0-9._/-]+)"
    r"(?::(?P<tag>[\w.-]{1,128})|@(?P<digest>sha256:[0-9a-f]{64}))"
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_MODEL_TYPES = frozenset(
    {
        "application/vnd.docker.ai.gguf.v3",
        "application/vnd.ollama.image.model",
        "application/vnd.cncf.model.weight.v1.gguf",
        "application/vnd.cncf.model.weight.v1.raw",
    }
)
_TITLE = "org.opencontainers.image.title"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_MANIFEST_BYTES_MAX = 4 << 20
_PIECE_BYTES = 1 << 20
_SHOWN_CHARACTERS = 300


def registry_of(reference: str) -> str:
    """The address of the registry that a reference names; "" where it is none.

    Plain HTTP is spoken to this machine only.
    """
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return ""
    host = re.sub(r":\d+$", "", found["registry"])
    return f"{'http' if host in _LOOPBACK else 'https'}://{found['registry']}"


class OciFile(msgspec.Struct, frozen=True):
    """The layer that is the model."""

    source: str
    """the reference, fixed to a digest"""
    title: str
    """the file name its publisher gave it, else the repository's last word"""
    size_bytes: int
    sha256: str


class OciRegistry:
    """The registry that a reference names."""

    def __init__(self, reference: str, logins: Logins = NO_LOGINS) -> None:
        found = _REFERENCE.fullmatch(reference)
        if found is None:
            raise ModelUnavailable(
                f"'{reference[:200]}' is not oci://REGISTRY/REPOSITORY:TAG (or @sha256:…)."
            )
        self._reference = reference
        self._name = f"{found['registry']}/{found['repository']}"
        self._repository = found["repository"]
        self._version = found["tag"] or found["digest"]
        self._digest: str | None = found["digest"]
        registry = registry_of(reference)
        self._base = f"{registry}/v2/{found['repository']}"
        self._get = _session(
            found["registry"],
            self._name,
            insecure=registry.startswith("http:"),
            login=logins.of_registry(found["registry"]),
        )

    def describe(self) -> OciFile:
        """Read the manifest. Raises ModelUnavailable, or ModelTampered for a wrong digest."""
        body = b"".join(
            self._read(
                f"manifests/{self._version}", _MANIFEST_BYTES_MAX, ", ".join(_MANIFEST_TYPES)
            )
        )
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if self._digest not in {None, digest}:
            raise ModelTampered(f"{self._reference}: the registry sent another manifest, {digest}.")
        try:
            manifest = msgspec.json.decode(body, type=_Manifest)
        except msgspec.DecodeError as error:
            raise ModelUnavailable(
                f"{self._reference} is not the manifest of a model: {error}"
            ) from error
        layer = self._model_layer(manifest.layers)
        title = layer.annotations.get(_TITLE) or self._repository.rsplit("/", 1)[-1]
        source = f"{PREFIX}{self._name}@{digest}"
        return OciFile(source, title, layer.size, layer.digest.removeprefix("sha256:"))

    def fetch(self, described: OciFile, target: Path, report: Reporter) -> None:
        """Download into `target`, a new file; the caller compares the sha256."""
        done = 0
        with target.open("xb") as out:
            for piece in self._read(f"blobs/sha256:{described.sha256}", described.size_bytes):
                out.write(piece)
                done += len(piece)
                report("Downloading", done, described.size_bytes)

    def _model_layer(self, layers: list[_Layer]) -> _Layer:
        named = [
            layer
            for layer in layers
            if layer.media_type in _MODEL_TYPES
            or layer.annotations.get(_TITLE, "").endswith(".gguf")
        ]
        wanted = named or layers
        if len(wanted) != 1 or not _DIGEST.fullmatch(wanted[0].digest) or wanted[0].size < 1:
            raise ModelUnavailable(
                f"{self._reference} has {len(layers)} layers and {len(named)} of them are GGUF "
                "files; exactly one is needed. Models that are split must be joined first."
            )
        return wanted[0]

    def _read(self, path: str, most_bytes: int, accept: str = "*/*") -> Iterable[bytes]:
        """Yield a body's pieces, and refuse one that is longer than it may be."""
        for piece in self._pieces(path, accept):
            most_bytes -= len(piece)
            if most_bytes < 0:
                raise ModelTampered(f"{self._reference}: {path} is longer than announced.")
            yield piece

    def _pieces(self, path: str, accept: str) -> Iterable[bytes]:
        try:
            with self._get(f"{self._base}/{path}", accept) as response:
                response.raise_for_status()
                yield from response.iter_content(_PIECE_BYTES)
        except Exception as error:  # whatever its HTTP client raises
            raise _refused(self._reference, error) from error


class _Layer(msgspec.Struct, frozen=True, rename="camel"):
    digest: str
    size: int
    media_type: str = ""
    annotations: dict[str, str] = {}


class _Manifest(msgspec.Struct, frozen=True):
    layers: list[_Layer]


class _Response(Protocol):
    def __enter__(self) -> Self: ...
    def __exit__(self, *unused: object) -> None: ...
    def raise_for_status(self) -> None: ...
    def iter_content(self, chunk_size: int) -> Iterable[bytes]: ...


class _Get(Protocol):
    def __call__(self, url: str, accept: str) -> _Response: ...


class _Authentication(Protocol):
    def load_configs(self, container: object) -> None: ...
    def set_basic_auth(self, username: str, password: str) -> None: ...


class _Registry(Protocol):
    """What we use of `oras.provider.Registry`."""

    auth: _Authentication

    def __init__(self, hostname: str, *, insecure: bool) -> None: ...
    def get_container(self, name: str) -> object: ...
    def do_request(
        self, url: str, method: str, *, headers: dict[str, str], stream: bool
    ) -> _Response: ...


class _Library(Protocol):
    Registry: type[_Registry]


def _session(hostname: str, name: str, *, insecure: bool, login: tuple[str, str] | None) -> _Get:
    """Make a function that sends a GET request, signing in when the registry asks for it."""
    try:
        library = cast("_Library", importlib.import_module("oras.provider"))
    except ImportError as error:
        raise ModelUnavailable(
            "Models from an OCI registry need one more library: pip install 'linarite[oci]'"
        ) from error
    registry = library.Registry(hostname, insecure=insecure)
    if login is None:
        registry.auth.load_configs(registry.get_container(name))
    else:
        registry.auth.set_basic_auth(*login)
    # The library retries for two minutes before it says that a registry cannot be reached.
    retrying = library.Registry.do_request
    request = getattr(retrying, "__wrapped__", retrying)

    def get(url: str, accept: str) -> _Response:
        return request(registry, url, "GET", headers={"Accept": accept}, stream=True)

    return get


def _refused(reference: str, error: Exception) -> ModelUnavailable:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return ModelUnavailable(
        f"{reference} cannot be had: {lines[0][:_SHOWN_CHARACTERS]} Check the name, the "
        "connection and, for private registries, your sign-in (docker login; of a server: "
        "models.registries)."
    )

"""The models on disk.

    <folder>/<name>/manifest.json   what it is, with its sha256
    <folder>/<name>/<file>.gguf     the weights
    <folder>/<name>/checked.json    the file as it was when its sha256 was last computed
    <folder>/.incoming/<name>/      a model on its way in or out
    <folder>/.locks/<name>          held while a model is added or removed

Everything is private to its owner (0700, 0600). A model is in the store whole or not at all,
whenever a process is killed. Calls block; from async code use a thread.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from linarite.hosting.models import intake, offers, staging
from linarite.hosting.models.catalogue import find, known
from linarite.hosting.models.errors import ModelNameInvalid, ModelNotFound, ModelTampered
from linarite.hosting.models.hub import PREFIX as HUB_PREFIX
from linarite.hosting.models.hub import Hub
from linarite.hosting.models.manifest import (
    MANIFEST_FILE,
    Manifest,
    damaged,
    look_at,
    read_checked,
    read_manifest,
    write_checked,
)
from linarite.hosting.models.oci import PREFIX as REGISTRY_PREFIX
from linarite.hosting.models.progress import Progress, Reporter, silent

if TYPE_CHECKING:
    from linarite.hosting.models.offers import Offer

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


class ModelStore:
    """Adds, finds, checks and removes models under one folder."""

    def __init__(self, folder: Path, *, hub_endpoint: str | None = None) -> None:
        """`hub_endpoint` replaces the Hugging Face Hub's address (a mirror); None keeps it."""
        self._folder = folder
        self._hub = Hub(hub_endpoint)

    def get(self, name: str) -> Manifest:
        """The manifest. Raises ModelNotFound, or ModelTampered when it cannot be read."""
        name = _valid(name)
        try:
            return read_manifest(self._folder / name)
        except FileNotFoundError:
            raise ModelNotFound(name, self._names(), addable=find(name) is not None) from None

    def verified_path(self, name: str, *, progress: Progress = silent) -> Path:
        """The weights, with the sha256 that was recorded. Call it right before loading.

        The file is hashed only when its inode, size or times differ from those of the last check,
        so that a start does not read hundreds of megabytes each time. Whoever can write to the
        store as its owner can fake a check; decay, truncation and a replaced file are noticed.
        Raises ModelNotFound, ModelTampered.
        """
        manifest = self.get(name)
        folder = self._folder / manifest.name
        path = folder / manifest.file
        try:
            seen = look_at(path, manifest.sha256)
            if seen == read_checked(folder):
                return path
            sha256 = staging.sha256_of(path, Reporter(manifest.name, progress))
        except FileNotFoundError:
            raise damaged(manifest.name, f"{manifest.file} is missing") from None
        if sha256 != manifest.sha256:
            raise damaged(
                manifest.name, f"{manifest.file} is not what was added (its sha256 differs)"
            )
        with contextlib.suppress(OSError):  # a store that is mounted read-only is hashed each time
            write_checked(folder, seen)
        return path

    def add(
        self,
        what: str,
        *,
        name: str | None = None,
        version: str | None = None,
        progress: Progress = silent,
    ) -> Manifest:
        """Add a file's path, a name of the catalogue, an `hf:` or an `oci://` reference.

        Adding the same again changes nothing. `name` and `version` replace those that the source
        suggests. Raises any ModelStoreError.
        """
        return self._admit(self._offer(what), name, version, progress)

    def add_file(
        self,
        path: Path,
        *,
        name: str | None = None,
        version: str | None = None,
        progress: Progress = silent,
    ) -> Manifest:
        """Copy a GGUF file in. Raises ModelFileInvalid before anything is copied."""
        return self._admit(offers.from_file(path), name, version, progress)

    def add_from_catalogue(self, name: str, *, progress: Progress = silent) -> Manifest:
        """Download a model of the catalogue, compared with pinned hashes at every step.

        Raises ModelUnavailable when it cannot be had; the message says why and what else to do.
        """
        return self._admit(offers.from_catalogue(known(name)), None, None, progress)

    def remove(self, name: str) -> None:
        """Take a model out. Engines that have it open go on. Raises ModelNotFound."""
        name = _valid(name)
        if not intake.discard(self._folder, name, Reporter(name, silent)):
            raise ModelNotFound(name, self._names(), addable=find(name) is not None)

    def damaged(self) -> tuple[str, ...]:
        """Names of models whose manifest cannot be read."""
        return tuple(name for name in self._names() if self._readable(name) is None)

    def list(self) -> list[Manifest]:
        """Every model that can be read, by name."""
        return [manifest for name in self._names() if (manifest := self._readable(name))]

    def _offer(self, what: str) -> Offer:
        """A name of the catalogue wins over a file of that name; `./NAME` means the file."""
        if what.startswith(HUB_PREFIX):
            return offers.from_hub(self._hub, what)
        if what.startswith(REGISTRY_PREFIX):
            return offers.from_registry(what)
        if model := find(what):
            return offers.from_catalogue(model)
        path = Path(what).expanduser()
        if path.suffix == ".gguf" or "/" in what or path.exists():
            return offers.from_file(path)
        return offers.from_catalogue(known(what))

    def _admit(
        self, offer: Offer, name: str | None, version: str | None, progress: Progress
    ) -> Manifest:
        named = msgspec.structs.replace(
            offer, name=_valid(name or offer.name), version=version or offer.version
        )
        return intake.admit(self._folder, named, Reporter(named.name, progress))

    def _names(self) -> tuple[str, ...]:
        return tuple(
            sorted(path.parent.name for path in self._folder.glob(f"[!.]*/{MANIFEST_FILE}"))
        )

    def _readable(self, name: str) -> Manifest | None:
        try:
            return read_manifest(self._folder / name)
        except (FileNotFoundError, ModelTampered):
            return None


def _valid(name: str) -> str:
    """Lower-case, as Azure compares model names without case."""
    lowered = name.lower()
    if not _NAME.fullmatch(lowered):
        raise ModelNameInvalid(name)
    return lowered

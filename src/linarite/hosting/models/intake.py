"""Brings an offered model into the store: whole, checked and durable, or not at all."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from linarite.hosting.models import staging
from linarite.hosting.models.errors import ModelExists, ModelFileInvalid, ModelTampered
from linarite.hosting.models.gguf_header import read_facts
from linarite.hosting.models.manifest import (
    Manifest,
    ModelCapabilities,
    look_at,
    read_manifest,
    write_checked,
    write_manifest,
)

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.hosting.models.gguf_facts import GgufFacts
    from linarite.hosting.models.offers import Offer
    from linarite.hosting.models.progress import Reporter

INCOMING = ".incoming"
LOCKS = ".locks"


def admit(folder: Path, offer: Offer, report: Reporter) -> Manifest:
    """Add the offered model to the store in `folder`; what is there already is returned.

    Raises ModelExists when another model has the name, ModelTampered for a wrong sha256,
    ModelFileInvalid, ModelUnavailable.
    """
    staging.private_folder(folder)
    with staging.locked(folder / LOCKS / offer.name, report):
        present = _present(folder / offer.name)
        if present is not None and offer.sha256:
            return _same(present, offer.sha256)
        staging.require_space(folder, offer.needed_bytes, f"Adding '{offer.name}'")
        incoming = staging.empty_folder(folder / INCOMING / offer.name)
        try:
            fresh = staging.private_folder(incoming / "model")
            manifest = _bring(offer, fresh, staging.private_folder(incoming / "scratch"), report)
            if present is not None:
                return _same(present, manifest.sha256)
            shutil.rmtree(folder / offer.name, ignore_errors=True)  # something damaged
            fresh.rename(folder / offer.name)
            staging.sync(folder)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
    return manifest


def discard(folder: Path, name: str, report: Reporter) -> bool:
    """Remove a model in one step; False when it was not there."""
    if not (folder / name).is_dir():
        return False
    with staging.locked(folder / LOCKS / name, report):
        outgoing = staging.empty_folder(folder / INCOMING / name)
        try:
            (folder / name).rename(outgoing / "model")
        except FileNotFoundError:
            return False
        finally:
            staging.sync(folder)
            shutil.rmtree(outgoing, ignore_errors=True)
    return True


def _present(place: Path) -> Manifest | None:
    """The model that is there; None when there is none, or one not worth keeping."""
    try:
        manifest = read_manifest(place)
        whole = (place / manifest.file).stat().st_size == manifest.size_bytes
    except (FileNotFoundError, NotADirectoryError, ModelTampered):
        return None
    return manifest if whole else None


def _same(present: Manifest, sha256: str) -> Manifest:
    if present.sha256 != sha256:
        raise ModelExists(present.name)
    return present


def _bring(offer: Offer, fresh: Path, scratch: Path, report: Reporter) -> Manifest:
    weights = fresh / offer.file
    offer.fill(weights, scratch, report)
    staging.seal_file(weights)
    sha256 = staging.sha256_of(weights, report)
    if offer.sha256 not in {"", sha256}:
        raise ModelTampered(
            f"What was downloaded for '{offer.name}' has the sha256 {sha256}, not "
            f"{offer.sha256}; it was thrown away. Try again, or another mirror."
        )
    manifest = _manifest(offer, read_facts(weights), sha256, weights.stat().st_size)
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

"""What the store knows about a model; kept in two small files beside the weights."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.model_lifecycle import Lifecycle
from linarite.hosting.models.errors import ModelTampered
from linarite.hosting.models.staging import write_durably

if TYPE_CHECKING:
    from pathlib import Path


class ModelCapabilities(msgspec.Struct, frozen=True):
    """What the model was made for, by its header."""

    chat_completion: bool = False
    """it carries a chat template"""
    completion: bool = False
    embeddings: bool = False
    tools: bool = False
    """its chat template knows tools"""
    fill_in_the_middle: bool = False
    """its vocabulary has the markers for prefix, suffix and middle"""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a model in the store."""

    name: str
    """lower case; also the name of the folder that holds its versions"""
    version: str
    file: str
    """the file's name inside the version's folder"""
    sha256: str
    size_bytes: int
    source: str
    """where it came from: `file:…`, `package:…`, `hf:…` or `oci://…`"""
    licence: str
    """SPDX identifier when known, else ''"""
    added_at: datetime
    """UTC"""
    title: str = ""
    architecture: str = ""
    """`general.architecture` of the header"""
    capabilities: ModelCapabilities = ModelCapabilities()
    context_length: int = 0
    """tokens; 0 when unknown"""
    embedding_length: int = 0
    """length of a vector it makes; 0 when it makes none"""
    parameters: int = 0
    quantisation: str = ""
    query_prefix: str = ""
    """what it was trained to see before a search query, for embedding models"""
    passage_prefix: str = ""
    """what it was trained to see before a text to be found"""
    lifecycle: Lifecycle = Lifecycle()


MANIFEST_FILE = "manifest.json"
CHECKED_FILE = "checked.json"
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def read_manifest(folder: Path, name: str) -> Manifest:
    """Read the manifest in `folder`, which must be of the model of that name.

    Raises FileNotFoundError when there is none, ModelTampered when it is no good.
    """
    content = (folder / MANIFEST_FILE).read_bytes()
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise damaged(name, f"its manifest cannot be read ({error})") from error
    if manifest.name != name or not _FILE_NAME.fullmatch(manifest.file):
        raise damaged(name, "its manifest names another model or no proper file")
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it so that people can read it too."""
    write_durably(folder / MANIFEST_FILE, msgspec.json.format(msgspec.json.encode(manifest)))


def damaged(name: str, why: str) -> ModelTampered:
    """Say that a model in the store is not what was put there."""
    return ModelTampered(
        f"Model '{name}' is damaged: {why}. Remove it (linarite model remove {name}) and add it "
        "again."
    )


class Checked(msgspec.Struct, frozen=True):
    """What the weights' file looked like when its sha256 was last computed."""

    sha256: str
    inode: int
    size: int
    modified_ns: int
    changed_ns: int
    """of the inode; unlike the time of modification, a program cannot set it"""


def look_at(path: Path, sha256: str) -> Checked:
    """Describe the file as it is now. Raises FileNotFoundError."""
    status = path.lstat()
    return Checked(
        sha256=sha256,
        inode=status.st_ino,
        size=status.st_size,
        modified_ns=status.st_mtime_ns,
        changed_ns=status.st_ctime_ns,
    )


def read_checked(folder: Path) -> Checked | None:
    """What was noted at the last check; None when there is no readable note."""
    try:
        return msgspec.json.decode((folder / CHECKED_FILE).read_bytes(), type=Checked)
    except (OSError, msgspec.DecodeError):
        return None


def write_checked(folder: Path, checked: Checked) -> None:
    """Note a check."""
    write_durably(folder / CHECKED_FILE, msgspec.json.encode(checked))

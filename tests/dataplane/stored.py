"""Keepers of files for tests that store none, or little."""

from __future__ import annotations

from linarite.files import FileKeeper
from linarite.files.options import Files
from linarite.storage.memory.blobs import MemoryBlobs
from linarite.storage.memory.stored_objects import MemoryStoredObjects


def no_files() -> FileKeeper:
    """An empty one, in memory."""
    return FileKeeper(MemoryStoredObjects(), MemoryBlobs(), Files())

"""`python -m linarite.vector_stores.reader MEMORY_BYTES CPU_SECONDS FOLDER`: one for each file."""

from __future__ import annotations

import gc
import sys
from functools import cache, partial
from importlib import import_module
from pathlib import Path, PurePath

from linarite.engines.worker_process.forking import fork_for_each
from linarite.vector_stores.reader.formats import DOCUMENTS
from linarite.vector_stores.reader.one_file import Bounds, read_file
from linarite.vector_stores.reader.unpacking import unpack


def main() -> None:
    """What many readers need is loaded once, by a name alone: nothing else is known here."""
    _, memory_bytes, cpu_seconds, folder = sys.argv
    bounds = Bounds(int(memory_bytes), int(cpu_seconds))
    unpack(Path(folder))
    fork_for_each(_prepare, partial(read_file, bounds))


def _prepare(filename: str) -> None:
    if PurePath(filename).suffix.lower() in DOCUMENTS:
        _load()


@cache
def _load() -> None:
    import_module("kreuzberg")
    gc.freeze()


if __name__ == "__main__":
    main()

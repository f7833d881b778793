"""Documents in a folder."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from linarite.cli.knowledge.documents import Document, problem_of
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from linarite.cli.knowledge.documents import Meant

BLOCK_BYTES = 1024 * 1024


class Folder:
    """A `DocumentSource`. Files that are as they were, by size and time, are not read again."""

    def __init__(self, root: Path, meant: Meant) -> None:
        """Raises SetupError where there is none."""
        if not root.is_dir():
            raise SetupError(f"{root} is no folder.")
        self._root = root.resolve()
        self._meant = meant
        self._known: dict[str, tuple[tuple[int, int], Document]] = {}

    @property
    def name(self) -> str:
        """Its own."""
        return self._root.name or "root"

    async def documents(self, seen: Callable[[], None]) -> list[Document]:
        """See DocumentSource."""
        return await asyncio.to_thread(self._documents, seen)

    async def content(self, document: Document) -> bytes:
        """See DocumentSource."""
        return await asyncio.to_thread((self._root / document.path).read_bytes)

    async def close(self) -> None:
        """See DocumentSource."""

    def _documents(self, seen: Callable[[], None]) -> list[Document]:
        found: list[Document] = []
        for path in self._files():
            found.append(self._document(path))
            seen()
        return sorted(found)

    def _files(self) -> Iterator[Path]:
        """Files that are meant; no link that leads out of the folder."""
        for folder, folders, names in os.walk(self._root):
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            for path in (Path(folder) / name for name in names):
                if not self._meant(path.relative_to(self._root).as_posix()):
                    continue
                if path.is_symlink() and not path.resolve().is_relative_to(self._root):
                    continue
                yield path

    def _document(self, path: Path) -> Document:
        within = path.relative_to(self._root).as_posix()
        try:
            stat = path.stat()
            mark = (stat.st_size, stat.st_mtime_ns)
            known = self._known.get(within)
            if known is not None and known[0] == mark:
                return known[1]
            problem = problem_of(within, stat.st_size)
            document = Document(within, "" if problem else _digest(path), problem)
        except OSError as unreadable:
            return Document(within, "", unreadable.strerror or "can't be read")
        self._known[within] = (mark, document)
        return document


def _digest(path: Path) -> str:
    """SHA-256, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as opened:
        while block := opened.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()

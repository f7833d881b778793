"""Documents in a folder."""

from __future__ import annotations

import hashlib
import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BYTES_MAX = 512 * 1024 * 1024
"""of a file, Azure's bound"""
PATH_MAX = 512
"""characters of an attribute"""
BLOCK_BYTES = 1024 * 1024
TEMPORARY = ("~$*", "*.tmp", "Thumbs.db", "desktop.ini")


class Document(NamedTuple):
    """A file, or why it can't be read."""

    path: str
    """within the folder, with slashes"""
    digest: str
    """SHA-256 of its content, in hexadecimal digits; "" where it can't be read"""
    problem: str = ""


class Folder:
    """A folder and which of its files are meant."""

    def __init__(self, root: Path, include: Sequence[str], exclude: Sequence[str]) -> None:
        """Raises SetupError where there is none."""
        if not root.is_dir():
            raise SetupError(f"{root} is no folder.")
        self._root = root.resolve()
        self._include = include or ("*",)
        self._exclude = (*exclude, *TEMPORARY)
        self._known: dict[str, tuple[tuple[int, int], Document]] = {}

    @property
    def name(self) -> str:
        """Its own."""
        return self._root.name or "root"

    def documents(self, seen: Callable[[], None]) -> list[Document]:
        """All files, by their paths; `seen` is called for each.

        Those that are as they were, by size and time, are not read again.
        """
        found: list[Document] = []
        for path in self._files():
            found.append(self._document(path))
            seen()
        return sorted(found)

    def content(self, document: Document) -> bytes:
        """What it holds. Raises OSError."""
        return (self._root / document.path).read_bytes()

    def _files(self) -> Iterator[Path]:
        """Files that are meant; nothing hidden, and no link that leads out of the folder."""
        for folder, folders, names in os.walk(self._root):
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            for name in names:
                path = Path(folder) / name
                within = path.relative_to(self._root).as_posix()
                if name.startswith(".") or not self._is_meant(within, name):
                    continue
                if path.is_symlink() and not path.resolve().is_relative_to(self._root):
                    continue
                yield path

    def _is_meant(self, within: str, name: str) -> bool:
        def one_of(patterns: Sequence[str]) -> bool:
            return any(fnmatchcase(within, each) or fnmatchcase(name, each) for each in patterns)

        return one_of(self._include) and not one_of(self._exclude)

    def _document(self, path: Path) -> Document:
        within = path.relative_to(self._root).as_posix()
        try:
            stat = path.stat()
            mark = (stat.st_size, stat.st_mtime_ns)
            known = self._known.get(within)
            if known is not None and known[0] == mark:
                return known[1]
            problem = _problem(within, stat.st_size)
            document = Document(within, "" if problem else _digest(path), problem)
        except OSError as unreadable:
            return Document(within, "", unreadable.strerror or "can't be read")
        self._known[within] = (mark, document)
        return document


def _problem(within: str, size: int) -> str:
    if not size:
        return "is empty"
    if size > BYTES_MAX:
        return f"is larger than {BYTES_MAX:,} bytes"
    return f"has a path of more than {PATH_MAX} characters" if len(within) > PATH_MAX else ""


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as opened:
        while block := opened.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()

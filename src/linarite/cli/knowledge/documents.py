"""Where documents come from: what a sync asks of a folder or of an object store."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BYTES_MAX = 512 * 1024 * 1024
"""of a file, Azure's bound"""
PATH_MAX = 512
"""characters of an attribute"""
TEMPORARY = ("~$*", "*.tmp", "Thumbs.db", "desktop.ini")


class Document(NamedTuple):
    """A file, or why it can't be read."""

    path: str
    """within its source, with slashes"""
    digest: str
    """changes with its content; "" where it can't be read"""
    problem: str = ""


class DocumentSource(Protocol):
    """Documents by their paths."""

    @property
    def name(self) -> str:
        """What a store calls it where nobody says otherwise."""
        ...

    async def documents(self, seen: Callable[[], None]) -> list[Document]:
        """All that are meant, by their paths; `seen` is called for each. Raises SetupError."""
        ...

    async def content(self, document: Document) -> bytes:
        """What one holds. Raises OSError."""
        ...

    async def close(self) -> None:
        """Leave it."""
        ...


class Meant:
    """Which paths are meant: by patterns of paths or of names, and nothing hidden."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include = include or ("*",)
        self._exclude = (*exclude, *TEMPORARY)

    def __call__(self, path: str) -> bool:
        """Whether a path is."""
        name = path.rpartition("/")[2]

        def one_of(patterns: Sequence[str]) -> bool:
            return any(fnmatchcase(path, each) or fnmatchcase(name, each) for each in patterns)

        hidden = any(part.startswith(".") for part in path.split("/"))
        return bool(name) and not hidden and one_of(self._include) and not one_of(self._exclude)


def problem_of(path: str, size: int) -> str:
    """Why a file can't become one of an account; "" where it can."""
    if not size:
        return "is empty"
    if size > BYTES_MAX:
        return f"is larger than {BYTES_MAX:,} bytes"
    return f"has a path of more than {PATH_MAX} characters" if len(path) > PATH_MAX else ""

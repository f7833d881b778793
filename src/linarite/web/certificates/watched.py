"""Files that are read anew when they change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = structlog.get_logger("linarite.web")

T = TypeVar("T")


class Watched(Generic[T]):
    """What is made of some files, all of them together, as they were last good."""

    def __init__(self, files: Sequence[str | Path], make: Callable[[list[bytes]], T]) -> None:
        """Read them. `make` raises ValueError or OSError for what can't be used; so does this."""
        self.files = [Path(file) for file in files]
        self._make = make
        self._seen = self._marks()
        self.now = make([file.read_bytes() for file in self.files])

    def look(self) -> bool:
        """Read them anew if they have changed; whether there is something new.

        What can't be used is logged once, and the old stays: a writer may be half-way.
        """
        try:
            marks = self._marks()
            if marks == self._seen:
                return False
            contents = [file.read_bytes() for file in self.files]
            if marks != self._marks():
                return False  # somebody writes: the next look has it
            self._seen = marks
            self.now = self._make(contents)
        except (OSError, ValueError) as problem:
            if self._told_of(problem):
                log.warning(
                    "changed file can't be used, the old one stays in use",
                    files=[str(file) for file in self.files],
                    reason=str(problem),
                )
            return False
        log.info("file read anew", files=[str(file) for file in self.files])
        return True

    _told = ""

    def _told_of(self, problem: Exception) -> bool:
        """Whether it is to be told: not again and again."""
        text = f"{self._seen} {problem}"
        if text == self._told:
            return False
        self._told = text
        return True

    def _marks(self) -> list[tuple[int, int, int]]:
        """What differs when a file has been written or replaced, links followed."""
        found = [file.stat() for file in self.files]
        return [(stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in found]

"""Actions as roles write them: compared without case, `*` stands for anything, slashes included.

Source: learn.microsoft.com, "Understand Azure role definitions", Actions format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Wildcards:
    """Some patterns, taken apart once; hashable, for they never change."""

    __slots__ = ("_exact", "_open", "words")

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self.words = tuple(patterns)
        """the patterns as they were written"""
        lowered = [pattern.lower() for pattern in self.words]
        self._exact = frozenset(pattern for pattern in lowered if "*" not in pattern)
        self._open = tuple(tuple(pattern.split("*")) for pattern in lowered if "*" in pattern)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.words)

    def __eq__(self, other: object) -> bool:
        """Whether they are the same patterns."""
        return isinstance(other, Wildcards) and self.words == other.words

    def __hash__(self) -> int:
        return hash(self.words)

    def __repr__(self) -> str:
        return f"Wildcards({list(self.words)})"

    def match(self, action: str) -> bool:
        """Whether one of them covers an action, which must be in lower case."""
        return action in self._exact or any(_fits(action, pieces) for pieces in self._open)


def _fits(action: str, pieces: tuple[str, ...]) -> bool:
    """Whether the pieces stand in the action in order, the first and last at its ends.

    Taking each piece as early as it comes never misses a match, so no time is lost going back.
    """
    first, *middle, last = pieces
    end = len(action) - len(last)
    if end < len(first) or not action.startswith(first) or not action.endswith(last):
        return False
    at = len(first)
    for piece in middle:
        found = action.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True

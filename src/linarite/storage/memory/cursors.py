"""Cursors of diagnostic settings in a dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from linarite.domain.diagnostics import Cursor


class MemoryCursorStore:
    """`CursorStore` without a file: gone with the process."""

    def __init__(self) -> None:
        self._cursors: dict[str, Cursor] = {}

    async def all(self) -> list[Cursor]:
        """Every one, ordered by key."""
        return [self._cursors[key] for key in sorted(self._cursors)]

    async def keep(self, cursor: Cursor) -> None:
        """Write it."""
        self._cursors[cursor.key] = cursor

    async def forget(self, keys: Collection[str]) -> None:
        """Remove those of these keys."""
        for key in keys:
            self._cursors.pop(key, None)

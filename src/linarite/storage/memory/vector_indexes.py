"""The contents of vector stores for as long as the process lives: the same tables, in memory."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, TypeVar

from linarite.storage.vector_index import SqliteVectorIndex
from linarite.storage.vector_schema import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable

ResultT = TypeVar("ResultT")


class MemoryVectorIndexes:
    """`VectorIndexes`."""

    def __init__(self) -> None:
        self._kept: dict[str, sqlite3.Connection] = {}

    def of(self, name: str) -> SqliteVectorIndex:
        """See VectorIndexes."""
        return SqliteVectorIndex(_Tables(self._kept, name))

    async def remove(self, name: str) -> None:
        """See VectorIndexes."""
        removed = self._kept.pop(name, None)
        if removed is not None:
            removed.close()

    async def names(self) -> list[str]:
        """See VectorIndexes."""
        return sorted(self._kept)

    async def coming(self, name: str) -> bool:
        """See VectorIndexes."""
        counts, _ = await self.of(name).summary()
        return counts.in_progress > 0


class _Tables:
    """`IndexFile`."""

    def __init__(self, kept: dict[str, sqlite3.Connection], name: str) -> None:
        self._kept = kept
        self._name = name

    async def write(self, act: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        """See IndexFile."""
        connection = self._kept.get(self._name)
        if connection is None:
            connection = sqlite3.connect(":memory:", isolation_level=None)
            connection.executescript(SCHEMA)
            self._kept[self._name] = connection
        connection.execute("BEGIN")
        try:
            result = act(connection)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return result

    async def change(
        self, act: Callable[[sqlite3.Connection], ResultT], absent: ResultT
    ) -> ResultT:
        """See IndexFile."""
        return await self.write(act) if self._name in self._kept else absent

    async def read(self, act: Callable[[sqlite3.Connection], ResultT], absent: ResultT) -> ResultT:
        """See IndexFile."""
        connection = self._kept.get(self._name)
        return act(connection) if connection is not None else absent

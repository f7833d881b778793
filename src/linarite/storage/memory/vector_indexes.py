"""The contents of vector stores for as long as the process lives: the same tables, in memory."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, TypeVar

from linarite.storage.vector_index import SqliteVectorIndex
from linarite.storage.vector_schema import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.vector_store import FileKey

ResultT = TypeVar("ResultT")


class MemoryVectorIndexes:
    """`VectorIndexes`."""

    def __init__(self) -> None:
        self._kept: dict[str, sqlite3.Connection] = {}

    def of(self, name: str, key: FileKey | None = None) -> SqliteVectorIndex:
        """See VectorIndexes."""
        return SqliteVectorIndex(_Tables(self._kept, name, key))

    async def seal(self, name: str, key: bytes) -> None:
        """See VectorIndexes. Nothing of it is on a disk."""

    async def remove(self, name: str) -> None:
        """See VectorIndexes."""
        removed = self._kept.pop(name, None)
        if removed is not None:
            removed.close()

    async def names(self) -> list[str]:
        """See VectorIndexes."""
        return sorted(self._kept)


class _Tables:
    """`IndexFile`."""

    def __init__(self, kept: dict[str, sqlite3.Connection], name: str, key: FileKey | None) -> None:
        self._kept = kept
        self._name = name
        self._key = key

    async def write(self, act: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        """See IndexFile."""
        await self._ask()
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
        await self._ask()
        connection = self._kept.get(self._name)
        return act(connection) if connection is not None else absent

    async def _ask(self) -> None:
        """Without its key nothing of a sealed store is told here either."""
        if self._key is not None:
            await self._key.read()

"""Cursors of diagnostic settings in `linarite.db`, one row for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, insert, select

from linarite.domain.diagnostics import Cursor
from linarite.storage.tables.state import diagnostic_cursors

if TYPE_CHECKING:
    from collections.abc import Collection

    from linarite.storage.database import Database

_decode = msgspec.json.Decoder(Cursor).decode
_columns = diagnostic_cursors.c


class SqliteCursorStore:
    """`CursorStore` on a database; every write is flushed to disk before it returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Cursor]:
        """Every one, ordered by key."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(_columns.body).order_by(_columns.key))
            return [_decode(body) for (body,) in rows]

    async def keep(self, cursor: Cursor) -> None:
        """Write it."""
        async with self._database.writing() as connection:
            await connection.execute(delete(diagnostic_cursors).where(_columns.key == cursor.key))
            body = msgspec.json.encode(cursor).decode()
            await connection.execute(insert(diagnostic_cursors).values(key=cursor.key, body=body))

    async def forget(self, keys: Collection[str]) -> None:
        """Remove those of these keys."""
        async with self._database.writing() as connection:
            for key in keys:
                await connection.execute(delete(diagnostic_cursors).where(_columns.key == key))

"""Counts of days and months in `linarite.db`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import and_, bindparam, delete, insert, select

from linarite.domain.ledger import LastingCount
from linarite.storage.tables.state import lasting_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.storage.database import Database

_columns = lasting_counts.c


class SqliteLastingCounts:
    """`LastingCounts` on a database; every write is flushed to disk before it returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self) -> list[LastingCount]:
        """See LastingCounts."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(lasting_counts))).all()
        return [LastingCount(*row) for row in rows]

    async def write(self, counts: Sequence[LastingCount], *, now: float) -> None:
        """See LastingCounts."""
        rows = [msgspec.structs.asdict(count) for count in counts]
        same = and_(
            _columns.key == bindparam("its_key"), _columns.period == bindparam("its_period")
        )
        places = [{"its_key": each.key, "its_period": each.period} for each in counts]
        async with self._database.writing() as connection:
            await connection.execute(delete(lasting_counts).where(_columns.over_at <= int(now)))
            if rows:
                await connection.execute(delete(lasting_counts).where(same), places)
                await connection.execute(insert(lasting_counts), rows)

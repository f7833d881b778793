"""States of alerts in `linarite.db`, one row for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, insert, select

from linarite.domain.alerts import AlertState
from linarite.storage.tables.state import alert_states

if TYPE_CHECKING:
    from collections.abc import Collection

    from linarite.storage.database import Database

_decode = msgspec.json.Decoder(AlertState).decode
_columns = alert_states.c


class SqliteAlertStates:
    """`AlertStates` on a database; every write is flushed to disk before it returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[AlertState]:
        """Every one, ordered by key."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(_columns.body).order_by(_columns.key))
            return [_decode(body) for (body,) in rows]

    async def keep(self, state: AlertState) -> None:
        """Write it."""
        body = msgspec.json.encode(state).decode()
        async with self._database.writing() as connection:
            await connection.execute(delete(alert_states).where(_columns.key == state.key))
            await connection.execute(insert(alert_states).values(key=state.key, body=body))

    async def forget(self, keys: Collection[str]) -> None:
        """Remove those of these keys."""
        async with self._database.writing() as connection:
            for key in keys:
                await connection.execute(delete(alert_states).where(_columns.key == key))

"""The activity log in `linarite.db`, one row for each event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, insert, or_, select

from linarite.domain.activity import ActivityEvent
from linarite.storage.resource_id import id_key, range_under
from linarite.storage.tables.state import activity_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select

    from linarite.domain.activity import ActivityQuery
    from linarite.storage.database import Database

_decode = msgspec.json.Decoder(ActivityEvent).decode


class SqliteActivityLog:
    """`ActivityLog` on a database; every write is flushed to disk before it returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, events: Sequence[ActivityEvent]) -> None:
        """Keep them, all or none."""
        rows = [
            {
                "subscription_key": event.subscription.lower(),
                "at": event.at,
                "resource_key": id_key(event.resource_id),
                "correlation_key": event.correlation_id.lower(),
                "body": msgspec.json.encode(event).decode(),
            }
            for event in events
        ]
        async with self._database.writing() as connection:
            await connection.execute(insert(activity_events), rows)

    async def read(self, query: ActivityQuery) -> list[ActivityEvent]:
        """Those that match, the newest first."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(_matching(query))).all()
        return [msgspec.structs.replace(_decode(body), seq=seq) for seq, body in rows]

    async def forget(self, before: str) -> int:
        """Remove what happened before a time; how many there were."""
        async with self._database.writing() as connection:
            gone = await connection.execute(
                delete(activity_events).where(activity_events.c.at < before)
            )
        return gone.rowcount


def _matching(query: ActivityQuery) -> Select[int, str]:
    columns = activity_events.c
    wanted = select(columns.seq, columns.body).where(
        columns.subscription_key == query.subscription.lower()
    )
    if query.since:
        wanted = wanted.where(columns.at >= query.since)
    if query.until:
        wanted = wanted.where(columns.at <= query.until)
    if query.under:
        first, end = range_under(query.under)
        below = (columns.resource_key >= first) & (columns.resource_key < end)
        wanted = wanted.where(or_(columns.resource_key == id_key(query.under), below))
    if query.correlation_id:
        wanted = wanted.where(columns.correlation_key == query.correlation_id.lower())
    if query.before_seq:
        wanted = wanted.where(columns.seq < query.before_seq)
    return wanted.order_by(columns.seq.desc()).limit(query.limit)

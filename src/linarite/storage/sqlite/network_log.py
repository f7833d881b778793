"""The network log in `linarite.db`, one row for each entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import and_, delete, func, insert, select, update

from linarite.domain.network_log import Entry, joined, key_of
from linarite.storage.network_key import ENTRIES_MAX, network_key, place_of
from linarite.storage.resource_id import id_key
from linarite.storage.tables.state import network_entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from linarite.domain.network_log import NetworkQuery
    from linarite.storage.database import Database

_decode = msgspec.json.Decoder(Entry).decode


class SqliteNetworkLog:
    """`NetworkLog` on a database; every write is flushed to disk before it returns."""

    def __init__(self, database: Database, entries_max: int = ENTRIES_MAX) -> None:
        self._database = database
        self._entries_max = entries_max

    async def add(self, entries: Sequence[Entry]) -> None:
        """Count them, all or none."""
        async with self._database.writing() as connection:
            for entry in entries:
                await _count(connection, entry)
            for account_key, category in {_group(entry) for entry in entries}:
                await self._bound(connection, account_key, category)

    async def read(self, query: NetworkQuery) -> list[Entry]:
        """Those that match, what was seen last first."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(_matching(query))).all()
        return [msgspec.structs.replace(_decode(body), place=place) for place, body in rows]

    async def forget(self, before: str) -> int:
        """Remove what was last seen before a time; how many there were."""
        async with self._database.writing() as connection:
            gone = await connection.execute(
                delete(network_entries).where(network_entries.c.last_at < before)
            )
        return gone.rowcount

    async def _bound(self, connection: AsyncConnection, account_key: str, category: str) -> None:
        """Remove what was seen longest ago of an account and category, beyond what is kept."""
        columns = network_entries.c
        group = and_(columns.account_key == account_key, columns.category == category)
        counted = await connection.execute(
            select(func.count()).select_from(network_entries).where(group)
        )
        if counted.scalar_one() <= self._entries_max:
            return
        kept = (
            select(columns.key).where(group).order_by(columns.place.desc()).limit(self._entries_max)
        )
        await connection.execute(delete(network_entries).where(group, columns.key.not_in(kept)))


def _group(entry: Entry) -> tuple[str, str]:
    return id_key(entry.what.account_id), entry.what.category


async def _count(connection: AsyncConnection, entry: Entry) -> None:
    columns = network_entries.c
    key = network_key(key_of(entry))
    there = (await connection.execute(select(columns.body).where(columns.key == key))).first()
    counted = joined(_decode(there[0]), entry) if there is not None else entry
    row: dict[str, Any] = {
        "last_at": counted.last_at,
        "place": place_of(counted.last_at, key),
        "body": msgspec.json.encode(counted).decode(),
    }
    if there is not None:
        await connection.execute(update(network_entries).where(columns.key == key).values(**row))
        return
    what = entry.what
    await connection.execute(
        insert(network_entries).values(
            key=key,
            account_key=id_key(what.account_id),
            perimeter_key=id_key(what.perimeter_id),
            category=what.category,
            direction=what.direction,
            **row,
        )
    )


def _matching(query: NetworkQuery) -> Select[str, str]:
    columns = network_entries.c
    wanted = select(columns.place, columns.body)
    for column, value in (
        (columns.account_key, id_key(query.account_id)),
        (columns.perimeter_key, id_key(query.perimeter_id)),
        (columns.category, query.category),
        (columns.direction, query.direction),
    ):
        if value:
            wanted = wanted.where(column == value)
    if query.since:
        wanted = wanted.where(columns.last_at >= query.since)
    if query.after:
        wanted = wanted.where(columns.place < query.after)
    return wanted.order_by(columns.place.desc()).limit(query.limit)

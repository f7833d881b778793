"""The outbox of webhooks in `linarite.db`, one row for each letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, func, insert, select, update

from linarite.domain.outbox import ACCOUNT_WAITING_MAX, LETTERS_MAX, WAITING_MAX, Letter
from linarite.storage.resource_id import id_key
from linarite.storage.tables.state import webhook_letters

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from linarite.domain.outbox import OutboxQuery
    from linarite.storage.database import Database

_decode = msgspec.json.Decoder(Letter).decode
_columns = webhook_letters.c
_ended = _columns.state != "Waiting"


class SqliteOutbox:
    """`Outbox` on a database; every write is flushed to disk before it returns."""

    def __init__(
        self,
        database: Database,
        letters_max: int = LETTERS_MAX,
        waiting_max: int = WAITING_MAX,
        account_waiting_max: int = ACCOUNT_WAITING_MAX,
    ) -> None:
        self._database = database
        self._letters_max = letters_max
        self._waiting_max = waiting_max
        self._account_waiting_max = account_waiting_max

    async def add(self, letters: Sequence[Letter]) -> list[str]:
        """Keep those whose ids are not there yet; the ids of those that found no room."""
        async with self._database.writing() as connection:
            return [each.id for each in letters if not await self._added(connection, each)]

    async def due(self, at: str, limit: int, without: Collection[str] = ()) -> list[Letter]:
        """Those that wait and are due at a time, the longest due first."""
        wanted = (
            select(_columns.body)
            .where(*_waiting(without), _columns.due_at <= at)
            .order_by(_columns.due_at, _columns.id)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [_decode(body) for (body,) in await connection.execute(wanted)]

    async def next_due_at(self, without: Collection[str] = ()) -> str | None:
        """When the next one that waits is due; None when none waits."""
        soonest = select(func.min(_columns.due_at)).where(*_waiting(without))
        async with self._database.reading() as connection:
            return (await connection.execute(soonest)).scalar_one()

    async def keep(self, letter: Letter) -> None:
        """Replace the one with its id."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(webhook_letters).where(_columns.id == letter.id).values(**_row(letter))
            )

    async def read(self, query: OutboxQuery) -> list[Letter]:
        """Those that match, the newest first."""
        wanted = (
            select(_columns.body)
            .order_by(_columns.made_at.desc(), _columns.id.desc())
            .limit(query.limit)
        )
        if query.id:
            wanted = wanted.where(_columns.id == query.id)
        if query.state:
            wanted = wanted.where(_columns.state == query.state)
        if query.account_id:
            wanted = wanted.where(_columns.account_key == id_key(query.account_id))
        async with self._database.reading() as connection:
            return [_decode(body) for (body,) in await connection.execute(wanted)]

    async def forget(self, ended_before: str) -> int:
        """Remove those that ended before a time; how many there were."""
        async with self._database.writing() as connection:
            gone = await connection.execute(
                delete(webhook_letters).where(_ended, _columns.due_at < ended_before)
            )
        return gone.rowcount

    async def _added(self, connection: AsyncConnection, letter: Letter) -> bool:
        there = select(_columns.id).where(_columns.id == letter.id)
        if (await connection.execute(there)).first() is not None:
            return True
        alike = select(func.count()).where(
            *_waiting(()), _columns.destination == letter.destination
        )
        if (await connection.execute(alike)).scalar_one() >= self._waiting_max:
            return False
        if letter.account_id and await self._is_full(connection, letter.account_id):
            return False
        counted = await connection.execute(select(func.count()).select_from(webhook_letters))
        if counted.scalar_one() >= self._letters_max:
            oldest = (
                select(_columns.id).where(_ended).order_by(_columns.due_at, _columns.id).limit(1)
            )
            gone = await connection.execute(
                delete(webhook_letters).where(_columns.id.in_(oldest.scalar_subquery()))
            )
            if not gone.rowcount:
                return False
        await connection.execute(insert(webhook_letters).values(id=letter.id, **_row(letter)))
        return True

    async def _is_full(self, connection: AsyncConnection, account_id: str) -> bool:
        of_account = select(func.count()).where(
            *_waiting(()), _columns.account_key == id_key(account_id)
        )
        return (await connection.execute(of_account)).scalar_one() >= self._account_waiting_max


def _waiting(without: Collection[str]) -> list[ColumnElement[bool]]:
    return [_columns.state == "Waiting", _columns.destination.not_in(list(without))]


def _row(letter: Letter) -> dict[str, Any]:
    return {
        "destination": letter.destination,
        "account_key": id_key(letter.account_id),
        "state": letter.state,
        "made_at": letter.made_at,
        "due_at": letter.due_at,
        "body": msgspec.json.encode(letter).decode(),
    }

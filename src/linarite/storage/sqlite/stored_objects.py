"""What applications leave with an account, in `objects.db`."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from contextlib import asynccontextmanager
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import LargeBinary, and_, cast, delete, func, insert, or_, select, update

from linarite.domain.held_data import Held
from linarite.domain.stored_object import StoredObject
from linarite.storage.sqlite.stored_sizes import StoredSizes, read_sizes
from linarite.storage.tables.objects import stored_objects, stored_sizes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Delete, Select, Update
    from sqlalchemy.ext.asyncio import AsyncConnection

    from linarite.domain.stored_object import Page
    from linarite.storage.database import Database

PLACE = "objects.db, files/"

_columns = stored_objects.c
_NAMED_AT_ONCE = 500
"""ids in one question: SQLite bounds the values of a statement"""
_LARGE = 256 * 1024
"""characters that take milliseconds to read: meanwhile others are answered"""


class SqliteStoredObjects:
    """`StoredObjects` on a database; every write is flushed to disk before it returns."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sizes = StoredSizes(database)

    async def add(self, made: StoredObject) -> None:
        """See StoredObjects."""
        row = await asyncio.to_thread(_row, made)
        async with self._writing((), added=[row]) as connection:
            await connection.execute(insert(stored_objects), row.values)

    async def get(self, account_id: str, kind: str, object_id: str) -> StoredObject | None:
        """See StoredObjects."""
        found = await self._read(select(_columns.body).where(_one(account_id, kind, object_id)))
        return found[0] if found else None

    async def those(
        self, account_id: str, kind: str, object_ids: Sequence[str]
    ) -> list[StoredObject]:
        """See StoredObjects."""
        found: dict[str, StoredObject] = {}
        for at in range(0, len(object_ids), _NAMED_AT_ONCE):
            query = select(_columns.body).where(
                _columns.account_key == account_id.lower(),
                _columns.kind == kind,
                _columns.id.in_(object_ids[at : at + _NAMED_AT_ONCE]),
            )
            found |= {each.id: each for each in await self._read(query)}
        return [found[each] for each in object_ids if each in found]

    async def remove(self, account_id: str, kind: str, object_id: str) -> bool:
        """See StoredObjects."""
        async with self._writing((account_id,)) as connection:
            done = await connection.execute(
                delete(stored_objects).where(_one(account_id, kind, object_id))
            )
        return done.rowcount > 0

    async def write(
        self,
        *,
        added: Sequence[StoredObject] = (),
        replaced: Sequence[StoredObject] = (),
        removed: Sequence[StoredObject] = (),
        needed: Sequence[StoredObject] = (),
    ) -> bool:
        """See StoredObjects."""
        rows, changed = await asyncio.to_thread(
            lambda: ([_row(one) for one in added], [_row(one) for one in replaced])
        )
        changes: list[tuple[Update | Delete, int]] = [
            (update(stored_objects).where(_same(each)).values(row.values), 1)
            for each, row in zip(replaced, changed, strict=True)
        ]
        changes += [  # changed to what it is, it is proved to be there
            (update(stored_objects).where(_same(each)).values(id=_columns.id), 1) for each in needed
        ]
        changes += [
            (delete(stored_objects).where(some), number) for some, number in _together(removed)
        ]
        shrunk = {each.account_id for each in (*replaced, *removed)}
        try:
            async with self._writing(shrunk, added=rows) as connection:
                for change, number in changes:
                    await _executed(connection, change, number)
                if rows:
                    await connection.execute(insert(stored_objects), [row.values for row in rows])
        except _Gone:
            return False
        return True

    async def list(self, account_id: str, kind: str, page: Page) -> list[StoredObject]:
        """See StoredObjects."""
        query = select(_columns.body).where(
            _columns.account_key == account_id.lower(), _columns.kind == kind
        )
        if page.label:
            query = query.where(_columns.label == page.label)
        if page.owner is not None:
            query = query.where(_columns.owner == page.owner)
        if page.alive_at:
            expiry = _columns.expires_at
            query = query.where(or_(expiry == 0, expiry > page.alive_at))
        if page.after:
            beyond = _columns.id > page.after if page.ascending else _columns.id < page.after
            query = query.where(beyond)
        order = _columns.id.asc() if page.ascending else _columns.id.desc()
        query = query.order_by(order).limit(page.limit)
        if page.bytes_max:
            query = query.limit(await self._fitting(query, page.bytes_max))
        return await self._read(query)

    async def _fitting(self, query: Select[Any], bytes_max: int) -> int:
        """How many of the objects that a query finds fit, the one that goes beyond included."""
        sizes = query.with_only_columns(func.length(_columns.body))
        async with self._database.reading() as connection:
            found = list(accumulate((await connection.execute(sizes)).scalars()))
        return min(bisect_left(found, bytes_max) + 1, len(found))

    async def size_of(
        self, account_id: str, kind: str, *, object_ids: Sequence[str] = (), label: str = ""
    ) -> int:
        """See StoredObjects."""
        wanted = [_columns.label == label] if label else []
        wanted += [
            _columns.id.in_(object_ids[at : at + _NAMED_AT_ONCE])
            for at in range(0, len(object_ids), _NAMED_AT_ONCE)
        ]
        size = 0
        async with self._database.reading() as connection:
            for each in wanted:
                query = select(func.coalesce(func.sum(func.length(_columns.body)), 0)).where(
                    _columns.account_key == account_id.lower(), _columns.kind == kind, each
                )
                size += (await connection.execute(query)).scalar_one()
        return size

    async def count(self, account_id: str, kind: str, label: str, *, lasting: bool) -> int:
        """See StoredObjects."""
        life = _columns.expires_at == 0 if lasting else _columns.expires_at != 0
        query = select(func.count()).where(
            _columns.account_key == account_id.lower(),
            _columns.kind == kind,
            _columns.label == label,
            life,
        )
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar_one()

    async def sizes(self, account_id: str) -> Mapping[str, int]:
        """See StoredObjects."""
        return dict(await self._sizes.of(account_id.lower()))

    def all_sizes(self) -> Mapping[str, Mapping[str, int]]:
        """See StoredObjects."""
        return self._sizes.known

    async def end(self, over: Sequence[StoredObject], why: str) -> None:
        """See StoredObjects."""
        del why
        async with self._writing({each.account_id for each in over}) as connection:
            for each in over:
                await connection.execute(delete(stored_objects).where(_same(each)))

    async def held(self, account_id: str) -> list[Held]:
        """See StoredObjects."""
        ends = func.nullif(_columns.expires_at, 0)
        created = func.json_extract(_columns.body, "$.created_at")
        blob = func.coalesce(func.json_extract(_columns.body, "$.blob_bytes"), 0)
        query = (
            select(
                _columns.kind.label("kind"),
                func.count().label("count"),
                func.sum(func.length(cast(_columns.body, LargeBinary)) + blob).label("bytes"),
                func.min(created).label("oldest"),
                func.max(created).label("newest"),
                func.coalesce(func.min(ends), 0).label("ends_first"),
                func.coalesce(func.max(ends), 0).label("ends_last"),
                (func.count() - func.count(ends)).label("endless"),
            )
            .where(_columns.account_key == account_id.lower())
            .group_by(_columns.kind)
            .order_by(_columns.kind)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [Held(place=PLACE, **row) for row in rows]

    async def expired(self, now: int, limit: int) -> list[StoredObject]:
        """See StoredObjects."""
        over = and_(_columns.expires_at != 0, _columns.expires_at <= now)
        return await self._read(select(_columns.body).where(over).limit(limit))

    async def blobs(self) -> set[str]:
        """See StoredObjects."""
        query = select(_columns.blob).where(_columns.blob != "")
        async with self._database.reading() as connection:
            return set((await connection.execute(query)).scalars())

    async def accounts(self) -> set[str]:
        """See StoredObjects."""
        query = select(stored_sizes.c.account_key).distinct()
        async with self._database.reading() as connection:
            return set((await connection.execute(query)).scalars())

    async def of_account(self, account_id: str, limit: int) -> list[StoredObject]:
        """See StoredObjects."""
        mine = _columns.account_key == account_id.lower()
        return await self._read(select(_columns.body).where(mine).limit(limit))

    @asynccontextmanager
    async def _writing(
        self, shrunk: Iterable[str], added: Sequence[_Row] = ()
    ) -> AsyncGenerator[AsyncConnection]:
        """A write that may take from the accounts `shrunk`, and adds these rows."""
        changed = {each.lower() for each in shrunk}
        added_to = {row.values["account_key"] for row in added}
        sizes = None
        try:
            async with self._database.writing() as connection:
                yield connection
                if changed:
                    changed |= added_to
                    sizes = await read_sizes(connection, changed)
        except BaseException:
            self._sizes.doubt(changed | added_to)
            raise
        if sizes is not None:
            self._sizes.put(sizes)
        else:
            self._sizes.grow(
                (row.values["account_key"], row.values["kind"], row.size) for row in added
            )

    async def _read(self, query: Select[Any]) -> list[StoredObject]:
        async with self._database.reading() as connection:
            rows: list[str] = list((await connection.execute(query)).scalars())
        if sum(map(len, rows)) > _LARGE:
            return await asyncio.to_thread(_objects, rows)
        return _objects(rows)


def _objects(rows: Iterable[str]) -> list[StoredObject]:
    return [msgspec.json.decode(row, type=StoredObject) for row in rows]


class _Gone(Exception):
    """What was to be changed is not there."""


async def _executed(connection: AsyncConnection, change: Update | Delete, number: int) -> None:
    if (await connection.execute(change)).rowcount < number:
        raise _Gone


def _together(objects: Iterable[StoredObject]) -> Iterator[tuple[ColumnElement[bool], int]]:
    """Conditions that mean these objects, each with how many of them it means."""
    ids: dict[tuple[str, str], list[str]] = {}
    for each in objects:
        ids.setdefault((each.account_id.lower(), each.kind), []).append(each.id)
    for (account_key, kind), those in ids.items():
        for at in range(0, len(those), _NAMED_AT_ONCE):
            some = those[at : at + _NAMED_AT_ONCE]
            named = _columns.id.in_(some)
            yield and_(_columns.account_key == account_key, _columns.kind == kind, named), len(some)


class _Row(NamedTuple):
    """An object as it is kept."""

    values: dict[str, Any]
    size: int
    """bytes, its blob's included: as the triggers count them"""


def _row(kept: StoredObject) -> _Row:
    body = msgspec.json.encode(kept)
    values = {
        "account_key": kept.account_id.lower(),
        "kind": kept.kind,
        "id": kept.id,
        "label": kept.label,
        "owner": kept.owner,
        "expires_at": kept.expires_at,
        "blob": kept.blob,
        "body": body.decode(),
    }
    return _Row(values, len(body) + (kept.blob_bytes if kept.blob else 0))


def _same(kept: StoredObject) -> ColumnElement[bool]:
    return _one(kept.account_id, kept.kind, kept.id)


def _one(account_id: str, kind: str, object_id: str) -> ColumnElement[bool]:
    return and_(
        _columns.account_key == account_id.lower(),
        _columns.kind == kind,
        _columns.id == object_id,
    )

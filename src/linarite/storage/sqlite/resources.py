"""Resources in `linarite.db`, one row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, insert, or_, select, update

from linarite.domain.resource import Put, Resource
from linarite.storage.resource_commits import ResourceCommits
from linarite.storage.resource_id import id_key, range_under
from linarite.storage.resource_write import encoded, require_etag, written
from linarite.storage.sqlite.jobs import keep_job
from linarite.storage.tables.state import resources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from linarite.domain.jobs import Job
    from linarite.domain.resource import Change
    from linarite.storage.database import Database


class SqliteResourceStore(ResourceCommits):
    """`ResourceStore` on a database; every write is flushed to disk before it returns."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self._decode = msgspec.json.Decoder(Resource).decode

    async def get(self, resource_id: str) -> Resource | None:
        """The resource, or None."""
        async with self._database.reading() as connection:
            return await self._get(connection, id_key(resource_id))

    async def list_under(self, parent_id: str, resource_type: str) -> list[Resource]:
        """Those of a type at any depth under `parent_id` ("" for all), ordered by id."""
        first, end = range_under(parent_id)
        query = (
            select(resources.c.body)
            .where(resources.c.type_key == resource_type.lower())
            .where(resources.c.id_key >= first, resources.c.id_key < end)
            .order_by(resources.c.id_key)
        )
        async with self._database.reading() as connection:
            bodies = (await connection.execute(query)).scalars().all()
        return [self._decode(body) for body in bodies]

    async def _transact(
        self, changes: Sequence[Change], jobs: Sequence[Job]
    ) -> list[Resource | None]:
        async with self._database.writing() as connection:
            outcome = [await self._apply(connection, change) for change in changes]
            for job in jobs:
                await keep_job(connection, job)
        return outcome

    async def _apply(self, connection: AsyncConnection, change: Change) -> Resource | None:
        if isinstance(change, Put):
            return await self._put(connection, change)
        key = id_key(change.resource_id)
        present = await self._get(connection, key)
        require_etag(change.resource_id, present, change.expected_etag)
        if present is not None:
            first, end = range_under(change.resource_id)
            under = (resources.c.id_key >= first) & (resources.c.id_key < end)
            await connection.execute(delete(resources).where(or_(resources.c.id_key == key, under)))
        return present

    async def _put(self, connection: AsyncConnection, change: Put) -> Resource:
        key = id_key(change.resource.id)
        present = await self._get(connection, key)
        new = written(change.resource, present, change.expected_etag)
        row = {"type_key": new.type.lower(), "etag": new.etag, "body": encoded(new)}
        if present is None:
            await connection.execute(insert(resources).values(id_key=key, **row))
        else:
            await connection.execute(
                update(resources).where(resources.c.id_key == key).values(**row)
            )
        return self._decode(row["body"])

    async def _get(self, connection: AsyncConnection, key: str) -> Resource | None:
        body = await connection.scalar(select(resources.c.body).where(resources.c.id_key == key))
        return None if body is None else self._decode(body)

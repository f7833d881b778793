"""Jobs in `linarite.db`, one row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, insert, or_, select, update

from linarite.domain.jobs import Job, OperationInProgress
from linarite.storage.job_write import encoded_job, require_running
from linarite.storage.resource_id import id_key, range_under
from linarite.storage.tables.state import jobs

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from linarite.storage.database import Database

_decode = msgspec.json.Decoder(Job).decode


class SqliteJobStore:
    """`JobStore` on a database; every write is flushed to disk before it returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, job_id: str) -> Job | None:
        """The job, or None."""
        async with self._database.reading() as connection:
            return await _get(connection, job_id)

    async def of(self, resource_id: str, *, limit: int = 20) -> list[Job]:
        """The jobs of one resource, the newest first."""
        return await self._ask(
            select(jobs.c.body)
            .where(jobs.c.resource_key == id_key(resource_id))
            .order_by(jobs.c.started_at.desc())
            .limit(limit)
        )

    async def running(self, resource_id: str) -> list[Job]:
        """Those that have not ended, on a resource or anything under it ("" for all)."""
        query = select(jobs.c.body).where(jobs.c.running).order_by(jobs.c.started_at)
        if key := id_key(resource_id):
            first, end = range_under(resource_id)
            under = (jobs.c.resource_key >= first) & (jobs.c.resource_key < end)
            query = query.where(or_(jobs.c.resource_key == key, under))
        return await self._ask(query)

    async def advance(self, job: Job) -> None:
        """Keep how far a job is. Raises JobEnded when it has ended."""
        async with self._database.writing() as connection:
            require_running(job, await _get(connection, job.id))
            await _write(connection, job, known=True)

    async def forget(self, ended_before: str) -> int:
        """Remove jobs that ended before a time; how many there were."""
        old = delete(jobs).where(jobs.c.running.is_(False), jobs.c.ended_at < ended_before)
        async with self._database.writing() as connection:
            return (await connection.execute(old)).rowcount

    async def _ask(self, query: Select[Any]) -> list[Job]:
        async with self._database.reading() as connection:
            return [_decode(body) for body in (await connection.execute(query)).scalars()]


async def keep_job(connection: AsyncConnection, job: Job) -> None:
    """Write a job in somebody's transaction. Raises OperationInProgress, JobEnded."""
    present = await _get(connection, job.id)
    require_running(job, present)
    if present is None and job.scope:
        taken = (
            select(jobs.c.id)
            .where(jobs.c.running, jobs.c.scope_key == id_key(job.scope), jobs.c.id != job.id)
            .limit(1)
        )
        if await connection.scalar(taken) is not None:
            raise OperationInProgress(job.scope)
    await _write(connection, job, known=present is not None)


async def _get(connection: AsyncConnection, job_id: str) -> Job | None:
    body = await connection.scalar(select(jobs.c.body).where(jobs.c.id == job_id))
    return None if body is None else _decode(body)


async def _write(connection: AsyncConnection, job: Job, *, known: bool) -> None:
    row = {
        "resource_key": id_key(job.resource_id),
        "scope_key": id_key(job.scope),
        "running": job.running,
        "started_at": job.started_at,
        "ended_at": job.ended_at or "",
        "body": encoded_job(job),
    }
    if known:
        await connection.execute(update(jobs).where(jobs.c.id == job.id).values(**row))
    else:
        await connection.execute(insert(jobs).values(id=job.id, **row))

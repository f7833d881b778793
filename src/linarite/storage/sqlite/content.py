"""Sealed prompts and completions, in `content.db`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.dialects.sqlite import insert

from linarite.domain.content_log import SealedContent
from linarite.domain.held_data import Held
from linarite.storage.database import CONTENT_FILE
from linarite.storage.tables.content import content_records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import RowMapping

    from linarite.domain.content_log import ContentPage
    from linarite.storage.database import Database

_columns = content_records.c
_KNOWN = (
    _columns.account_key.label("account_id"),
    _columns.request_id,
    _columns.at,
    _columns.expires_at,
    _columns.deployment,
    _columns.operation,
    _columns.status,
)
"""what is known about one without opening it"""
AT_ONCE = 500
"""rows that are removed by one transaction for want of room"""


class SqliteContentStore:
    """`ContentStore` on a database; every write is flushed to disk before it returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, contents: Sequence[SealedContent]) -> None:
        """See ContentStore."""
        rows = [
            {
                "account_key": each.account_id.lower(),
                "request_id": each.request_id,
                "at": each.at,
                "expires_at": each.expires_at,
                "deployment": each.deployment,
                "operation": each.operation,
                "status": each.status,
                "size": len(each.sealed),
                "sealed": each.sealed,
            }
            for each in contents
        ]
        if not rows:
            return
        async with self._database.writing() as connection:
            await connection.execute(insert(content_records).on_conflict_do_nothing(), rows)

    async def find(self, account_id: str, request_id: str) -> SealedContent | None:
        """See ContentStore."""
        query = select(*_KNOWN, _columns.sealed).where(
            _columns.account_key == account_id.lower(), _columns.request_id == request_id
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).mappings().first()
        return None if row is None else _content(row)

    async def list(self, account_id: str, page: ContentPage) -> list[SealedContent]:
        """See ContentStore."""
        query = select(*_KNOWN).where(
            _columns.account_key == account_id.lower(), _columns.expires_at > page.alive_at
        )
        if page.before:
            query = query.where(_columns.request_id < page.before)
        if page.deployment:
            query = query.where(func.lower(_columns.deployment) == page.deployment.lower())
        query = query.order_by(_columns.request_id.desc()).limit(page.limit)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_content(row) for row in rows]

    async def accounts(self) -> set[str]:
        """See ContentStore."""
        query = select(_columns.account_key).distinct()
        async with self._database.reading() as connection:
            return set((await connection.execute(query)).scalars())

    async def held(self, account_id: str) -> list[Held]:
        """See HoldsData."""
        query = select(
            func.count().label("count"),
            func.coalesce(func.sum(_columns.size), 0).label("bytes"),
            func.coalesce(func.min(_columns.at), 0).label("oldest"),
            func.coalesce(func.max(_columns.at), 0).label("newest"),
            func.coalesce(func.min(_columns.expires_at), 0).label("ends_first"),
            func.coalesce(func.max(_columns.expires_at), 0).label("ends_last"),
        ).where(_columns.account_key == account_id.lower())
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).mappings().one()
        return [Held(kind="contentRecord", place=CONTENT_FILE, **row)] if row["count"] else []

    async def remove(self, account_id: str, *, expired_at: int, before: int = 0) -> int:
        """See ContentStore."""
        over = or_(_columns.expires_at <= expired_at, _columns.at < before)
        statement = delete(content_records).where(
            and_(_columns.account_key == account_id.lower(), over)
        )
        async with self._database.writing() as connection:
            gone = (await connection.execute(statement)).rowcount
        if gone:
            await self._database.scrub()
        return gone

    async def remove_beyond(self, bytes_max: int) -> dict[str, int]:
        """See ContentStore."""
        gone: dict[str, int] = {}
        while await self._remove_oldest(bytes_max, gone):
            pass
        if gone:
            await self._database.scrub()
        return gone

    async def _remove_oldest(self, bytes_max: int, gone: dict[str, int]) -> bool:
        """Remove some of the oldest, counted into `gone`; whether there may be more to remove."""
        oldest = (
            select(_columns.account_key, _columns.request_id, _columns.size)
            .order_by(_columns.at, _columns.request_id)
            .limit(AT_ONCE)
        )
        async with self._database.writing() as connection:
            over = (await connection.scalar(select(func.sum(_columns.size))) or 0) - bytes_max
            if over <= 0:
                return False
            for account, request_id, size in (await connection.execute(oldest)).all():
                if over <= 0:
                    return False
                await connection.execute(
                    delete(content_records).where(
                        _columns.account_key == account, _columns.request_id == request_id
                    )
                )
                over -= size
                gone[account] = gone.get(account, 0) + 1
        return over > 0


def _content(row: RowMapping) -> SealedContent:
    known: dict[str, Any] = {"sealed": "", **row}
    return SealedContent(**known)

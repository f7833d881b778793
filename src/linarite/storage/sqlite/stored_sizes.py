"""How many bytes accounts store: kept by `objects.db` itself, and known here without asking it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import select

from linarite.storage.tables.objects import stored_sizes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy.ext.asyncio import AsyncConnection

    from linarite.storage.database import Database

Sizes = dict[str, Counter[str]]
"""by account and kind"""
_columns = stored_sizes.c


class StoredSizes:
    """What the table says, followed write by write: one process holds the file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: Sizes | None = None
        self._doubted: set[str] = set()
        """accounts of which a write broke off: nobody knows whether it was done"""
        self._changes = 0

    async def of(self, account_key: str) -> Counter[str]:
        """Bytes by kind. Raises ServiceUnavailable."""
        known = await self._all()
        if account_key in self._doubted:
            before = self._changes
            async with self._database.reading() as connection:
                found = await read_sizes(connection, (account_key,))
            if before != self._changes:
                return found.get(account_key, Counter())  # as true as any: it has just changed
            self.put(found)
        return known.get(account_key, Counter())

    @property
    def known(self) -> Sizes:
        """Those of all accounts, as far as writes have told; nothing until one was asked for."""
        return self._known or {}

    async def _all(self) -> Sizes:
        while self._known is None:
            before = self._changes
            async with self._database.reading() as connection:
                found = await read_sizes(connection, ())
            if before == self._changes and self._known is None:
                self._known = found
        return self._known

    def grow(self, rows: Iterable[tuple[str, str, int]]) -> None:
        """These (account, kind, bytes) have been added."""
        self._changes += 1
        if self._known is not None:
            for account_key, kind, size in rows:
                self._known.setdefault(account_key, Counter())[kind] += size

    def put(self, found: Sizes) -> None:
        """So it is after a write; `read_sizes` in its transaction has said so."""
        self._changes += 1
        self._doubted -= found.keys()
        if self._known is not None:
            for account_key, sizes in found.items():
                if sizes:
                    self._known[account_key] = sizes
                else:
                    self._known.pop(account_key, None)

    def doubt(self, account_keys: Iterable[str]) -> None:
        """A write to these has broken off: ask again."""
        self._changes += 1
        self._doubted.update(account_keys)


async def read_sizes(connection: AsyncConnection, account_keys: Collection[str]) -> Sizes:
    """Of these accounts, empty for those that have nothing; of none named: of all."""
    query = select(_columns.account_key, _columns.kind, _columns.bytes)
    if account_keys:
        query = query.where(_columns.account_key.in_(account_keys))
    found: Sizes = {each: Counter() for each in account_keys}
    for account_key, kind, size in await connection.execute(query):
        found.setdefault(account_key, Counter())[kind] = size
    return found

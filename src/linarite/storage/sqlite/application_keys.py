"""Application keys in `linarite.db`: their digests under a pepper that is in no database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select, update

from linarite.storage.resource_id import id_key
from linarite.storage.sealing import new_key
from linarite.storage.tables.state import application_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.ext.asyncio import AsyncConnection

    from linarite.storage.database import Database

TABLE = application_keys.c


class SqliteApplicationKeys:
    """`ApplicationKeyStore` on a database; empty of uses until `load`."""

    def __init__(self, database: Database, digest: Callable[[str], bytes]) -> None:
        self._database = database
        self._digest = digest
        self._used: dict[str, int] = {}
        """by key id; only of keys that were ever used"""

    async def load(self, connection: AsyncConnection) -> None:
        """Take in what was noted before."""
        query = select(TABLE.key_id, TABLE.last_used_s).where(TABLE.last_used_s > 0)
        rows = await connection.execute(query)
        self._used = {row.key_id: row.last_used_s for row in rows}

    async def make(self, account_id: str, key_id: str) -> str:
        """A new key under an id, in the place of one made before."""
        key = new_key()
        digest = self._digest(key)
        account = id_key(account_id)
        known = update(application_keys).where(TABLE.account_key == account, TABLE.key_id == key_id)
        async with self._database.writing() as connection:
            done = await connection.execute(known.values(digest=digest))
            if not done.rowcount:
                row = {"account_key": account, "key_id": key_id, "digest": digest}
                await connection.execute(insert(application_keys).values(**row, last_used_s=0))
        return key

    async def digests(self, account_id: str) -> dict[bytes, str]:
        """Digest of each key of the account → the id it was made under."""
        query = select(TABLE.digest, TABLE.key_id).where(TABLE.account_key == id_key(account_id))
        async with self._database.reading() as connection:
            rows = await connection.execute(query)
        return {row.digest: row.key_id for row in rows}

    async def drop(self, account_id: str, key_id: str) -> None:
        """Forget a key."""
        async with self._database.writing() as connection:
            done = await connection.execute(
                delete(application_keys).where(
                    TABLE.account_key == id_key(account_id), TABLE.key_id == key_id
                )
            )
        if done.rowcount:
            self._used.pop(key_id, None)

    async def note_used(self, used: Mapping[str, int]) -> None:
        """Keep when keys were used last, in one transaction."""
        if not used:
            return
        query = select(TABLE.key_id).where(TABLE.key_id.in_(bindparam("ids", expanding=True)))
        change = (
            update(application_keys)
            .where(TABLE.key_id == bindparam("used_id"))
            .values(last_used_s=bindparam("at"))
        )
        async with self._database.writing() as connection:
            known = set((await connection.scalars(query, {"ids": list(used)})).all())
            noted = {key_id: at for key_id, at in used.items() if key_id in known}
            if noted:
                rows = [{"used_id": key_id, "at": at} for key_id, at in noted.items()]
                await connection.execute(change, rows)
        self._used |= noted

    def last_used(self, key_id: str) -> int:
        """Seconds since the epoch; 0 for never."""
        return self._used.get(key_id, 0)

    async def forget(self, connection: AsyncConnection, account_id: str) -> None:
        """Drop all keys of an account, within the transaction of `connection`."""
        mine = TABLE.account_key == id_key(account_id)
        gone = (await connection.scalars(select(TABLE.key_id).where(mine))).all()
        await connection.execute(delete(application_keys).where(mine))
        for key_id in gone:
            self._used.pop(key_id, None)

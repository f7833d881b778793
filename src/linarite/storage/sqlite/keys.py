"""Account keys in `linarite.db`, sealed."""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from linarite.domain.customer_keys import CustomerKeyUnavailable, NoCustomerKeys
from linarite.domain.errors import SetupError
from linarite.domain.resource import AccountKeys
from linarite.storage.key_pair import KEY_NAMES, as_names, new_pair, with_new
from linarite.storage.master_key import master_key
from linarite.storage.resource_id import id_key
from linarite.storage.sealing import Sealing, customer_key_in
from linarite.storage.sqlite.application_keys import SqliteApplicationKeys
from linarite.storage.tables.state import account_keys, master_key_check, sealing_keys

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from linarite.domain.customer_keys import CustomerKeys
    from linarite.domain.secret_box import SecretBox
    from linarite.storage.database import Database


async def open_key_store(
    database: Database,
    *,
    given_master_key: bytes | None = None,
    customer_keys: CustomerKeys | None = None,
) -> SqliteKeyStore:
    """Find or make the master key, check that it is the one this database was sealed under.

    `customer_keys` are those that accounts can be sealed with as well.
    Raises SetupError when it is lost or another one.
    """
    async with database.writing() as connection:
        known = await connection.scalar(select(master_key_check.c.fingerprint))
        sealing = Sealing(
            master_key(database.folder, given_master_key, sealed_before=known is not None)
        )
        if known is None:
            await connection.execute(
                insert(master_key_check).values(id=1, fingerprint=sealing.fingerprint)
            )
        elif not hmac.compare_digest(known, sealing.fingerprint):
            raise SetupError(
                f"The keys in {database.folder} are sealed under another master key. Put the "
                "master.key back that belongs to this folder, or set LINARITE_MASTER_KEY to its "
                "contents (and unset it if it was not set when the folder was made)."
            )
        store = SqliteKeyStore(
            database,
            sealing,
            master_key_is_new=known is None,
            customer_keys=customer_keys or NoCustomerKeys(),
        )
        await store.applications.load(connection)
    return store


class SqliteKeyStore:
    """`KeyStore` on a database; every write is flushed to disk before it returns."""

    def __init__(
        self,
        database: Database,
        sealing: Sealing,
        *,
        master_key_is_new: bool,
        customer_keys: CustomerKeys,
    ) -> None:
        self.customer_keys = customer_keys
        self._database = database
        self._sealing = sealing
        self.digest = sealing.digest
        self.applications = SqliteApplicationKeys(database, sealing.digest)
        self.box = sealing.box
        """for secrets that belong to no account"""
        self.authority_secret = sealing.authority_secret
        self.master_key_is_new = master_key_is_new
        """nothing had been sealed in this database before"""

    async def ensure(self, account_id: str) -> AccountKeys:
        """The account's keys, made if there are none yet."""
        account = id_key(account_id)
        async with self._database.reading() as connection:
            pair = await self._pair(connection, account)
        if pair is not None:
            return pair
        async with self._database.writing() as connection:
            return await self._ensure(connection, account)

    async def regenerate(self, account_id: str, key_name: str) -> AccountKeys:
        """Replace `key1` or `key2` and return both. Raises InvalidRequest for another name."""
        account = id_key(account_id)
        async with self._database.writing() as connection:
            pair = with_new(await self._ensure(connection, account), key_name)
            wrapped = await self._wrapped(connection, account)
            plain: str = getattr(pair, key_name)
            await connection.execute(
                update(account_keys)
                .where(account_keys.c.account_key == account, account_keys.c.name == key_name)
                .values(sealed=self._sealing.seal(wrapped, account, key_name, plain.encode()))
            )
        return pair

    async def encrypt(self, account_id: str, key_id: str) -> None:
        """Wrap the account's own key by a customer's key as well; "" takes that away again."""
        account = id_key(account_id)
        async with self._database.writing() as connection:
            await self._ensure(connection, account)
            stored = await self._stored(connection, account)
            if customer_key_in(stored) == key_id:
                return
            wrapped = await self._wrapped(connection, account)
            if key_id:
                key = await self._customer_key(key_id)
                wrapped = self._sealing.wrapped_twice(wrapped, account, key_id, key)
            await connection.execute(
                update(sealing_keys)
                .where(sealing_keys.c.account_key == account)
                .values(wrapped=wrapped)
            )
        await self._database.scrub()

    async def box_of(self, account_id: str) -> SecretBox | None:
        """What seals under the account's own key; None while the account has none."""
        account = id_key(account_id)
        query = select(sealing_keys.c.wrapped).where(sealing_keys.c.account_key == account)
        async with self._database.reading() as connection:
            stored = await connection.scalar(query)
        if stored is None:
            return None
        return self._sealing.box_of(await self._opened(account, stored), account)

    async def digests(self, account_id: str) -> dict[bytes, str]:
        """HMAC-SHA256 digest of each key → its name; empty when the account has none."""
        async with self._database.reading() as connection:
            pair = await self._pair(connection, id_key(account_id))
        return {} if pair is None else as_names(pair, self.digest)

    async def forget(self, account_id: str) -> None:
        """Destroy all its keys and its sealing key, also in the write-ahead log."""
        account = id_key(account_id)
        async with self._database.writing() as connection:
            await self.applications.forget(connection, account)
            await connection.execute(
                delete(account_keys).where(account_keys.c.account_key == account)
            )
            await connection.execute(
                delete(sealing_keys).where(sealing_keys.c.account_key == account)
            )
        await self._database.scrub()

    async def _ensure(self, connection: AsyncConnection, account: str) -> AccountKeys:
        pair = await self._pair(connection, account)
        if pair is not None:
            return pair
        pair = new_pair()
        wrapped = self._sealing.new_account_key(account)
        await connection.execute(insert(sealing_keys).values(account_key=account, wrapped=wrapped))
        for name in KEY_NAMES:
            plain: str = getattr(pair, name)
            sealed = self._sealing.seal(wrapped, account, name, plain.encode())
            await connection.execute(
                insert(account_keys).values(account_key=account, name=name, sealed=sealed)
            )
        return pair

    async def _pair(self, connection: AsyncConnection, account: str) -> AccountKeys | None:
        rows = await connection.execute(
            select(account_keys.c.name, account_keys.c.sealed, sealing_keys.c.wrapped)
            .join(sealing_keys, sealing_keys.c.account_key == account_keys.c.account_key)
            .where(account_keys.c.account_key == account)
        )
        found = [(name, sealed, stored) for name, sealed, stored in rows]
        if not found:
            return None
        wrapped = await self._opened(account, found[0][2])
        return AccountKeys(
            **{
                name: self._sealing.unseal(wrapped, account, name, sealed).decode()
                for name, sealed, _ in found
            }
        )

    async def _wrapped(self, connection: AsyncConnection, account: str) -> bytes:
        """The account's own key, wrapped by the master key alone."""
        return await self._opened(account, await self._stored(connection, account))

    async def _stored(self, connection: AsyncConnection, account: str) -> bytes:
        query = select(sealing_keys.c.wrapped).where(sealing_keys.c.account_key == account)
        return (await connection.execute(query)).scalar_one()

    async def _opened(self, account: str, stored: bytes) -> bytes:
        key_id = customer_key_in(stored)
        if not key_id:
            return stored
        key = await self._customer_key(key_id)
        try:
            return self._sealing.wrapped_once(stored, account, key)
        except SetupError:
            raise CustomerKeyUnavailable(key_id) from None

    async def _customer_key(self, key_id: str) -> bytes:
        key = await asyncio.to_thread(self.customer_keys.find, key_id)
        if key is None:
            raise CustomerKeyUnavailable(key_id)
        return key

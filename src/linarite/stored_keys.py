"""The keys in a data folder; asked without a server, those of one that none uses at the moment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.audit import STARTED
from linarite.domain.customer_keys import CustomerKeyUnavailable
from linarite.domain.errors import SetupError
from linarite.domain.resource import ACCOUNT_TYPE
from linarite.hosting.declared import account_id
from linarite.identity.auditing import about_server, open_trail
from linarite.storage.database import STATE_FILE, open_database
from linarite.storage.key_vaults import key_vaults
from linarite.storage.sqlite.keys import open_key_store
from linarite.storage.sqlite.resources import SqliteResourceStore

if TYPE_CHECKING:
    from linarite.domain.resource import AccountKeys, KeyStore, Resource, ResourceStore
    from linarite.settings import Loaded
    from linarite.storage.database import Database
    from linarite.storage.sqlite.keys import SqliteKeyStore


def stored_keys(loaded: Loaded, new: str | None = None) -> AccountKeys:
    """Both keys, the one named `new` replaced before.

    Raises SetupError when there are none yet, or a server has the folder.
    """
    if not (loaded.home / STATE_FILE).exists():
        raise SetupError(
            f"There are no keys in {loaded.home}: no server has run there yet. Start one with: "
            "linarite up"
        )
    return asyncio.run(_stored_keys(loaded, new))


async def open_keys(loaded: Loaded, database: Database) -> SqliteKeyStore:
    """The keys of a data folder, with the master key and the key vaults of the settings."""
    return await open_key_store(
        database,
        given_master_key=loaded.master_key,
        customer_keys=key_vaults(loaded.settings.key_vaults),
    )


async def keys_if_open(keys: KeyStore, account_id: str) -> AccountKeys | None:
    """An account's keys; None while the customer's key is not there that it is sealed with."""
    try:
        return await keys.ensure(account_id)
    except CustomerKeyUnavailable:
        return None


async def _stored_keys(loaded: Loaded, new: str | None) -> AccountKeys:
    database = open_database(loaded.home)
    try:
        keys = await open_keys(loaded, database)
        resources = SqliteResourceStore(database)
        accounts = await resources.list_under("", ACCOUNT_TYPE)
        account = _account(accounts, account_id(loaded.settings.account))
        if new:
            return await _replaced(loaded, keys, resources, account, new)
        return await keys.ensure(account)
    finally:
        await database.close()


async def _replaced(
    loaded: Loaded, keys: SqliteKeyStore, resources: ResourceStore, account: str, name: str
) -> AccountKeys:
    """Both keys, one of them new; nothing is replaced that the audit log can't tell of."""
    trail = await open_trail(loaded.home, resources, keys.box, loaded.settings.audit)
    try:
        done = about_server("keys/regenerate", {"key": name})
        await trail.record(msgspec.structs.replace(done, resource_id=account, outcome=STARTED))
        pair = await keys.regenerate(account, name)
        await trail.record(
            msgspec.structs.replace(
                about_server("keys/regenerate", {"key": name}), resource_id=account
            )
        )
    finally:
        await trail.close()
    return pair


def _account(accounts: list[Resource], declared: str) -> str:
    """The declared account; the only one there is, if settings of another place declared it."""
    ids = [account.id for account in accounts]
    declared_ids = [each for each in ids if each.lower() == declared.lower()]
    found = declared_ids or ids
    if len(found) != 1:
        raise SetupError(
            f"Which account? Settings declare {declared}; the data folder has: "
            f"{', '.join(ids) or 'none'}. Name the one you mean by account.name."
        )
    return found[0]

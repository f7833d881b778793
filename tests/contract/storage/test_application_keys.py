"""What every ApplicationKeyStore promises."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from linarite.storage.database import open_database
from linarite.storage.sqlite.keys import open_key_store

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.domain.resource import KeyStore

pytestmark = pytest.mark.anyio

ACCOUNT = "/subscriptions/s1/resourceGroups/Team/providers/x/accounts/Contoso"


def written_in(folder: Path) -> bytes:
    """All that lies in its files."""
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_a_key_is_found_by_its_digest_alone(key_store: KeyStore) -> None:
    """Whatever the case of the account's id; another account's keys are not among them."""
    store = key_store.applications
    assert await store.digests(ACCOUNT) == {}
    web, batch = await store.make(ACCOUNT, "1"), await store.make(ACCOUNT.upper(), "2")
    await store.make("/a/other", "3")
    found = await store.digests(f"{ACCOUNT.lower()}/")
    assert found == {key_store.digest(web): "1", key_store.digest(batch): "2"}
    assert len(web) == 64
    assert web not in repr(store) + repr(found)


async def test_making_again_replaces(key_store: KeyStore) -> None:
    """Of two keys under one id only the later is found; when it was used last stays known."""
    store = key_store.applications
    old = await store.make(ACCOUNT, "1")
    await store.note_used({"1": 1_800_000_000})
    new = await store.make(ACCOUNT, "1")
    assert new != old
    assert await store.digests(ACCOUNT) == {key_store.digest(new): "1"}
    assert store.last_used("1") == 1_800_000_000


async def test_simultaneous_makings_leave_one_each(key_store: KeyStore) -> None:
    """However many are made at once, one per id is found, and it is one that was told."""
    store = key_store.applications
    told = await asyncio.gather(*(store.make(ACCOUNT, str(n % 4)) for n in range(16)))
    found = await store.digests(ACCOUNT)
    assert sorted(found.values()) == ["0", "1", "2", "3"]
    assert set(found) <= {key_store.digest(key) for key in told}


async def test_dropped_keys_are_gone(key_store: KeyStore) -> None:
    """The one that is named, in its own account only."""
    store = key_store.applications
    kept = await store.make(ACCOUNT, "1")
    await store.make(ACCOUNT, "2")
    await store.note_used({"2": 5})
    await store.drop("/a/other", "1")
    await store.drop(ACCOUNT, "2")
    await store.drop(ACCOUNT, "2")
    assert await store.digests(ACCOUNT) == {key_store.digest(kept): "1"}
    assert store.last_used("2") == 0


async def test_uses_are_noted_of_keys_that_there_are(key_store: KeyStore) -> None:
    """Never used is 0, and a key that is gone meanwhile comes not back."""
    store = key_store.applications
    await store.make(ACCOUNT, "1")
    assert store.last_used("1") == 0
    await store.note_used({})
    await store.note_used({"1": 7, "gone": 8})
    await store.note_used({"1": 9})
    assert (store.last_used("1"), store.last_used("gone")) == (9, 0)


async def test_an_account_that_is_forgotten_has_none(key_store: KeyStore) -> None:
    """With its own two keys go those of its applications."""
    store = key_store.applications
    await key_store.ensure(ACCOUNT)
    await store.make(ACCOUNT, "1")
    other = await store.make("/a/other", "2")
    await store.note_used({"1": 5, "2": 6})
    await key_store.forget(ACCOUNT.upper())
    assert await store.digests(ACCOUNT) == {}
    assert await store.digests("/a/other") == {key_store.digest(other): "2"}
    assert (store.last_used("1"), store.last_used("2")) == (0, 6)


async def test_nothing_on_disk_is_a_key_and_all_is_there_again(tmp_path: Path) -> None:
    """The files hold digests under a pepper that is not in them; a new server finds them."""
    database = open_database(tmp_path)
    store = (await open_key_store(database)).applications
    key = await store.make(ACCOUNT, "1")
    await store.note_used({"1": 5})
    await database.close()
    assert key.encode() not in written_in(tmp_path)
    database = open_database(tmp_path)
    keys = await open_key_store(database)
    assert await keys.applications.digests(ACCOUNT) == {keys.digest(key): "1"}
    assert keys.applications.last_used("1") == 5
    await database.close()

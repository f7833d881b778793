"""Stores that end, and files whose words must not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.domain.content_seals import NoSeals
from linarite.domain.principal import Principal
from linarite.domain.vector_store import FileCounts, NewStoreFile
from linarite.domain.vector_store_errors import VectorStoreExpired
from linarite.files import FileKeeper
from linarite.files.keeper import EVERYBODY
from linarite.files.options import Files
from linarite.storage.memory.blobs import MemoryBlobs
from linarite.storage.memory.stored_objects import MemoryStoredObjects
from linarite.storage.memory.vector_indexes import MemoryVectorIndexes
from linarite.vector_stores.keeper import (
    DAY_S,
    REMEMBERED_S,
    ContentIsSealed,
    NewStore,
    VectorStoreKeeper,
)
from linarite.vector_stores.options import VectorStores

if TYPE_CHECKING:
    from linarite.domain.content_seals import ContentSeals
    from linarite.domain.secret_box import SecretBox

pytestmark = pytest.mark.anyio
ACCOUNT = "/subscriptions/s/accounts/a"
MAKER = Principal(kind="Key", name="key1")
NEW = NewStore(account_id=ACCOUNT, owner="", name="n", expires_days=2)
FILE = NewStoreFile(file_id="file-1", filename="a.txt", maker=MAKER)


class Rig:
    """A keeper whose time is told."""

    def __init__(self, seals: ContentSeals | None = None) -> None:
        self.now = 1_000_000.0
        self.indexes = MemoryVectorIndexes()
        objects = MemoryStoredObjects()
        files = FileKeeper(objects, MemoryBlobs(), Files())
        self.keeper = VectorStoreKeeper(
            objects, files, self.indexes, VectorStores(), seals=seals, now=lambda: self.now
        )


async def test_a_store_expires_after_its_last_use() -> None:
    """A use puts it off; expired it takes nothing, is emptied, shown for a while and forgotten."""
    rig = Rig()
    store = await rig.keeper.create(NEW)
    await rig.keeper.add_files(store, [FILE])
    rig.now += DAY_S
    await rig.keeper.used(store)
    rig.now += 1.5 * DAY_S
    store = await rig.keeper.find(ACCOUNT, store.id, EVERYBODY)
    assert store is not None
    assert not rig.keeper.is_over(store)
    rig.now += DAY_S
    assert rig.keeper.is_over(store)
    with pytest.raises(VectorStoreExpired):
        await rig.keeper.add_files(store, [FILE])
    await rig.keeper.sweep()
    assert await rig.indexes.names() == []
    assert await rig.keeper.index(store).summary() == (FileCounts(), 0)
    assert await rig.keeper.find(ACCOUNT, store.id, EVERYBODY) is not None
    rig.now += REMEMBERED_S
    assert await rig.keeper.find(ACCOUNT, store.id, EVERYBODY) is None


async def test_what_no_store_speaks_of_is_destroyed() -> None:
    """And what one speaks of stays."""
    rig = Rig()
    store = await rig.keeper.create(NEW)
    await rig.keeper.add_files(store, [FILE])
    await rig.indexes.of("vs_stray").add([FILE], "", 1, 10)
    await rig.keeper.sweep()
    assert await rig.indexes.names() == [store.blob]


async def test_a_job_begins_with_the_first_file_and_again_when_it_was_filled() -> None:
    """Not once for each file; a store that was emptied by its job begins anew."""
    rig = Rig()
    begun: list[str] = []

    async def begin(store: object) -> None:
        begun.append(str(store))

    rig.keeper.begin = begin
    store = await rig.keeper.create(NEW)
    await rig.keeper.add_files(store, [FILE])
    await rig.keeper.add_files(store, [NewStoreFile(file_id="f2", filename="b", maker=MAKER)])
    assert len(begun) == 1
    assert not await rig.keeper.filled(store)
    for each in ("file-1", "f2"):
        await rig.keeper.index(store).settle(each, [])
    assert await rig.keeper.filled(store)
    await rig.keeper.add_files(store, [NewStoreFile(file_id="f3", filename="c", maker=MAKER)])
    assert len(begun) == 2
    assert [each.id for each in await rig.keeper.waiting()] == [store.id]


class Sealed(NoSeals):
    """An account that has what it stores sealed, or comes to have it so."""

    def __init__(self, *, sealed: bool = True) -> None:
        self.sealed = sealed

    async def box_for_new(self, account_id: str) -> SecretBox | None:
        """Some box."""
        del account_id
        if not self.sealed:
            return None
        return object()  # pyright: ignore[reportReturnType] - it is only compared with None


async def test_an_account_whose_content_is_sealed_has_no_stores() -> None:
    """Deny by default: words and vectors would lie in the clear."""
    with pytest.raises(ContentIsSealed, match="encryption"):
        await Rig(Sealed()).keeper.create(NEW)


async def test_a_store_from_before_takes_nothing_more() -> None:
    """What comes after the account asks for seals would lie in the clear all the same."""
    seals = Sealed(sealed=False)
    rig = Rig(seals)
    store = await rig.keeper.create(NEW)
    seals.sealed = True
    with pytest.raises(ContentIsSealed):
        await rig.keeper.add_files(store, [FILE])
    assert await rig.keeper.index(store).summary() == (FileCounts(), 0)

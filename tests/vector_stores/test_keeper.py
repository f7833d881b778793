"""Stores that end, and files whose words must not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.domain.content_seals import ContentDamaged, NoSeals
from linarite.domain.customer_keys import CustomerKeyUnavailable
from linarite.domain.errors import ServiceUnavailable
from linarite.domain.principal import Principal
from linarite.domain.vector_store import Chunk, FileCounts, NewStoreFile
from linarite.domain.vector_store_errors import VectorStoreExpired
from linarite.files import FileKeeper
from linarite.files.keeper import EVERYBODY
from linarite.files.options import Files
from linarite.storage.memory.blobs import MemoryBlobs
from linarite.storage.memory.stored_objects import MemoryStoredObjects
from linarite.storage.memory.vector_indexes import MemoryVectorIndexes
from linarite.storage.sealing import KeyBox
from linarite.storage.vector_indexes import FolderVectorIndexes
from linarite.vector_stores.keeper import (
    DAY_S,
    REMEMBERED_S,
    NewStore,
    VectorStoreKeeper,
)
from linarite.vector_stores.options import VectorStores

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.domain.content_seals import ContentSeals
    from linarite.domain.secret_box import SecretBox
    from linarite.domain.stored_object import StoredObject
    from linarite.domain.vector_store import VectorIndexes

pytestmark = pytest.mark.anyio
ACCOUNT = "/subscriptions/s/accounts/a"
MAKER = Principal(kind="Key", name="key1")
NEW = NewStore(account_id=ACCOUNT, owner="", name="n", expires_days=2)
FILE = NewStoreFile(file_id="file-1", filename="a.txt", maker=MAKER)


class Rig:
    """A keeper whose time is told."""

    def __init__(
        self, seals: ContentSeals | None = None, indexes: VectorIndexes | None = None
    ) -> None:
        self.now = 1_000_000.0
        self.indexes = indexes or MemoryVectorIndexes()
        self._seals = seals
        self._objects = MemoryStoredObjects()
        self.keeper = self.on(self.indexes)

    def on(self, indexes: VectorIndexes) -> VectorStoreKeeper:
        """Another one of the same stores, as after a start."""
        files = FileKeeper(self._objects, MemoryBlobs(), Files())
        return VectorStoreKeeper(
            self._objects, files, indexes, VectorStores(), seals=self._seals, now=lambda: self.now
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


class Seals(NoSeals):
    """An account that has what it stores sealed, or comes to have it so, or loses its key."""

    def __init__(self, *, asked: bool) -> None:
        self.asked = asked
        self.lost = False

    async def box_for_new(self, account_id: str) -> SecretBox | None:
        """The account's own key, where it is asked for."""
        return await self.box_of(account_id) if self.asked else None

    async def box_of(self, account_id: str) -> SecretBox:
        """As above."""
        if self.lost:
            raise CustomerKeyUnavailable("https://vault/keys/mine")
        return KeyBox(b"k" * 32, account_id)


SECRET = "the parcel is blue"


async def fill(rig: Rig, store: StoredObject, file_id: str) -> None:
    """A file comes in."""
    new = NewStoreFile(file_id=file_id, filename=f"{SECRET}.txt", maker=MAKER)
    await rig.keeper.add_files(store, [new])
    store = await there(rig, store)
    await rig.keeper.index(store).settle(file_id, [Chunk(0, SECRET, b"\0" * 8)])


async def there(rig: Rig, store: StoredObject) -> StoredObject:
    """A store as it is known now."""
    found = await rig.keeper.find(ACCOUNT, store.id, EVERYBODY)
    assert found is not None
    return found


def file_in(folder: Path) -> Path:
    """The only store there."""
    (found,) = folder.glob("*.vectors")
    return found


def on_disk(folder: Path) -> bytes:
    """All bytes of all stores, and what they are called."""
    return b"".join(each.name.encode() + each.read_bytes() for each in folder.iterdir())


async def test_a_store_of_a_sealed_account_is_sealed(tmp_path: Path) -> None:
    """From its first byte; its key opens that store alone, and not without the account's."""
    seals = Seals(asked=True)
    rig = Rig(seals, FolderVectorIndexes(tmp_path))
    store = await rig.keeper.create(NEW)
    await fill(rig, store, "file-1")
    assert SECRET.encode() not in on_disk(tmp_path)
    assert b"SQLite format 3" not in on_disk(tmp_path)
    assert await rig.keeper.index(store).text("file-1") == SECRET
    stolen = msgspec.structs.replace(store, account_id="/subscriptions/s/accounts/b")
    with pytest.raises(ContentDamaged):
        await rig.keeper.index(stolen).summary()
    seals.lost = True
    with pytest.raises(CustomerKeyUnavailable):
        await rig.keeper.index(store).text("file-1")
    with pytest.raises(CustomerKeyUnavailable):
        await rig.keeper.add_files(store, [FILE])
    assert [each.id for each in await rig.keeper.waiting()] == [store.id]


async def test_a_store_from_before_is_sealed_when_something_comes(tmp_path: Path) -> None:
    """All of it, with what it had; afterwards it stays so, whatever the account says."""
    seals = Seals(asked=False)
    rig = Rig(seals, FolderVectorIndexes(tmp_path))
    store = await rig.keeper.create(NEW)
    await fill(rig, store, "file-1")
    await rig.keeper.add_files(store, [FILE, NewStoreFile(file_id="f2", filename="b", maker=MAKER)])
    assert SECRET.encode() in on_disk(tmp_path)
    assert await rig.keeper.sealed(store) == store
    seals.asked = True
    sealed = await rig.keeper.sealed(store)
    assert SECRET.encode() not in on_disk(tmp_path)
    assert await rig.keeper.sealed(sealed) == sealed == await there(rig, store)
    assert (await rig.keeper.index(sealed).summary())[0] == FileCounts(1, 1, total=2)
    with pytest.raises(ServiceUnavailable, match="sealed now"):
        await rig.keeper.index(store).summary()  # who had asked before
    seals.asked = False
    await fill(rig, store, "f3")
    assert SECRET.encode() not in on_disk(tmp_path)
    assert await rig.keeper.index(sealed).text("f3") == SECRET


async def test_a_server_that_ends_while_it_seals_goes_on(tmp_path: Path) -> None:
    """The key is known before anything is sealed with it: whatever is on the disk can be read."""

    class Ends(FolderVectorIndexes):
        """Its disk is full, or its server ends."""

        async def seal(self, name: str, key: bytes) -> None:
            """Not to the end."""
            del key
            (tmp_path / f"{name}.sealing").write_bytes(b"half of it")
            raise ServiceUnavailable("full")

    seals = Seals(asked=False)
    rig = Rig(seals, Ends(tmp_path))
    store = await rig.keeper.create(NEW)
    await fill(rig, store, "file-1")
    seals.asked = True
    with pytest.raises(ServiceUnavailable):
        await rig.keeper.sealed(store)
    store = await there(rig, store)
    assert await rig.keeper.index(store).text("file-1") == SECRET
    rig.keeper = rig.on(FolderVectorIndexes(tmp_path))
    await fill(rig, store, "f2")
    assert SECRET.encode() not in on_disk(tmp_path)
    assert await rig.keeper.index(await there(rig, store)).text("f2") == SECRET
    await rig.keeper.remove(store)
    assert on_disk(tmp_path) == b""


async def test_what_was_changed_on_the_disk_is_refused(tmp_path: Path) -> None:
    """A page that is not as it was written, and a file in the clear in a sealed one's place."""
    rig = Rig(Seals(asked=True), FolderVectorIndexes(tmp_path))
    store = await rig.keeper.create(NEW)
    await fill(rig, store, "file-1")
    file = file_in(tmp_path)
    kept = file.read_bytes()
    file.write_bytes(kept[:5000] + bytes([kept[5000] ^ 1]) + kept[5001:])
    with pytest.raises(ContentDamaged):
        await rig.keeper.index(store).summary()
    assert await rig.keeper.waiting() == []
    plain = Rig(Seals(asked=False), FolderVectorIndexes(tmp_path / "other"))
    await fill(plain, await plain.keeper.create(NEW), "file-1")
    file.write_bytes(file_in(tmp_path / "other").read_bytes())
    with pytest.raises(ContentDamaged):
        await rig.keeper.index(store).text("file-1")


async def test_what_is_destroyed_is_told(tmp_path: Path) -> None:
    """By its name, so that nobody keeps it in memory."""
    rig = Rig(indexes=FolderVectorIndexes(tmp_path))
    told: list[str] = []
    rig.keeper.emptied = told.append
    removed, expired = await rig.keeper.create(NEW), await rig.keeper.create(NEW)
    await rig.keeper.remove(removed)
    rig.now += 3 * DAY_S
    await rig.keeper.sweep()
    assert told == [removed.blob, expired.blob]

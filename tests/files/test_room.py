"""How much accounts may store, and what the disk keeps free."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from linarite.domain.storage_errors import AccountStorageFull, DiskNearlyFull
from linarite.domain.stored_object import StoredObject
from linarite.files import FileKeeper, NewFile
from linarite.files.options import Files
from linarite.files.room import FILE_KINDS, Disk, Room
from linarite.storage.memory.blobs import MemoryBlobs
from linarite.storage.memory.stored_objects import MemoryStoredObjects
from linarite.storage.options import Storage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

ACCOUNT = "/subscriptions/s/accounts/Mine"
OTHER = "/subscriptions/s/accounts/other"
MOST = 10_000
NEW = NewFile(account_id=ACCOUNT, owner="", purpose="assistants", filename="a.txt")


async def pieces(count: int, size: int = 1000) -> AsyncIterator[bytes]:
    """So many, each after a turn of everybody else's."""
    for _ in range(count):
        await asyncio.sleep(0)
        yield b"x" * size


class Shelf:
    """A keeper of files with bounds."""

    def __init__(self, storage: Storage, files_max: int = 0, disk: Disk | None = None) -> None:
        self.objects, self.blobs = MemoryStoredObjects(), MemoryBlobs()
        self.room = Room(self.objects, storage, files_max, disk)
        self.keeper = FileKeeper(self.objects, self.blobs, Files(), room=self.room)

    async def put(self, count: int) -> StoredObject:
        """A file of so many pieces."""
        return await self.keeper.keep(NEW, await self.keeper.receive(ACCOUNT, pieces(count)))


async def test_files_that_come_at_once_share_what_is_left() -> None:
    """Never more than the bound, whoever comes first; what breaks off leaves nothing behind."""
    shelf = Shelf(Storage(account_bytes_max=MOST, free_bytes_min=0))
    done = await asyncio.gather(*(shelf.put(4) for _ in range(4)), return_exceptions=True)
    full = [each for each in done if isinstance(each, AccountStorageFull)]
    kept = [each for each in done if isinstance(each, StoredObject)]
    assert len(kept) + len(full) == 4
    assert full
    assert full[0].hint == {"limit_bytes": MOST, "setting": "storage.account_bytes_max"}
    assert (full[0].status, full[0].code) == (400, "quotaExceeded")
    assert set(await shelf.blobs.names()) == {each.blob for each in kept}
    use = await shelf.room.use_of(ACCOUNT)
    assert use.used == (await shelf.objects.sizes(ACCOUNT)).get("file", 0) <= MOST
    for each in kept:
        await shelf.keeper.remove(each)
    await shelf.put(8)  # nothing of what was refused is counted any more


async def test_files_have_a_bound_of_their_own() -> None:
    """It holds for files and parts; other kinds go on."""
    shelf = Shelf(Storage(account_bytes_max=0, free_bytes_min=0), files_max=3000)
    await shelf.put(2)
    with pytest.raises(AccountStorageFull, match=r"files\.total_bytes_max"):
        await shelf.put(1)
    await shelf.room.require(ACCOUNT)
    await shelf.room.require(OTHER, 3000, kinds=FILE_KINDS)


async def test_an_account_has_a_bound_of_its_own() -> None:
    """By its name, in whatever case; 0 is no bound."""
    storage = Storage(account_bytes_max=10, accounts={"MINE": 5000, "other": 0}, free_bytes_min=0)
    room = Room(MemoryStoredObjects(), storage)
    await room.require(ACCOUNT, 5000)
    with pytest.raises(AccountStorageFull, match=r"storage\.accounts\.mine"):
        await room.require(ACCOUNT, 5001)
    await room.require(OTHER, 10**12)
    with pytest.raises(AccountStorageFull):
        await room.require("/accounts/third", 11)


async def test_the_disk_keeps_some_free() -> None:
    """What has come since it was looked at counts; it is looked at once a second."""
    now, free, looks = [0.0], [10_000], [0]

    def look() -> int:
        looks[0] += 1
        return free[0]

    disk = Disk(5000, look, lambda: now[0])
    shelf = Shelf(Storage(account_bytes_max=0), disk=disk)
    await shelf.put(4)
    assert looks == [1]
    with pytest.raises(DiskNearlyFull, match=r"storage\.free_bytes_min") as refused:
        await shelf.put(2)
    assert refused.value.status == 503
    assert refused.value.headers["retry-after"] == "10"
    assert len(await shelf.blobs.names()) == 1
    now[0], free[0] = 2.0, 4000
    with pytest.raises(DiskNearlyFull):
        await shelf.room.require(ACCOUNT)
    free[0], now[0] = 5001, 4.0
    await shelf.room.require(ACCOUNT)
    assert looks == [3]

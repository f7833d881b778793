"""Whoever is cancelled while files are kept, at whichever await, leaves nothing half."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.controls.audit.options import Audit
from linarite.controls.audit.trail import Trail
from linarite.controls.egress import EgressDialer, EgressPolicy
from linarite.domain.audit import AuditEvent, AuditQuery
from linarite.domain.stored_object import Page
from linarite.domain.upload_errors import UploadNotPending
from linarite.files import FileKeeper, NewFile
from linarite.files.importing import IMPORT, FileImporter
from linarite.files.keeper import EVERYBODY, FILE
from linarite.files.options import Files
from linarite.files.proof import ProvenObjects
from linarite.files.room import Room
from linarite.files.uploads import PART, UploadKeeper
from linarite.storage.blobs import FolderBlobs
from linarite.storage.database import open_database, open_objects
from linarite.storage.memory.audit import MemoryAuditStore
from linarite.storage.options import Storage
from linarite.storage.sealing import KeyBox
from linarite.storage.sqlite.stored_objects import SqliteStoredObjects
from tests.cancelling import cancelled_at_every_await
from tests.controls.audit.events import KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from linarite.domain.stored_object import StoredObject, StoredObjects

pytestmark = pytest.mark.anyio

ACCOUNT = "/subscriptions/s/accounts/mine"
NEW = NewFile(account_id=ACCOUNT, owner="", purpose="assistants", filename="a.txt")
ALL = Page(limit=1000)


@pytest.fixture
async def objects(tmp_path: Path) -> AsyncIterator[SqliteStoredObjects]:
    """On a disk: what a thread does goes on when its caller is cancelled."""
    state, database = open_database(tmp_path), open_objects(tmp_path)
    yield SqliteStoredObjects(database)
    await database.close()
    await state.close()


async def pieces() -> AsyncIterator[bytes]:
    """A small file, with a pause in it."""
    yield b"some "
    await asyncio.sleep(0)
    yield b"words"


class Shelf:
    """Files on a disk."""

    def __init__(self, objects: StoredObjects, folder: Path) -> None:
        self.objects, self.blobs = objects, FolderBlobs(folder / "files")
        self.room = Room(objects, Storage(account_bytes_max=1_000_000, free_bytes_min=0))
        self.keeper = FileKeeper(objects, self.blobs, Files(), room=self.room)

    async def put(self) -> StoredObject:
        """Keep a file."""
        return await self.keeper.keep(NEW, await self.keeper.receive(ACCOUNT, pieces()))

    async def require_whole(self, *kinds: str) -> None:
        """Whatever is listed can be read; nothing is held for what has broken off."""
        for kind in kinds:
            for each in await self.objects.list(ACCOUNT, kind, ALL):
                assert [piece async for piece in self.keeper.content(each)] == [b"some words"]
        used = (await self.room.use_of(ACCOUNT)).used
        assert used == sum((await self.objects.sizes(ACCOUNT)).values())


async def test_a_file_is_there_with_its_bytes_or_not_at_all(
    objects: SqliteStoredObjects, tmp_path: Path
) -> None:
    """Of what is not, no bytes are left once it is tidied up."""
    shelf = Shelf(objects, tmp_path)
    async for _ in cancelled_at_every_await(shelf.put):
        await shelf.require_whole(FILE)
    await shelf.keeper.sweep_bytes()
    there = await objects.list(ACCOUNT, FILE, ALL)
    assert len(there) > 2  # two were not cancelled; others were, when they had been kept
    assert set(await shelf.blobs.names()) == {each.blob for each in there}


async def test_a_part_is_there_with_its_bytes_or_not_at_all(
    objects: SqliteStoredObjects, tmp_path: Path
) -> None:
    """And counted among what has come."""
    shelf = Shelf(objects, tmp_path)
    uploads = UploadKeeper(shelf.keeper, objects)
    upload = await uploads.start(NEW, 1000)
    async for _ in cancelled_at_every_await(lambda: uploads.add_part(upload, pieces())):
        await shelf.require_whole(PART)
    now = await uploads.find(ACCOUNT, upload.id, EVERYBODY)
    assert now is not None
    assert now.body["parts"] == len(await objects.list(ACCOUNT, PART, ALL)) > 2


async def test_an_upload_is_one_file_or_none(objects: SqliteStoredObjects, tmp_path: Path) -> None:
    """Whoever completes it and leaves finds it completed."""
    shelf = Shelf(objects, tmp_path)
    uploads = UploadKeeper(shelf.keeper, objects)
    made: list[StoredObject] = []

    async def complete() -> None:
        upload = await uploads.start(NEW, 10)
        part = await uploads.add_part(upload, pieces())
        made.append(upload)
        await uploads.complete(upload, [part.id], "")

    async for _ in cancelled_at_every_await(complete):
        await asyncio.gather(*uploads._at_work)
        await shelf.require_whole(FILE, PART)
    for upload in made:
        now = await uploads.find(ACCOUNT, upload.id, EVERYBODY)
        assert now is not None
        assert (now.label == "completed") == (await uploads.file_of(now) is not None)
        if now.label == "completed":
            with pytest.raises(UploadNotPending):
                await uploads.cancel(upload)


async def test_what_is_to_be_imported_is_begun(
    objects: SqliteStoredObjects, tmp_path: Path
) -> None:
    """A pending file that nobody fetches would wait until the server is started again."""
    box = KeyBox(bytes(32), ACCOUNT)

    async def box_of(account_id: str) -> KeyBox:
        del account_id
        return box

    files = Shelf(objects, tmp_path).keeper
    importer = FileImporter(files, objects, EgressDialer(EgressPolicy()), box_of)
    url = "http://127.0.0.1:1/a.txt"  # egress refuses it: each ends as a file that never came
    async for _ in cancelled_at_every_await(lambda: importer.ask(NEW, url)):
        await asyncio.gather(*importer._tasks)
        assert await objects.list(ACCOUNT, IMPORT, ALL) == []
    asked = await objects.list(ACCOUNT, FILE, ALL)
    assert len(asked) > 2
    assert {each.body["status"] for each in asked} == {"error"}


def removals(objects: ProvenObjects) -> dict[str, Callable[[StoredObject], Awaitable[Any]]]:
    """The ways in which something is removed."""
    return {
        "remove": lambda one: objects.remove(one.account_id, one.kind, one.id),
        "write": lambda one: objects.write(removed=[one]),
        "end": lambda one: objects.end([one], "expired"),
    }


@pytest.mark.parametrize("way", ["remove", "write", "end"])
async def test_what_is_removed_is_proved(
    objects: SqliteStoredObjects, tmp_path: Path, way: str
) -> None:
    """Also where whoever removes it is cancelled when it has just gone."""
    trail = Trail(MemoryAuditStore(), KEY, Audit())
    await trail.open()
    proven = ProvenObjects(objects, trail)
    shelf = Shelf(proven, tmp_path)
    made: list[StoredObject] = []

    async def remove() -> None:
        await removals(proven)[way](made[-1])

    made.append(await shelf.put())
    async for _ in cancelled_at_every_await(remove):
        made += [await shelf.put()]
    entries = await trail.read(AuditQuery(under="/"))
    told = [msgspec.json.decode(each.body, type=AuditEvent) for each in entries]
    gone = Counter(file=len(made) - len(await objects.list(ACCOUNT, FILE, ALL)))
    assert Counter(file=sum(int(each.details["file"]) for each in told)) == gone
    assert gone["file"] > 2
    await trail.close()

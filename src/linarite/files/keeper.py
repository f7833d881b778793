"""Keeping files: the bytes first, then what is known about them, so that nothing is ever half."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.content_seals import NoSeals
from linarite.domain.file_errors import FileTooLarge, TooManyFiles
from linarite.domain.stored_object import EXPIRED, PURGED, Page, StoredObject
from linarite.files.room import FILE_KINDS, Arrival, Room
from linarite.files.sniffing import HEAD_BYTES, media_type, require_lines
from linarite.web.ids import new_guid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable

    from linarite.domain.blob import Blobs
    from linarite.domain.content_seals import ContentSeals
    from linarite.domain.principal import Principal
    from linarite.domain.stored_object import StoredObjects
    from linarite.files.options import Files

FILE = "file"
BATCH = "batch"
Beside = Callable[[StoredObject], dict[str, list[StoredObject]]]
"""what `StoredObjects.write` does, `replaced` or `removed`, when a file is made"""
EVERYBODY = None
"""an owner who stands for all"""
SWEEP_AT_ONCE = 200
CONTENT_KEY = "content_key"
"""field of a body: the sealed key of its bytes"""
PROCESSED, PENDING, ERROR = "processed", "pending", "error"
"""what a file that is there is; one that is still to come; one that could not be had"""


class NewFile(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a file before it has come."""

    account_id: str
    owner: str
    purpose: str
    filename: str
    lives_s: int = 0
    """seconds until it expires; 0: never"""


class Bound(msgspec.Struct, frozen=True):
    """How many bytes may come, and which setting says so."""

    bytes_max: int
    setting: str = "files.file_bytes_max"
    of_account: bool = True
    """whether the bounds of its account hold as well: not where the bytes are there already, or
    are the server's own work"""


class FileKeeper:
    """The files of all accounts. Every look-up is by account and id, and by owner where asked."""

    def __init__(
        self,
        objects: StoredObjects,
        blobs: Blobs,
        options: Files,
        now: Callable[[], float] = time.time,
        seals: ContentSeals | None = None,
        room: Room | None = None,
    ) -> None:
        """`seals` say whose bytes are sealed; None: nobody's. `room` None: without bounds."""
        self.options = options
        self.room = room or Room(objects)
        self._seals = seals or NoSeals()
        self._objects = objects
        self._blobs = blobs
        self._now = now
        self._arriving: dict[str, Arrival] = {}
        """bytes whose file is not known yet, by name"""

    def seen_by(self, principal: Principal | None) -> str | None:
        """Whose files somebody sees: one owner's, or EVERYBODY's."""
        return owner_of(principal) if self.options.visible_to == "creator" else EVERYBODY

    async def require_room(self, new: NewFile) -> None:
        """Raise TooManyFiles where the account has as many of the purpose as it may.

        AccountStorageFull and DiskNearlyFull where it may have no more bytes.
        """
        lasting, options = new.lives_s == 0, self.options
        of_purpose = partial(self._objects.count, new.account_id, FILE, new.purpose)
        there = await of_purpose(lasting=lasting)
        most, setting = options.expiring_max, "files.expiring_max"
        if new.purpose != BATCH:
            there += await of_purpose(lasting=not lasting)
            most, setting = options.others_max, "files.others_max"
        elif lasting:
            most, setting = options.lasting_max, "files.lasting_max"
        if there >= most:
            raise TooManyFiles(new.purpose, most, setting)
        await self.room.require(new.account_id, kinds=FILE_KINDS)

    async def receive(
        self, account_id: str, pieces: AsyncIterator[bytes], bounded: Bound | None = None
    ) -> Received:
        """Keep an account's bytes whose file is still to be made: `keep` or `discard` follows.

        Raises FileTooLarge, AccountStorageFull, DiskNearlyFull, and whatever `pieces` raises;
        nothing is left then.
        """
        name = new_guid().replace("-", "")
        key = await self._seals.new_key(account_id, name)
        bound = bounded or Bound(self.options.file_bytes_max)
        arrival = self.room.arrival(account_id, bounded=bound.of_account)
        self._arriving[name] = arrival
        coming = _Coming(pieces, bound, arrival)
        try:
            await self._blobs.write(name, coming if key is None else key.seal(coming))
        except BaseException:
            self._arrived(name)
            raise
        return Received(name, coming.size, bytes(coming.head), key.sealed if key else "")

    async def keep(
        self, new: NewFile, received: Received, beside: Beside | None = None
    ) -> StoredObject:
        """Make the file, and change at once what `beside` says.

        Raises TooManyFiles, FileTooLarge, NotJsonLines, and LookupError where what was to be
        changed beside it is not there any more; nothing is left then.
        """
        try:
            self.require_fit(new, received)
            await self.require_room(new)
            made = self.made(new, received)
            await self._write(made, {} if beside is None else beside(made))
        except BaseException:
            await self.discard(received)
            raise
        self.settled(received)
        return made

    def settled(self, received: Received) -> None:
        """The object that speaks of these bytes is kept: from now on only it keeps them."""
        self._arrived(received.name)

    async def discard(self, received: Received) -> None:
        """Forget bytes of which no file is made."""
        try:
            await self._blobs.remove(received.name)
        finally:
            self._arrived(received.name)

    def _arrived(self, name: str) -> None:
        arrival = self._arriving.pop(name, None)
        if arrival is not None:
            arrival.end()

    async def find(self, account_id: str, file_id: str, owner: str | None) -> StoredObject | None:
        """A file; None for one that is absent, expired, another account's or another owner's."""
        found = await self._objects.get(account_id, FILE, file_id)
        if found is None or owner not in {EVERYBODY, found.owner} or self._is_over(found):
            return None
        return found

    async def list(self, account_id: str, page: Page) -> list[StoredObject]:
        """See StoredObjects; what has expired is not shown."""
        alive = msgspec.structs.replace(page, alive_at=int(self._now()))
        return await self._objects.list(account_id, FILE, alive)

    async def content(self, kept: StoredObject) -> AsyncIterator[bytes]:
        """A file's bytes, or those of anything else that has some.

        Raises KeyError, with the first, where there are none, and ContentDamaged.
        """
        if not kept.blob:
            raise KeyError(kept.id)
        pieces = self._blobs.read(kept.blob)
        sealed = kept.body.get(CONTENT_KEY)
        if sealed:
            key = await self._seals.key_of(kept.account_id, kept.blob, sealed)
            pieces = key.unseal(pieces)
        async for piece in pieces:
            yield piece

    async def remove(self, file: StoredObject) -> None:
        """Forget a file: first that there is one, then its bytes."""
        await self._objects.remove(file.account_id, file.kind, file.id)
        await self.forget_bytes([file])

    async def forget_bytes(self, objects: Iterable[StoredObject]) -> None:
        """Remove the bytes of objects that are not there any more."""
        for each in objects:
            if each.blob:
                await self._blobs.remove(each.blob)

    async def remove_others(self, accounts: Collection[str]) -> None:
        """Forget everything that other accounts than these have. Ids are in lower case."""
        for account_id in await self._objects.accounts() - set(accounts):
            while files := await self._objects.of_account(account_id, SWEEP_AT_ONCE):
                await self._objects.end(files, PURGED)
                await self.forget_bytes(files)

    async def sweep(self) -> int:
        """Forget files whose time is over; how many there were."""
        gone = 0
        while files := await self._objects.expired(int(self._now()), SWEEP_AT_ONCE):
            await self._objects.end(files, EXPIRED)
            await self.forget_bytes(files)
            gone += len(files)
        return gone

    async def sweep_bytes(self) -> None:
        """Forget bytes that no file speaks of: their server died before it made one."""
        names = set(await self._blobs.names()) - self._arriving.keys()
        if names:
            for name in names - await self._objects.blobs():
                await self._blobs.remove(name)

    async def _write(self, made: StoredObject, changes: dict[str, list[StoredObject]]) -> None:
        if not await self._objects.write(added=[made], **changes):
            raise LookupError(made.id)

    def require_fit(self, new: NewFile, received: Received) -> None:
        """Raise FileTooLarge, NotJsonLines for what is no file of its purpose."""
        if new.purpose == BATCH and received.size > self.options.batch_bytes_max:
            raise FileTooLarge(self.options.batch_bytes_max, "files.batch_bytes_max")
        require_lines(new.purpose, new.filename, received.head)

    def made(self, new: NewFile, received: Received) -> StoredObject:
        """The file as `keep` makes it, for whoever keeps it himself: `settled` follows."""
        now = int(self._now())
        return StoredObject(
            account_id=new.account_id,
            kind=FILE,
            # Made now and not when the first byte came: lists are in the order of ids.
            id=f"file-{new_guid().replace('-', '')}",
            created_at=now,
            owner=new.owner,
            label=new.purpose,
            blob=received.name,
            blob_bytes=received.size,
            expires_at=now + new.lives_s if new.lives_s else 0,
            body={
                "bytes": received.size,
                "filename": new.filename,
                "media_type": media_type(received.head),
                **content_key(received),
            },
        )

    def arrived(self, file: StoredObject, received: Received) -> StoredObject:
        """A file that was pending, with its bytes: `settled` follows once it is kept."""
        told = {
            "bytes": received.size,
            "media_type": media_type(received.head),
            "status": PROCESSED,
            **content_key(received),
        }
        return msgspec.structs.replace(
            file, blob=received.name, blob_bytes=received.size, body=file.body | told
        )

    def _is_over(self, file: StoredObject) -> bool:
        return 0 < file.expires_at <= self._now()


class Received(msgspec.Struct, frozen=True):
    """Bytes that have come."""

    name: str
    size: int
    head: bytes
    """how they begin"""
    key: str = ""
    """what they are sealed with, itself sealed; "" where they are in the clear"""


class _Coming:
    """Pieces on their way: counted, and their beginning remembered."""

    def __init__(self, pieces: AsyncIterator[bytes], bound: Bound, arrival: Arrival) -> None:
        self._pieces = pieces
        self._bound = bound
        self._arrival = arrival
        self.size = 0
        self.head = bytearray()

    def __aiter__(self) -> _Coming:
        return self

    async def __anext__(self) -> bytes:
        piece = await anext(self._pieces)
        self.size += len(piece)
        if self.size > self._bound.bytes_max:
            raise FileTooLarge(self._bound.bytes_max, self._bound.setting)
        await self._arrival.take(len(piece))
        if len(self.head) < HEAD_BYTES:
            self.head += piece[: HEAD_BYTES - len(self.head)]
        return piece


def content_key(received: Received) -> dict[str, str]:
    """What the body of an object says about the bytes that it speaks of."""
    return {CONTENT_KEY: received.key} if received.key else {}


def status_of(file: StoredObject) -> str:
    """Of a file: PROCESSED, PENDING or ERROR."""
    return str(file.body.get("status", PROCESSED))


def owner_of(principal: Principal | None) -> str:
    """Who made something; "" for whoever holds one of an account's own keys."""
    if principal is None or principal.opens_all:
        return ""
    return principal.object_id or principal.resource_id or principal.name

"""Files that come in parts: each part is kept by itself until they become one file at once."""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import msgspec

from linarite.domain.file_errors import FileTooLarge
from linarite.domain.stored_object import Page, StoredObject
from linarite.domain.upload_errors import AccountIsFull, PartsDoNotFit, UploadNotPending
from linarite.files.keeper import BATCH, EVERYBODY, Bound, NewFile, content_key
from linarite.web.ids import new_guid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from linarite.domain.stored_object import StoredObjects
    from linarite.files.keeper import FileKeeper, Received

UPLOAD, PART = "upload", "upload_part"
PENDING, COMPLETED, CANCELLED, EXPIRED = "pending", "completed", "cancelled", "expired"
REMEMBERED_S = 86_400
"""how long an upload is known after its time, so that its client is told how it ended"""
PARTS_MAX = 10_000


class UploadKeeper:
    """The uploads of all accounts. Every look-up is by account and id, and by owner where asked."""

    def __init__(
        self, files: FileKeeper, objects: StoredObjects, now: Callable[[], float] = time.time
    ) -> None:
        self.files = files
        self._objects = objects
        self._now = now
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """whoever changes an upload waits for who does so already"""
        self._at_work: set[asyncio.Task[StoredObject]] = set()

    async def start(self, new: NewFile, size: int) -> StoredObject:
        """Begin one of `size` bytes. Raises FileTooLarge, TooManyFiles, AccountIsFull."""
        options = self.files.options
        if size > options.upload_bytes_max:
            raise FileTooLarge(options.upload_bytes_max, "files.upload_bytes_max")
        if new.purpose == BATCH and size > options.batch_bytes_max:
            raise FileTooLarge(options.batch_bytes_max, "files.batch_bytes_max")
        await self.files.require_room(new)
        now = int(self._now())
        unfinished = Page(limit=options.uploads_max, label=PENDING, alive_at=now + REMEMBERED_S)
        if len(await self._objects.list(new.account_id, UPLOAD, unfinished)) >= unfinished.limit:
            raise AccountIsFull(
                "This account has as many unfinished uploads as it may have",
                unfinished.limit,
                "Complete or cancel some, or raise files.uploads_max.",
            )
        made = StoredObject(
            account_id=new.account_id,
            kind=UPLOAD,
            id=f"upload_{new_guid().replace('-', '')}",
            created_at=now,
            owner=new.owner,
            label=PENDING,
            expires_at=now + options.upload_lives_s + REMEMBERED_S,
            body={
                "bytes": size,
                "purpose": new.purpose,
                "filename": new.filename,
                "lives_s": new.lives_s,
                "came": 0,
                "parts": 0,
            },
        )
        await self._objects.add(made)
        return made

    async def find(self, account_id: str, upload_id: str, owner: str | None) -> StoredObject | None:
        """An upload; None for one that is absent, another account's or another owner's."""
        found = await self._objects.get(account_id, UPLOAD, upload_id)
        if found is None or owner not in {EVERYBODY, found.owner}:
            return None
        return found

    def status(self, upload: StoredObject) -> str:
        """`pending`, `completed`, `cancelled` or `expired`."""
        over = upload.label == PENDING and ends_at(upload) <= self._now()
        return EXPIRED if over else upload.label

    async def file_of(self, upload: StoredObject) -> StoredObject | None:
        """The file that a completed one has become, while there is that file."""
        made = str(upload.body.get("file", ""))
        return await self.files.find(upload.account_id, made, EVERYBODY) if made else None

    async def add_part(self, upload: StoredObject, pieces: AsyncIterator[bytes]) -> StoredObject:
        """Keep a part. Raises UploadNotPending, FileTooLarge, AccountIsFull."""
        self._require_pending(upload)
        bytes_max = self.files.options.upload_part_bytes_max
        bound = Bound(bytes_max, "files.upload_part_bytes_max")
        received = await self.files.receive(upload.account_id, pieces, bound)
        try:
            async with self._turn(upload):
                part = await self._kept(await self._current(upload), received)
        except BaseException:
            await self.files.discard(received)
            raise
        self.files.settled(received)
        return part

    async def complete(
        self, upload: StoredObject, part_ids: Sequence[str], md5: str
    ) -> StoredObject:
        """Make the file of those parts in that order, `md5` "" or its checksum in hexadecimal.

        Asked again with the same parts it says the same. When it is cancelled it goes on by
        itself: there is nothing half. Raises UploadNotPending, PartsDoNotFit and what
        FileKeeper.keep does; the upload is as it was then.
        """
        work = asyncio.create_task(self._complete(upload, part_ids, md5))
        self._at_work.add(work)
        work.add_done_callback(self._at_work.discard)
        return await asyncio.shield(work)

    async def stop(self) -> None:
        """Break off what completes by itself; such an upload is as it was, or complete."""
        for work in self._at_work:
            work.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)

    async def cancel(self, upload: StoredObject) -> StoredObject:
        """End it and forget its parts. Raises UploadNotPending."""
        async with self._turn(upload):
            current = await self._current(upload)
            parts = await self._parts_of(current)
            ended = msgspec.structs.replace(current, label=CANCELLED)
            if not await self._objects.write(replaced=[ended], removed=parts):
                raise UploadNotPending(upload.id, EXPIRED)
        await self.files.forget_bytes(parts)
        return ended

    async def _complete(
        self, upload: StoredObject, part_ids: Sequence[str], md5: str
    ) -> StoredObject:
        async with self._turn(upload):
            found = await self._objects.get(upload.account_id, UPLOAD, upload.id)
            if found is not None and found.body.get("part_ids") == list(part_ids):
                return found
            current = await self._current(upload)
            parts = await self._parts_of(current)
            chosen = _chosen(parts, part_ids, current.body["bytes"])
            whole = self._joined(chosen, md5.lower())
            bytes_max = self.files.options.upload_bytes_max
            # Not bounded by the account: its parts, which it replaces, are counted already.
            bound = Bound(bytes_max, "files.upload_bytes_max", of_account=False)
            received = await self.files.receive(current.account_id, whole, bound)
            ended = current

            def beside(made: StoredObject) -> dict[str, list[StoredObject]]:
                nonlocal ended
                told = {"file": made.id, "part_ids": list(part_ids)}
                ended = msgspec.structs.replace(current, label=COMPLETED, body=current.body | told)
                return {"replaced": [ended], "removed": parts}

            try:
                await self.files.keep(_new_file(current), received, beside)
            except LookupError:
                raise UploadNotPending(upload.id, EXPIRED) from None
        await self.files.forget_bytes(parts)
        return ended

    async def _joined(self, parts: Sequence[StoredObject], md5: str) -> AsyncIterator[bytes]:
        """The bytes of the parts, one after the other. Raises PartsDoNotFit at their end."""
        digest = hashlib.md5(usedforsecurity=False)
        for part in parts:
            try:
                async for piece in self.files.content(part):
                    if md5:
                        await asyncio.to_thread(digest.update, piece)
                    yield piece
            except KeyError:
                raise PartsDoNotFit(f"the bytes of part '{part.id}' are not there") from None
        if md5 and digest.hexdigest() != md5:
            raise PartsDoNotFit(f"their md5 is {digest.hexdigest()}, not {md5[:64]}", "md5")

    async def _kept(self, upload: StoredObject, received: Received) -> StoredObject:
        body = upload.body
        came, bytes_max = body["came"] + received.size, self.files.options.upload_bytes_max
        if came > bytes_max:
            raise FileTooLarge(bytes_max, "files.upload_bytes_max")
        if body["parts"] >= PARTS_MAX:
            raise AccountIsFull(
                "An upload has as many parts as it may have", PARTS_MAX, "Send larger ones."
            )
        part = StoredObject(
            account_id=upload.account_id,
            kind=PART,
            id=f"part_{new_guid().replace('-', '')}",
            created_at=int(self._now()),
            owner=upload.owner,
            label=upload.id,
            expires_at=ends_at(upload),
            blob=received.name,
            blob_bytes=received.size,
            body={"bytes": received.size, **content_key(received)},
        )
        grown = msgspec.structs.replace(
            upload, body=body | {"came": came, "parts": body["parts"] + 1}
        )
        if not await self._objects.write(added=[part], replaced=[grown]):
            raise UploadNotPending(upload.id, EXPIRED)
        return part

    async def _current(self, upload: StoredObject) -> StoredObject:
        """The upload as it is now. Raises UploadNotPending."""
        found = await self._objects.get(upload.account_id, UPLOAD, upload.id)
        if found is None:
            raise UploadNotPending(upload.id, EXPIRED)
        self._require_pending(found)
        return found

    def _require_pending(self, upload: StoredObject) -> None:
        status = self.status(upload)
        if status != PENDING:
            raise UploadNotPending(upload.id, status)

    async def _parts_of(self, upload: StoredObject) -> list[StoredObject]:
        page = Page(limit=PARTS_MAX, label=upload.id, ascending=True)
        return await self._objects.list(upload.account_id, PART, page)

    def _turn(self, upload: StoredObject) -> asyncio.Lock:
        return self._turns.setdefault(upload.id, asyncio.Lock())


def ends_at(upload: StoredObject) -> int:
    """When it expires, in seconds since the epoch."""
    return upload.expires_at - REMEMBERED_S


def _chosen(
    parts: Sequence[StoredObject], part_ids: Sequence[str], size: int
) -> list[StoredObject]:
    """The parts of these ids. Raises PartsDoNotFit."""
    known = {part.id: part for part in parts}
    for part_id in part_ids:
        if part_id not in known:
            raise PartsDoNotFit(f"it has no part '{part_id[:100]}'")
    if len(set(part_ids)) < len(part_ids):
        raise PartsDoNotFit("a part is named twice")
    chosen = [known[part_id] for part_id in part_ids]
    came = sum(part.body["bytes"] for part in chosen)
    if came != size:
        raise PartsDoNotFit(f"its parts have {came} bytes, and {size} were announced")
    return chosen


def _new_file(upload: StoredObject) -> NewFile:
    return NewFile(
        account_id=upload.account_id,
        owner=upload.owner,
        purpose=upload.body["purpose"],
        filename=upload.body["filename"],
        lives_s=upload.body["lives_s"],
    )

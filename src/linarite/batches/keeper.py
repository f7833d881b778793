"""Keeping batches: every change of one is written before anybody is told of it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from linarite.batches.enqueued import EnqueuedTokens
from linarite.domain.batch import BATCH, OPEN, Batch, Counts, batch_of
from linarite.domain.batch_errors import NoSuchInput
from linarite.domain.errors import LinariteError
from linarite.domain.principal import Principal
from linarite.domain.stored_object import Page
from linarite.domain.unbroken import unbroken
from linarite.files.keeper import EVERYBODY
from linarite.web.ids import new_guid

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from linarite.batches.options import Batches
    from linarite.domain.stored_object import StoredObject, StoredObjects
    from linarite.files import FileKeeper

log = structlog.get_logger("linarite.batches")

CANCELLABLE = frozenset(("validating", "in_progress", "cancelling"))
READ_AT_ONCE = 500


class NewBatch(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    account_id: str
    maker: Principal
    owner: str
    project: str = ""
    api_version: str = ""
    endpoint: str
    input_file_id: str
    metadata: dict[str, str] | None = None
    output_lives_s: int = 0


class BatchKeeper:
    """The batches of all accounts. Every look-up is by account and id, and by owner where asked."""

    def __init__(
        self,
        objects: StoredObjects,
        files: FileKeeper,
        options: Batches,
        endpoints: Sequence[str],
        now: Callable[[], float] = time.time,
    ) -> None:
        """`endpoints`: what lines may ask for, as `/chat/completions`."""
        self.options = options
        self.endpoints = tuple(endpoints)
        self.enqueued = EnqueuedTokens()
        self.begin: Callable[[Batch], Awaitable[None]] = _nobody_runs
        """has a new batch run; it must survive the death of the process"""
        self._objects = objects
        self._files = files
        self._now = now
        self._turn = asyncio.Lock()
        self._live: dict[str, Counts] = {}
        self._cancelled: dict[str, asyncio.Event] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        """of batches that an earlier server has left: who finds out how far they are"""

    def seen_by(self, principal: Principal | None) -> str | None:
        """Whose batches somebody sees: as with files."""
        return self._files.seen_by(principal)

    async def create(self, new: NewBatch, sees: str | None) -> Batch:
        """A new one, about to be run. Raises NoSuchInput, AccountStorageFull, DiskNearlyFull.

        `sees`: whose files the maker sees.
        """
        file = await self._files.find(new.account_id, new.input_file_id, sees)
        if file is None:
            raise NoSuchInput(new.input_file_id, "does not exist in this account.")
        if file.label != BATCH:
            why = f"has the purpose '{file.label}'. Upload it with the purpose 'batch'."
            raise NoSuchInput(new.input_file_id, why)
        await self._files.room.require(new.account_id)
        created_at = int(self._now())
        batch = Batch(
            id=f"batch_{new_guid()}",
            created_at=created_at,
            expires_at=created_at + int(self.options.window_s),
            **{name: getattr(new, name) for name in new.__struct_fields__},
        )
        await unbroken(self._begun(batch))
        return batch

    async def _begun(self, batch: Batch) -> None:
        await self._objects.add(batch.stored())
        await self.begin(batch)

    async def find(self, account_id: str, batch_id: str, owner: str | None) -> Batch | None:
        """A batch; None for one that is absent, another account's or another owner's."""
        found = await self._objects.get(account_id, BATCH, batch_id)
        return None if found is None or owner not in {EVERYBODY, found.owner} else batch_of(found)

    async def list(self, account_id: str, page: Page) -> list[Batch]:
        """See StoredObjects."""
        return [batch_of(each) for each in await self._objects.list(account_id, BATCH, page)]

    async def open_ones(self) -> tuple[list[Batch], bool]:
        """Those that have not ended, and whether all accounts could be read."""
        found: list[Batch] = []
        all_read = True
        for account_id in await self._objects.accounts():
            page = Page(limit=READ_AT_ONCE, label=OPEN)
            try:
                while some := await self.list(account_id, page):
                    found += some
                    page = msgspec.structs.replace(page, after=some[-1].id)
            except LinariteError as refusal:  # its key is not there, or its content was changed
                log.warning("batches were not read", account=account_id, reason=refusal.message)
                all_read = False
        return found, all_read

    async def cancel(self, batch: Batch) -> Batch | None:
        """The batch as it then stands: `cancelling`, if it was cancelled.

        None for one that is gone with its account.
        """
        now = int(self._now())

        def cancelling(batch: Batch) -> Batch:
            if batch.status not in CANCELLABLE or batch.status == "cancelling":
                return batch
            return msgspec.structs.replace(batch, status="cancelling", cancelling_at=now)

        changed = await self.change(batch, cancelling)
        if changed is not None and changed.status == "cancelling":
            self.cancelled(batch.id).set()
        return changed

    async def change(
        self,
        batch: Batch,
        to: Callable[[Batch], Batch],
        added: Sequence[StoredObject] = (),
    ) -> Batch | None:
        """Write what `to` makes of a batch as it now stands, together with new objects.

        None, and nothing done, where the batch is gone with its account.
        """
        async with self._turn:
            found = await self._objects.get(batch.account_id, BATCH, batch.id)
            if found is None:
                self.forget(batch)
                return None
            before = batch_of(found)
            after = to(before)
            written = after == before or await self._objects.write(
                replaced=[after.stored()], added=added
            )
        if not written:
            self.forget(batch)
            return None
        if after.is_over:
            self.forget(after)
        return after

    def cancelled(self, batch_id: str) -> asyncio.Event:
        """Set once the batch is being cancelled, for whoever runs it."""
        return self._cancelled.setdefault(batch_id, asyncio.Event())

    def tell(self, batch_id: str, counts: Counts) -> None:
        """How far a batch is: shown at once, written when its state changes."""
        self._live[batch_id] = counts

    def find_out(self, batch: Batch, reading: Coroutine[Any, Any, None]) -> None:
        """Have it found out how far a batch is; whoever asks meanwhile waits for it."""
        task = asyncio.create_task(reading, name=f"how far {batch.id} is")
        self._reading[batch.id] = task
        task.add_done_callback(lambda _: self._reading.pop(batch.id, None))

    async def leave_finding_out(self) -> None:
        """Leave it to the next server."""
        reading = [*self._reading.values()]
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)

    async def found_out(self, batch_id: str) -> None:
        """Return once it is known how far a batch is."""
        reading = self._reading.get(batch_id)
        if reading is not None:
            await asyncio.wait((reading,))

    async def counts(self, batch: Batch) -> Counts:
        """How far it is."""
        await self.found_out(batch.id)
        return self._live.get(batch.id, batch.counts)

    def now(self) -> int:
        """Seconds since the epoch."""
        return int(self._now())

    def forget(self, batch: Batch) -> None:
        """It is over: nothing of it is live any more."""
        self._live.pop(batch.id, None)
        self._cancelled.pop(batch.id, None)
        self.enqueued.release(batch.id)


async def _nobody_runs(batch: Batch) -> None:
    """Of a keeper without a worker, in tests: it stays as it is."""
    del batch

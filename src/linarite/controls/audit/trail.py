"""Where events are handed in: one writer links them, gathers what comes together, signs.

    record()  waits until its event is on disk, or refuses       control plane, sign-in
    note()    never waits; kept and tried again while the disk refuses     data plane

Both go through one queue, so the order of the log is the order of handing in. Whatever waits when
the writer comes round is one transaction.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from linarite.controls.audit.chain import chained, genesis
from linarite.controls.audit.flood import WINDOW_S, Flood
from linarite.controls.audit.key_uses import MANAGEMENT_KEY, Places, management_key_use
from linarite.controls.audit.verification import Evidence, Link, verified
from linarite.domain.audit_errors import AuditUnavailable
from linarite.domain.errors import LinariteError, ServiceUnavailable
from linarite.domain.principal import MANAGEMENT_KEYS_ID

if TYPE_CHECKING:
    from linarite.controls.audit.options import Audit
    from linarite.controls.audit.signing import AuditKey
    from linarite.domain.audit import (
        AuditEntry,
        AuditEvent,
        AuditQuery,
        AuditStore,
        Checkpoint,
    )

BATCH_EVENTS = 500
NANOSECONDS = 1_000_000_000
BACKLOG_MAX = 5_000
"""noted events that wait in memory while the disk refuses"""
RETRY_FIRST_S = 0.5
RETRY_LAST_S = 5.0
STOP_WAIT_S = 5.0
"""how long `close` tries to write what still waits"""
STOPPING = "the server is shutting down"
OUR_FAULT = "by our own fault; the server's log says more"

log = structlog.get_logger("linarite.audit")


class _Waiting:
    """An event on its way to the disk, and who waits for it."""

    __slots__ = ("done", "event")

    def __init__(self, event: AuditEvent, done: asyncio.Future[None] | None) -> None:
        self.event = event
        self.done = done


class Trail:
    """`AuditTrail` over a store. `open` it before use, `close` it at the end."""

    def __init__(self, store: AuditStore, key: AuditKey, options: Audit) -> None:
        self._store = store
        self._key = key
        self._options = options
        self._queue: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        """something was handed in"""
        self._urgent = asyncio.Event()
        """somebody waits"""
        self._turn = asyncio.Lock()
        """held while the store is written: the head moves with it"""
        self._seq, self._hash = 0, genesis(key.public)
        self._head_known = False
        self._signed_seq = 0
        self._places = Places(int(options.key_use_s * NANOSECONDS))
        self._flood = Flood(options.refusals_per_minute, time.monotonic)
        self._teller: asyncio.TimerHandle | None = None
        self._writer: asyncio.Task[None] | None = None
        self._signer: asyncio.TimerHandle | None = None
        self._closing = False
        self._tasks: set[asyncio.Task[object]] = set()
        self.failing = ""
        """why the store can't be written just now; "" when it can"""
        self.written = 0
        """events on disk since the start"""
        self.lost = 0
        """events that could not be kept: above zero, the log has not seen everything"""

    @property
    def seq(self) -> int:
        """The last entry's place."""
        return self._seq

    @property
    def public_key(self) -> bytes:
        """What its checkpoints are verified by."""
        return self._key.public

    @property
    def backlog(self) -> int:
        """Events that wait for the disk, those of a flood included."""
        return len(self._queue) + self._flood.folded

    async def open(self) -> str:
        """Find the end of the log and prove what no signature covers yet; what is wrong, or ""."""
        problem = await self._find_head()
        self._writer = asyncio.create_task(self._write())
        return problem

    async def record(self, event: AuditEvent) -> None:
        """Take an event; it is on disk when this returns.

        Raises AuditUnavailable when it can't be written, unless settings say to go on without.
        """
        if self._closing:
            raise AuditUnavailable(STOPPING)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(event, done))
        self._wake.set()
        self._urgent.set()
        await done

    def note(self, event: AuditEvent) -> None:
        """Take an event that is on disk soon; of a flood, only the number. Never blocks."""
        if len(self._queue) < BACKLOG_MAX and self._flood.admits():
            self._queue.append(_Waiting(event, None))
            self._wake.set()
            return
        self._flood.fold(event)
        if self._teller is None and not self._closing:
            loop = asyncio.get_running_loop()
            self._teller = loop.call_later(WINDOW_S, self._tell_of_flood)

    def note_management_key(self, address: str, request_id: str) -> None:
        """`AuditTrail.note_management_key`."""
        place = (MANAGEMENT_KEYS_ID, MANAGEMENT_KEY, address)
        if self._places.is_due(place, time.time_ns()):
            self.note(management_key_use(address, request_id))

    def _tell_of_flood(self) -> None:
        self._teller = None
        for summary in self._flood.summaries():
            self._queue.append(_Waiting(summary, None))
        self._wake.set()

    async def checkpoint(self, kind: str) -> Checkpoint:
        """Sign the log as it stands, and return the statement.

        Raises AuditUnavailable.
        """
        async with self._turn:
            try:
                await self._require_head()
                signed = self._key.checkpoint(self._seq, self._hash, _now(), kind)
                await self._store.append([], signed)
            except LinariteError as refused:
                raise self._told(refused) from None
            self._signed_seq = signed.seq
            return signed

    async def anchor(self) -> tuple[Checkpoint, bytes]:
        """The log's end, signed now, and the public key. Raises AuditUnavailable."""
        return await self.checkpoint("asked"), self.public_key

    async def read(self, query: AuditQuery) -> list[AuditEntry]:
        """Entries that match, the newest first. Raises ServiceUnavailable."""
        async with self._turn:  # what was just handed in is on its way
            pass
        return await self._store.read(query)

    async def prune(self, before: str) -> int:
        """Remove what happened before a time; the log goes on from a signed checkpoint."""
        last = await self._store.before(before)
        if last is None:
            return 0
        async with self._turn:
            signed = self._key.checkpoint(last.seq, last.hash, _now(), "prune")
            return await self._store.prune(signed)

    async def close(self) -> None:
        """Write what waits, sign, and let go of the store. What can't be written is counted."""
        self._closing = True
        self._wake.set()
        self._urgent.set()
        for timer in (self._signer, self._teller):
            if timer is not None:
                timer.cancel()
        self._tell_of_flood()
        if self._writer is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_WAIT_S):
                    await self._writer
        waiting = list(self._queue)
        self._queue.clear()
        self._put_back(waiting, AuditUnavailable(STOPPING))
        if self._queue:
            self.lost += len(self._queue)
            log.error("audit events lost", count=len(self._queue), reason=self.failing)
            self._queue.clear()
        with suppress(LinariteError):
            await self.checkpoint("stop")
        await self._store.close()

    async def _write(self) -> None:
        pause_s = RETRY_FIRST_S
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                if await self._written(self._take()):
                    pause_s = RETRY_FIRST_S
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._urgent.wait()
                pause_s = min(pause_s * 2, RETRY_LAST_S)
            if self._closing:
                return

    def _take(self) -> list[_Waiting]:
        """The next ones; while the disk refuses, those first for whom somebody waits."""
        self._urgent.clear()
        if self.failing and (waited := [each for each in self._queue if each.done]):
            self._queue = deque(each for each in self._queue if not each.done)
            return waited
        size = min(len(self._queue), BATCH_EVENTS)
        return [self._queue.popleft() for _ in range(size)]

    async def _written(self, batch: list[_Waiting]) -> bool:
        """Keep a batch; else have those refused that wait, and put the others back."""
        try:
            async with self._turn:
                await self._require_head()
                await self._append(batch)
        except LinariteError as refused:
            self._put_back(batch, self._told(refused))
            return False
        except Exception:
            # A writer that has died would let everybody wait for ever.
            log.exception("audit log is not written by our own fault")
            self._put_back(batch, self._told(ServiceUnavailable(OUR_FAULT)))
            return False
        except asyncio.CancelledError:
            self._put_back(batch, AuditUnavailable(STOPPING))
            raise
        if self.failing:
            log.warning("audit log is written again", backlog=len(self._queue), lost=self.lost)
            self.failing = ""
        self.written += len(batch)
        for each in batch:
            _settle(each, None)
        return True

    async def _append(self, batch: list[_Waiting]) -> None:
        entries = chained(self._hash, self._seq, (each.event for each in batch))
        last = entries[-1]
        checkpoint = None
        if last.seq - self._signed_seq >= self._options.checkpoint_events:
            checkpoint = self._key.checkpoint(last.seq, last.hash, _now(), "count")
        await self._store.append(entries, checkpoint)
        self._seq, self._hash = last.seq, last.hash
        if checkpoint is not None:
            self._signed_seq = checkpoint.seq
        elif self._signer is None:
            loop = asyncio.get_running_loop()
            self._signer = loop.call_later(self._options.checkpoint_s, self._sign_by_time)

    def _put_back(self, batch: list[_Waiting], refusal: AuditUnavailable) -> None:
        self._head_known = False  # nobody knows how far the store has come
        kept: list[_Waiting] = []
        for each in batch:
            if each.done is None:
                kept.append(each)
            elif self._options.required:
                _settle(each, refusal)
            else:
                _settle(each, None)
                kept.append(_Waiting(each.event, None))
        self._queue.extendleft(reversed(kept))
        while len(self._queue) > BACKLOG_MAX:
            self._flood.fold(self._queue.pop().event)

    def _told(self, refused: LinariteError) -> AuditUnavailable:
        """Say once that the disk refuses; what to answer those who wait."""
        if not self.failing:
            log.error("audit log is not written", reason=refused.message)
        self.failing = refused.message
        return AuditUnavailable(refused.message)

    def _sign_by_time(self) -> None:
        self._signer = None
        if self._signed_seq < self._seq and not self._closing:
            task = asyncio.create_task(self._signed())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _signed(self) -> None:
        with suppress(LinariteError):
            await self.checkpoint("time")

    async def _require_head(self) -> None:
        if not self._head_known:
            await self._find_head()

    async def _find_head(self) -> str:
        """Where the log ends; what is wrong with its end, or "".

        After a checkpoint whose entries are gone it goes on behind the checkpoint: the gap stays.
        """
        tail = await self._store.tail()
        seq, before = 0, genesis(self._key.public)
        if tail.checkpoint is not None:
            seq, before = tail.checkpoint.seq, tail.checkpoint.hash
        verdict = verified(
            Evidence(
                public_key=self._key.public,
                links=[Link.of(entry) for entry in tail.entries],
                checkpoints=[tail.checkpoint] if tail.checkpoint is not None else [],
                starts_after=(seq, before),
            )
        )
        self._signed_seq = seq
        if tail.entries:
            seq, before = tail.entries[-1].seq, tail.entries[-1].hash
        self._seq, self._hash = seq, before
        self._head_known = True
        return "" if verdict.problem is None else verdict.problem.reason


def _settle(waiting: _Waiting, refusal: AuditUnavailable | None) -> None:
    if waiting.done is None or waiting.done.done():  # whoever waited may have left
        return
    if refusal is None:
        waiting.done.set_result(None)
    else:
        waiting.done.set_exception(refusal)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")

"""The second step: the requests are answered, each once, some at the same time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import structlog

from linarite.batches.input_file import request_in
from linarite.domain.batch import added
from linarite.domain.batch_errors import BadFile
from linarite.domain.errors import ServiceUnavailable
from linarite.domain.storage_errors import AccountStorageFull
from linarite.files.keeper import EVERYBODY
from linarite.jobs.kinds.batch.answering import AccountGoneForGood, answered, unanswered

if TYPE_CHECKING:
    from linarite.batches.input_file import Line
    from linarite.domain.batch import Batch, Done, LineResult, Outcome
    from linarite.jobs.kind import Progress
    from linarite.jobs.kinds.batch.tools import BatchTools

log = structlog.get_logger("linarite.jobs")

FLUSH_EVERY_S = 1.0
GRACE_S = 600.0
"""how long requests that are being answered may go on when a batch is cancelled, as on Azure"""
STORE_RETRY_S = 5.0


async def run(batch: Batch, tools: BatchTools, progress: Progress) -> Batch | None:
    """The batch once nothing of it is left to be answered: `finalizing`, or being cancelled.

    What the log of results has is not answered again. None where the batch is gone.
    """
    done = await tools.results.done(batch.id, batch.counts.total, batch.account_id)
    runner = Runner(batch, tools, done, progress)
    errors = ()
    try:
        outcome = await runner.run()
    except BadFile as bad:
        outcome, errors = "failed", bad.errors
    except AccountGoneForGood:
        return None
    finally:
        runner.release()
    await tools.results.flush(batch.id)
    at = tools.keeper.now()

    def finalizing(now: Batch) -> Batch:
        cancelled = now.status == "cancelling"
        return msgspec.structs.replace(
            now,
            status=now.status if cancelled else "finalizing",
            outcome="cancelled" if cancelled else outcome,
            finalizing_at=0 if cancelled else at,
            errors=errors,
            counts=done.counts,
        )

    return await tools.keeper.change(batch, finalizing)


class Runner:
    """Answers what is left of one batch."""

    def __init__(self, batch: Batch, tools: BatchTools, done: Done, progress: Progress) -> None:
        self._batch = batch
        self._tools = tools
        self._done = done
        self._progress = progress
        self._cancelled = tools.keeper.cancelled(batch.id)
        self._stop = asyncio.Event()
        """no more lines are begun: it was cancelled, its time is over, or something is wrong"""
        self._room = asyncio.Semaphore(tools.keeper.options.lines_at_once_max)
        self._tasks: set[asyncio.Task[None]] = set()
        self._answering: set[asyncio.Task[None] | None] = set()
        """those that an engine may be at work for"""
        self._problem: BaseException | None = None
        self._held = 0
        """bytes of results that are counted among what the account stores"""

    async def run(self) -> Outcome:
        """Until all is answered, the batch is cancelled, or its time is over.

        Raises BadFile where its file is gone, AccountGoneForGood.
        """
        self._tools.keeper.tell(self._batch.id, self._done.counts)
        self._hold(self._done.size)
        expiry = self._expiry()
        beside = [
            asyncio.create_task(self._follow_cancelling(), name="batch cancelled"),
            asyncio.create_task(self._flush_often(), name="batch results"),
        ]
        try:
            await self._begin_all()
            await self._end_all()
        finally:
            if expiry is not None:
                expiry.cancel()
            left = [*beside, *self._tasks]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        if self._problem is not None:
            raise self._problem
        if not self._stop.is_set() or all(self._done.places):
            return "completed"
        return await self._tell_the_rest()

    def _expiry(self) -> asyncio.TimerHandle | None:
        keeper = self._tools.keeper
        if keeper.options.overdue != "expire":
            return None
        left_s = max(0, self._batch.expires_at - keeper.now())
        return asyncio.get_running_loop().call_later(left_s, self._stop.set)

    async def _begin_all(self) -> None:
        """Begin with each line that has no result, as soon as there is room for it."""
        place = -1
        async for line in self._tools.lines(self._batch):
            place += 1
            if place >= len(self._done.places) or self._done.places[place]:
                continue
            await self._room.acquire()
            await self._room_on_disk()
            if self._stop.is_set():
                return
            task = asyncio.create_task(self._answer(place, line), name="batch line")
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    async def _room_on_disk(self) -> None:
        """Wait while its account may store no more, or the disk is nearly full."""
        room = self._tools.files.room
        while not self._stop.is_set():
            try:
                await room.require(self._batch.account_id)
            except (AccountStorageFull, ServiceUnavailable) as full:
                log.warning("batch waits for its store", reason=full.message)
            else:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(STORE_RETRY_S):
                    await self._stop.wait()

    def release(self) -> None:
        """Its results are about to be files, and counted as such."""
        self._hold(-self._held)

    def _hold(self, count_bytes: int) -> None:
        self._held += count_bytes
        self._tools.files.room.hold(self._batch.account_id, count_bytes)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._room.release()
        if not task.cancelled() and (problem := task.exception()) is not None:
            self._problem = problem
            self._stop.set()

    async def _end_all(self) -> None:
        """Wait for the lines that have begun; once it is to stop, only for those at an engine."""
        stopping = asyncio.create_task(self._stop.wait(), name="batch stop")
        try:
            while self._tasks and not self._stop.is_set():
                await asyncio.wait({stopping, *self._tasks}, return_when="FIRST_COMPLETED")
        finally:
            stopping.cancel()
        for task in self._tasks - self._answering:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=GRACE_S)

    async def _answer(self, place: int, line: Line) -> None:
        try:
            request = request_in(line, self._tools.line_bytes_max)
        except BadFile as bad:  # the file is another one than was looked through
            await self._keep(unanswered(place, "", bad.errors[0].code, bad.errors[0].message))
            return
        result = await answered(place, request, self._batch, self._tools, self._answering)
        await self._keep(result)

    async def _keep(self, result: LineResult) -> None:
        while True:
            try:
                self._tools.results.add(self._batch.id, result)
            except ServiceUnavailable:
                await asyncio.sleep(STORE_RETRY_S)
                continue
            break
        self._hold(len(result.text))
        done = self._done
        done.places[result.place] = 1
        done.counts = counts = added(done.counts, result)
        self._tools.keeper.tell(self._batch.id, counts)
        answered_count = counts.completed + counts.failed
        self._progress(answered_count / counts.total, f"{answered_count} of {counts.total}")

    async def _tell_the_rest(self) -> Outcome:
        """Say of each request that was not answered why."""
        found = await self._tools.keeper.find(self._batch.account_id, self._batch.id, EVERYBODY)
        if found is None:
            raise AccountGoneForGood
        cancelled = found.status == "cancelling"
        code, why = CANCELLED if cancelled else EXPIRED
        place = -1
        async for line in self._tools.lines(self._batch):
            place += 1
            if place < len(self._done.places) and not self._done.places[place]:
                with suppress(BadFile):
                    request = request_in(line, self._tools.line_bytes_max)
                    await self._keep(unanswered(place, request.custom_id, code, why))
        return "cancelled" if cancelled else "expired"

    async def _follow_cancelling(self) -> None:
        await self._cancelled.wait()
        self._stop.set()

    async def _flush_often(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            with suppress(ServiceUnavailable):
                await self._tools.results.flush(self._batch.id)


CANCELLED = ("batch_cancelled", "This batch was cancelled before this request could be executed.")
EXPIRED = (
    "batch_expired",
    "This request could not be executed before the completion window expired.",
)

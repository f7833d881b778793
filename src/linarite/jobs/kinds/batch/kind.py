"""The steps of a batch, each of which reads first how the batch stands."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import structlog

from linarite.domain.batch import BatchError
from linarite.domain.customer_keys import CustomerKeyUnavailable
from linarite.domain.errors import LinariteError, ServiceUnavailable
from linarite.domain.jobs import RUN_BATCH, new_job
from linarite.files.keeper import EVERYBODY
from linarite.jobs.kind import Step
from linarite.jobs.kinds.batch.examining import enqueued_max, examined
from linarite.jobs.kinds.batch.finishing import finish, tell
from linarite.jobs.kinds.batch.running import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from linarite.domain.batch import Batch
    from linarite.domain.jobs import Job, JobProblem
    from linarite.domain.resource import Change
    from linarite.jobs.kind import Progress
    from linarite.jobs.kinds.batch.tools import BatchTools

ResultT = TypeVar("ResultT")

log = structlog.get_logger("linarite.jobs")

RESOURCE = "/batches/"
ACCOUNT, BATCH_ID = "account_id", "batch_id"
STORE_RETRY_S = 5.0
READ_AT_ONCE = 2
"""logs of batches that an earlier server has left"""


def batch_job(batch: Batch) -> Job:
    """The job that runs a batch."""
    arguments = {ACCOUNT: batch.account_id, BATCH_ID: batch.id}
    return new_job(RUN_BATCH, f"{RESOURCE}{batch.id}", arguments=arguments)


class BatchJob:
    """`Kind`: RUN_BATCH."""

    def __init__(self, tools_of: Callable[[], BatchTools]) -> None:
        """`tools_of` is called when the first batch is run, or recovered."""
        self._tools_of = tools_of
        self._read_at_once = asyncio.Semaphore(READ_AT_ONCE)
        self.steps = (
            Step("examine", 1, self._examine),
            Step("run", 98, self._run),
            Step("finish", 99, self._finish),
            Step("tell", 100, self._tell),
        )

    @property
    def _tools(self) -> BatchTools:
        return self._tools_of()

    async def _examine(self, job: Job, progress: Progress) -> dict[str, Any]:
        progress(0.0, "reading the file")
        batch = await self._batch(job)
        if batch is not None and batch.status == "validating":
            await _until_stored(lambda: examined(batch, self._tools))
        return {}

    async def _run(self, job: Job, progress: Progress) -> dict[str, Any]:
        batch = await self._batch(job)
        if batch is not None and batch.outcome is None and batch.counts.total:
            if batch.status == "cancelling":
                self._tools.keeper.cancelled(batch.id).set()
            self._hold(batch)
            await _until_stored(lambda: run(batch, self._tools, progress))
        return {}

    async def _finish(self, job: Job, progress: Progress) -> dict[str, Any]:
        progress(0.0, "writing the files")
        batch = await self._batch(job)
        if batch is not None:
            await _until_stored(lambda: finish(batch, self._tools))
        return {}

    async def _tell(self, job: Job, progress: Progress) -> dict[str, Any]:
        progress(0.0, "telling webhooks")
        batch = await self._batch(job)
        if batch is not None and batch.is_over:
            await _until_stored(lambda: tell(batch, self._tools))
        return {}

    async def succeed(self, job: Job) -> list[Change]:  # noqa: ARG002 - the port's shape
        """Batches are no resources: there is nothing to change."""
        return []

    async def fail(self, job: Job, problem: JobProblem) -> list[Change]:
        """The batch ends as failed, with the results that there are."""
        batch = await self._batch(job)
        if batch is None or batch.is_over:
            return []
        told = BatchError("internal_error", problem.message)
        done = await self._tools.results.done(batch.id, batch.counts.total, batch.account_id)
        failed = await self._tools.keeper.change(
            batch,
            lambda now: msgspec.structs.replace(
                now, outcome="failed", errors=(told,), counts=done.counts
            ),
        )
        if failed is not None:
            ended = await finish(failed, self._tools)
            if ended is not None:
                await tell(ended, self._tools)
        return []

    async def after(self, job: Job) -> None:
        """Its results are in files, or there was no batch any more."""
        await self._tools.keeper.found_out(str(job.arguments[BATCH_ID]))
        await self._tools.results.remove(str(job.arguments[BATCH_ID]))

    async def recover(self, running: Collection[str]) -> list[Job]:
        """Jobs of batches that have none, for their server died when it had just made them.

        `running`: the resources of the jobs there are. Logs without an open batch are removed.
        """
        waiting, all_read = await self._tools.keeper.open_ones()
        for batch in waiting:
            self._hold(batch)
            if batch.counts.total and batch.outcome is None:
                self._tools.keeper.find_out(batch, self._tell_how_far(batch))
        names = {batch.id for batch in waiting}
        for name in await self._tools.results.names():
            if all_read and name not in names and f"{RESOURCE}{name}" not in running:
                await self._tools.results.remove(name)
        return [batch_job(each) for each in waiting if f"{RESOURCE}{each.id}" not in running]

    async def _tell_how_far(self, batch: Batch) -> None:
        """Have it shown what was counted before the server died, until the job goes on.

        Reading a log may take seconds: the server listens meanwhile.
        """
        async with self._read_at_once:
            with suppress(LinariteError):  # the job waits for what is not there now
                done = await self._tools.results.done(
                    batch.id, batch.counts.total, batch.account_id
                )
                self._tools.keeper.tell(batch.id, done.counts)

    def _hold(self, batch: Batch) -> None:
        """Hold again what it had enqueued before the server was started."""
        facts = self._tools.facts_of(batch.account_id)
        where = facts.deployment(batch.deployment) if facts is not None else None
        if where is not None and enqueued_max(where) is not None:
            self._tools.keeper.enqueued.hold(where.id, batch.id, batch.enqueued_tokens, None)

    async def _batch(self, job: Job) -> Batch | None:
        account_id, batch_id = str(job.arguments[ACCOUNT]), str(job.arguments[BATCH_ID])
        # Whoever reads a log also mends it: nobody may add to it meanwhile.
        await self._tools.keeper.found_out(batch_id)
        return await _until_stored(lambda: self._tools.keeper.find(account_id, batch_id, EVERYBODY))


async def _until_stored(work: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Do it again while the disk refuses, or the key that it is sealed with is not there.

    No batch is lost for a disk that is full for a while.
    """
    while True:
        try:
            return await work()
        except (ServiceUnavailable, CustomerKeyUnavailable) as refusal:
            log.warning("batch waits for its store", reason=refusal.message)
            await asyncio.sleep(STORE_RETRY_S)

"""The worker: takes up jobs, carries them out step by step, and goes on after a restart.

What each finished step found is kept with the job, so that a server that was killed begins again
at the step in which it died. The job's end and the change that it makes are one transaction:
nobody sees the one without the other.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import structlog

from linarite.domain.errors import InternalError, LinariteError, ServiceUnavailable
from linarite.domain.jobs import WAITING_KINDS, JobEnded, JobProblem
from linarite.domain.resource import EtagMismatch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from linarite.domain.jobs import Job, JobStore
    from linarite.domain.resource import Change, Committed, ResourceStore
    from linarite.jobs.kind import Kind, Step

ResultT = TypeVar("ResultT")

log = structlog.get_logger("linarite.jobs")

AT_ONCE_MAX = 4
"""jobs carried out at the same time; others wait for their turn"""
INTERRUPTIONS_MAX = 5
"""a job in which the server died so many times at the same point is given up: it may be what
kills it"""
KEEP_DAYS = 30.0
"""how long ended jobs can be read"""
DAY_S = 86_400.0
TICK_S = 0.5
"""how often progress is written"""
STORE_RETRY_S = 1.0


class Worker:
    """Carries out jobs of the given kinds. `start`, then `stop` once."""

    def __init__(self, resources: ResourceStore, jobs: JobStore, kinds: Mapping[str, Kind]) -> None:
        self._resources = resources
        self._jobs = jobs
        self._kinds = kinds
        self._turns = asyncio.Semaphore(AT_ONCE_MAX)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._tidying: asyncio.Task[None] | None = None
        self._stopped = False

    async def start(self) -> None:
        """Go on with what an earlier server left, and take up what is committed from now on."""
        self._resources.subscribe(self.follow)
        for job in await self._jobs.running(""):
            self._take_up(job)
        self._tidying = asyncio.create_task(self._forget_old_jobs(), name="old jobs")

    async def follow(self, committed: Committed) -> None:
        """Take up the jobs of a transaction."""
        for job in committed.jobs:
            if job.running and not self._stopped:
                self._take_up(job)

    async def stop(self) -> None:
        """Leave every job at its step; the next server goes on there."""
        self._stopped = True
        tasks = [*self._tasks.values(), *([self._tidying] if self._tidying else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def idle(self) -> None:
        """Return once no job is being carried out."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    def _take_up(self, job: Job) -> None:
        if job.id in self._tasks:
            return
        task = asyncio.create_task(self._carry_out(job), name=f"job {job.id}")
        self._tasks[job.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(job.id, None))

    async def _carry_out(self, job: Job) -> None:
        turn = nullcontext() if job.kind in WAITING_KINDS else self._turns
        async with turn:
            with suppress(JobEnded):  # somebody has ended it: what was done of it is left as it is
                await self._until_ended(job)

    async def _until_ended(self, job: Job) -> None:
        kind = self._kinds.get(job.kind)
        if kind is None:
            problem = JobProblem("UnknownJobKind", f"This server has no jobs of kind '{job.kind}'.")
            await _stored(lambda: self._resources.commit([], [job.failed(problem)]))
            return
        log.info("job begins", job=job.id, kind=job.kind, resource=job.resource_id)
        current = Current(job)
        try:
            ended = await self._try(kind, current)
        except asyncio.CancelledError:
            await self._put_down(current.job)
            raise
        log.info(
            "job ended",
            job=job.id,
            status=ended.status,
            error_code=ended.error.code if ended.error else "",
            reason=ended.error.message if ended.error else "",
        )
        try:
            await kind.after(ended)
        except Exception:
            log.exception("job not tidied up", job=job.id)

    async def _try(self, kind: Kind, current: Current) -> Job:
        try:
            await self._begin(current)
            for step in kind.steps:
                if step.again or step.name not in current.job.found:
                    await self._do(step, current)
            ended = current.job.succeeded()
            await self._end(ended, lambda: kind.succeed(ended))
        except JobEnded:
            raise
        except LinariteError as problem:
            told = _told(problem)
        except Exception:
            # What went wrong inside is for the log; the operation's id leads there.
            log.exception("job failed by our own fault", job=current.job.id)
            told = _told(InternalError(current.job.id))
        else:
            return ended
        return await self._fail(kind, current.job.failed(told), told)

    async def _fail(self, kind: Kind, failed: Job, told: JobProblem) -> Job:
        """End it with its changes; without them where they can't be made. It ends in any case."""
        try:
            await self._end(failed, lambda: kind.fail(failed, told))
        except JobEnded:
            raise
        except Exception:
            log.exception("job failed without its change", job=failed.id)
            await _stored(lambda: self._resources.commit([], [failed]))
        return failed

    async def _begin(self, current: Current) -> None:
        job = current.job
        if job.interruptions >= INTERRUPTIONS_MAX:
            raise Interrupted(
                f"The server ended {job.interruptions} times during this operation, last while it "
                f"was {job.doing or 'beginning'}. Look into its log, then try again."
            )
        # Taken back when the server is stopped: only a server that dies leaves it counted.
        current.job = msgspec.structs.replace(job, interruptions=job.interruptions + 1)
        await _stored(lambda: self._jobs.advance(current.job))

    async def _put_down(self, job: Job) -> None:
        """The server stops: that is no fault of the job."""
        left = msgspec.structs.replace(job, interruptions=max(0, job.interruptions - 1))
        with suppress(LinariteError):
            await self._jobs.advance(left)

    async def _do(self, step: Step, current: Current) -> None:
        """Run a step, write its progress meanwhile, and what it found at the end."""
        current.enter(step)
        running = asyncio.ensure_future(step.run(current.job, current.progress))
        try:
            while not running.done():
                if current.changed():
                    await _stored(lambda: self._jobs.advance(current.job))
                await asyncio.wait({running}, timeout=TICK_S)
            current.leave(step, running.result())
            await _stored(lambda: self._jobs.advance(current.job))
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _end(self, job: Job, changes: Callable[[], Awaitable[list[Change]]]) -> None:
        """Commit the end with its changes; a resource that others change meanwhile is read anew."""

        async def commit() -> None:
            while True:
                try:
                    await self._resources.commit(await changes(), [job])
                except EtagMismatch:
                    continue
                return

        await _stored(commit)

    async def _forget_old_jobs(self) -> None:
        while True:
            before = datetime.now(UTC) - timedelta(days=KEEP_DAYS)
            with suppress(ServiceUnavailable):
                await self._jobs.forget(before.isoformat())
            await asyncio.sleep(DAY_S)


class Interrupted(LinariteError):
    """The server died too often in the middle of a job."""

    code = "OperationInterrupted"


class Current:
    """A job that is being carried out, and how far it is."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._from = job.percent_complete
        self._until = job.percent_complete
        self._told: tuple[float, str] | None = None

    def enter(self, step: Step) -> None:
        """Progress is now that of this step. It never goes back, also after a restart."""
        self._from, self._until = self.job.percent_complete, step.until
        self._told = None

    def progress(self, share: float, doing: str) -> None:
        """Take what a step tells."""
        self._told = (min(max(share, 0.0), 1.0), doing)

    def changed(self) -> bool:
        """Whether there is news since the last look; `job` then has it."""
        if self._told is None:
            return False
        share, doing = self._told
        self._told = None
        percent = max(
            self.job.percent_complete, self._from + share * max(0.0, self._until - self._from)
        )
        percent = round(percent, 1)
        interruptions = self.job.interruptions
        if percent > self.job.percent_complete:  # what gets on is not what kills the server
            interruptions = min(interruptions, 1)
        self.job = msgspec.structs.replace(
            self.job, percent_complete=percent, doing=doing, interruptions=interruptions
        )
        return True

    def leave(self, step: Step, found: dict[str, Any]) -> None:
        """The step is done; what it told last stands, though it was too quick to be written."""
        self.changed()
        self.job = msgspec.structs.replace(
            self.job,
            percent_complete=max(self.job.percent_complete, step.until),
            found=self.job.found | {step.name: found},
        )


def _told(problem: LinariteError) -> JobProblem:
    return JobProblem(problem.code or "InternalServerError", problem.message)


async def _stored(write: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Write, however long the disk refuses: a job must not be lost for it."""
    while True:
        try:
            return await write()
        except ServiceUnavailable as refusal:
            log.warning("job waits for its store", reason=refusal.message)
            await asyncio.sleep(STORE_RETRY_S)

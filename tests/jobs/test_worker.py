"""The worker: every job ends, with its change, wherever it was interrupted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest
from structlog.testing import capture_logs

from linarite.domain.errors import ServiceUnavailable, SetupError
from linarite.domain.jobs import new_job
from linarite.domain.resource import Put
from linarite.jobs import worker as module
from tests.jobs.conftest import RESOURCE, Scripted
from tests.storage.builders import make_resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.domain.jobs import Job, JobProblem
    from linarite.domain.resource import Change
    from linarite.jobs.kind import Progress
    from tests.jobs.conftest import Bench

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def quiet_and_quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No log lines among the dots; pauses in hundredths of seconds."""
    monkeypatch.setattr(module, "TICK_S", 0.01)
    monkeypatch.setattr(module, "STORE_RETRY_S", 0.01)
    with capture_logs():
        yield


async def nothing(_progress: Progress) -> None:
    """A step that is done at once."""


async def endless(progress: Progress) -> None:
    """A step that never ends."""
    progress(0.5, "waiting for ever")
    await asyncio.Event().wait()


async def until_doing(bench: Bench, job: Job, doing: str) -> Job:
    """Return the job once it does something."""
    async with asyncio.timeout(10):
        while (found := await bench.job(job)).doing != doing:  # noqa: ASYNC110 - a store is asked
            await asyncio.sleep(0.005)
    return found


async def test_a_job_runs_its_steps_and_ends_with_its_change(bench: Bench) -> None:
    """Committed while the worker runs; resource and job end together."""
    kind = Scripted({"one": nothing, "two": nothing})
    worker = bench.worker(kind)
    await worker.start()
    job = await bench.ask()
    await worker.idle()
    ended = await bench.job(job)
    assert (ended.status, ended.percent_complete, ended.doing) == ("Succeeded", 100, "")
    assert ended.ended_at is not None
    assert await bench.properties() == {
        "state": "Succeeded",
        "found": {"one": {"of": "one"}, "two": {"of": "two"}},
    }
    assert kind.tidied == ["Succeeded"]
    await worker.stop()


async def test_progress_can_be_read_meanwhile(bench: Bench) -> None:
    """A step's share counts between the percentages of its neighbours."""
    worker = bench.worker(Scripted({"one": nothing, "two": endless}))
    await worker.start()
    found = await until_doing(bench, await bench.ask(), "waiting for ever")
    assert (found.status, found.percent_complete) == ("InProgress", 75)
    await worker.stop()


@pytest.mark.parametrize(
    ("problem", "code", "words"),
    [
        (SetupError("the file is gone"), "SetupError", "the file is gone"),
        (ServiceUnavailable("no room"), "503", "no room"),
    ],
)
async def test_a_problem_of_a_step_is_the_jobs(
    bench: Bench, problem: Exception, code: str, words: str
) -> None:
    """Told with its code, in the job and by the resource; later steps do not run."""

    async def fail(_progress: Progress) -> None:
        raise problem

    kind = Scripted({"one": fail, "two": nothing})
    worker = bench.worker(kind)
    await worker.start()
    job = await bench.ask()
    await worker.idle()
    ended = await bench.job(job)
    assert ended.status == "Failed"
    assert ended.error is not None
    assert ended.error.code == code
    assert words in ended.error.message
    assert await bench.properties() == {"state": "Failed", "code": code}
    assert kind.ran == ["one"]
    assert kind.tidied == ["Failed"]
    await worker.stop()


async def test_our_own_fault_is_told_without_its_inside(bench: Bench) -> None:
    """The caller gets the id under which the log has the rest."""

    async def fail(_progress: Progress) -> None:
        raise KeyError("/a/path/of/ours")

    worker = bench.worker(Scripted({"one": fail}))
    await worker.start()
    with capture_logs() as lines:
        job = await bench.ask()
        await worker.idle()
    ended = await bench.job(job)
    assert ended.error is not None
    assert ended.error.code == "InternalServerError"
    assert job.id in ended.error.message
    assert not any(word in ended.error.message for word in ("KeyError", "/a/path"))
    (line,) = [each for each in lines if each["event"] == "job failed by our own fault"]
    assert (line["job"], line["exc_info"]) == (job.id, True)
    await worker.stop()


async def test_the_next_server_goes_on_where_the_last_one_stopped(bench: Bench) -> None:
    """Finished steps are not done again, but for those whose effect lived in the process."""
    first = Scripted({"one": nothing, "two": nothing, "three": endless}, again={"two"})
    worker = bench.worker(first)
    await worker.start()
    job = await bench.ask()
    before = await until_doing(bench, job, "waiting for ever")
    await worker.stop()
    stopped = await bench.job(job)
    assert (stopped.status, stopped.interruptions) == ("InProgress", 0)
    second = Scripted({"one": nothing, "two": nothing, "three": nothing}, again={"two"})
    worker = bench.worker(second)
    await worker.start()
    await worker.idle()
    assert (await bench.job(job)).status == "Succeeded"
    assert before.percent_complete > 60
    assert first.ran == ["one", "two", "three"]
    assert second.ran == ["two", "three"]
    await worker.stop()


async def test_a_job_that_kills_every_server_is_given_up(bench: Bench) -> None:
    """After so many deaths it fails and says what it was doing."""
    job = await bench.ask(interruptions=module.INTERRUPTIONS_MAX, doing="loading the model")
    kind = Scripted({"one": nothing})
    worker = bench.worker(kind)
    await worker.start()
    await worker.idle()
    ended = await bench.job(job)
    assert ended.error is not None
    assert ended.error.code == "OperationInterrupted"
    assert "loading the model" in ended.error.message
    assert kind.ran == []
    await worker.stop()


async def test_a_job_of_a_kind_that_is_gone_fails(bench: Bench) -> None:
    """An older server's job is not in progress for ever."""
    job = await bench.ask(kind="of-old")
    worker = bench.worker(Scripted({}))
    await worker.start()
    await worker.idle()
    ended = await bench.job(job)
    assert ended.error is not None
    assert ended.error.code == "UnknownJobKind"
    await worker.stop()


async def test_a_job_that_somebody_ends_is_left(bench: Bench) -> None:
    """It stays as it was ended, and its resource as it was then."""
    worker = bench.worker(Scripted({"one": nothing, "two": endless}))
    await worker.start()
    job = await bench.ask()
    found = await until_doing(bench, job, "waiting for ever")
    canceled = msgspec.structs.replace(found, status="Canceled", ended_at="2026")
    await bench.resources.commit([Put(make_resource(RESOURCE, state="Canceled"))], [canceled])
    await worker.stop()
    assert await bench.job(job) == canceled
    assert await bench.properties() == {"state": "Canceled"}


async def test_more_jobs_than_turns_all_end(bench: Bench) -> None:
    """Those beyond the bound wait for their turn."""
    at_once = most = 0

    async def count(_progress: Progress) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.01)
        at_once -= 1

    worker = bench.worker(Scripted({"one": count}))
    await worker.start()
    jobs = [await bench.ask() for _ in range(3 * module.AT_ONCE_MAX)]
    await worker.idle()
    assert {(await bench.job(job)).status for job in jobs} == {"Succeeded"}
    assert most == module.AT_ONCE_MAX
    await worker.stop()


async def test_a_change_by_others_is_not_overwritten(bench: Bench) -> None:
    """A change that expects another state is made anew from what is there."""

    class Careful(Scripted):
        """Adds to what it reads; somebody else writes between its first read and its write."""

        reads = 0

        async def succeed(self, job: Job) -> list[Change]:
            present = await bench.resources.get(job.resource_id)
            assert present is not None
            self.reads += 1
            if self.reads == 1:
                await bench.resources.put(make_resource(RESOURCE, tag="theirs"))
            changed = make_resource(RESOURCE, **present.properties, state="Succeeded")
            return [Put(changed, present.etag)]

    kind = Careful({"one": nothing})
    worker = bench.worker(kind)
    await worker.start()
    await bench.resources.commit([Put(make_resource(RESOURCE))], [new_job("scripted", RESOURCE)])
    await worker.idle()
    assert await bench.properties() == {"tag": "theirs", "state": "Succeeded"}
    assert kind.reads == 2
    await worker.stop()


async def test_a_kind_that_fails_to_fail_ends_all_the_same(bench: Bench) -> None:
    """Both of its ends are broken: the job has its end, the resource stays as it was."""

    class Broken(Scripted):
        """Can do neither."""

        async def succeed(self, job: Job) -> list[Change]:
            raise KeyError(job.id)

        async def fail(self, job: Job, problem: JobProblem) -> list[Change]:
            raise KeyError(job.id, problem.code)

    worker = bench.worker(Broken({"one": nothing}))
    await worker.start()
    job = await bench.ask()
    await worker.idle()
    ended = await bench.job(job)
    assert ended.error is not None
    assert (ended.status, ended.error.code) == ("Failed", "InternalServerError")
    assert await bench.properties() == {"state": "Creating"}
    await worker.stop()


async def test_a_refusing_disk_only_delays(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes are tried again until they succeed; the job does not fail for it."""
    advance, refusals = bench.jobs.advance, 5

    async def refuse_at_first(job: Job) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise ServiceUnavailable("disk is full")
        await advance(job)

    monkeypatch.setattr(bench.jobs, "advance", refuse_at_first)
    worker = bench.worker(Scripted({"one": nothing}))
    await worker.start()
    job = await bench.ask()
    await worker.idle()
    assert (refusals, (await bench.job(job)).status) == (0, "Succeeded")
    await worker.stop()

"""What every JobStore promises, and what one transaction promises of changes and jobs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.domain.errors import InvalidRequest
from linarite.domain.jobs import JobEnded, JobProblem, OperationInProgress, new_job
from linarite.domain.resource import Committed, Delete, EtagMismatch, Put
from tests.storage.builders import DEPLOYMENT_TYPE, make_resource

if TYPE_CHECKING:
    from linarite.domain.jobs import Job
    from tests.contract.storage.conftest import Stores

pytestmark = pytest.mark.anyio

ACCOUNT = "/subscriptions/s1/resourceGroups/Team/providers/Microsoft.CognitiveServices/accounts/A"
CHAT = f"{ACCOUNT}/deployments/chat"


def job_on(resource_id: str = CHAT, *, scope: str = "", minute: int = 0) -> Job:
    """A new job; a later minute is a later start."""
    job = new_job("kind", resource_id, scope=scope, arguments={"deep": [1, {"ü": None}]})
    return msgspec.structs.replace(job, started_at=f"2026-01-01T00:{minute:02d}:00.000000Z")


async def test_a_job_is_kept_with_the_change_that_asks_for_it(stores: Stores) -> None:
    """Both are there afterwards, as they were handed over."""
    job = job_on()
    (written,) = await stores.resources.commit([Put(make_resource(CHAT))], [job])
    assert await stores.resources.get(CHAT) == written
    assert await stores.jobs.get(job.id) == job
    assert await stores.jobs.get("absent") is None


async def test_all_of_a_transaction_or_nothing(stores: Stores) -> None:
    """One expectation that does not hold undoes every change and every job beside it."""
    present = await stores.resources.put(make_resource(ACCOUNT, version=1))
    job = job_on()
    with pytest.raises(EtagMismatch):
        await stores.resources.commit(
            [
                Put(make_resource(CHAT)),
                Delete(ACCOUNT),
                Put(make_resource(f"{ACCOUNT}/x"), expected_etag="gone"),
            ],
            [job],
        )
    assert await stores.resources.get(ACCOUNT) == present
    assert await stores.resources.get(CHAT) is None
    assert await stores.jobs.get(job.id) is None


async def test_a_refused_job_undoes_the_changes(stores: Stores) -> None:
    """A job that has ended, or is no JSON, takes what came with it along."""
    ended = job_on().succeeded()
    await stores.resources.commit([], [ended])
    with pytest.raises(JobEnded):
        await stores.resources.commit([Put(make_resource(CHAT))], [job_on(), ended])
    with pytest.raises(InvalidRequest):
        await stores.resources.commit(
            [Put(make_resource(CHAT))],
            [msgspec.structs.replace(job_on(), arguments={"bad": object()})],
        )
    assert await stores.resources.get(CHAT) is None
    assert await stores.jobs.running("") == []


async def test_changes_of_one_transaction_see_one_another(stores: Stores) -> None:
    """In their order: written, removed with what is under it, written again."""
    outcome = await stores.resources.commit(
        [
            Put(make_resource(ACCOUNT, version=1), expected_etag=""),
            Put(make_resource(CHAT, DEPLOYMENT_TYPE)),
            Delete(ACCOUNT),
            Delete(ACCOUNT),
            Put(make_resource(ACCOUNT, version=2), expected_etag=""),
        ]
    )
    assert [each and each.properties for each in outcome] == [
        {"version": 1},
        {},
        {"version": 1},
        None,
        {"version": 2},
    ]
    assert await stores.resources.get(CHAT) is None
    assert await stores.resources.get(ACCOUNT) == outcome[-1]


async def test_a_removal_may_expect_a_state(stores: Stores) -> None:
    """Only that very state is removed."""
    first = await stores.resources.put(make_resource(CHAT))
    second = await stores.resources.put(make_resource(CHAT))
    with pytest.raises(EtagMismatch):
        await stores.resources.commit([Delete(CHAT, expected_etag=first.etag)])
    assert await stores.resources.commit([Delete(CHAT, expected_etag=second.etag)]) == [second]
    with pytest.raises(EtagMismatch):
        await stores.resources.commit([Delete(CHAT, expected_etag=second.etag)])


async def test_a_job_ends_with_the_change_it_makes(stores: Stores) -> None:
    """Its last state comes in with the resource, and is final."""
    job = job_on()
    await stores.resources.commit([Put(make_resource(CHAT, state="Creating"))], [job])
    problem = JobProblem("OutOfMemory", "needs more", [{"code": "Needed", "message": "9 GiB"}])
    await stores.resources.commit([Put(make_resource(CHAT, state="Failed"))], [job.failed(problem)])
    ended = await stores.jobs.get(job.id)
    assert ended is not None
    assert (ended.status, ended.error, ended.running) == ("Failed", problem, False)
    assert ended.ended_at is not None
    assert ended.ended_at > ended.started_at
    for later in (stores.jobs.advance(job), stores.resources.commit([], [job.succeeded()])):
        with pytest.raises(JobEnded):
            await later
    assert await stores.jobs.get(job.id) == ended


async def test_progress_is_kept(stores: Stores) -> None:
    """What a job does, how far it is, and what it has found."""
    job = job_on()
    await stores.resources.commit([], [job])
    further = msgspec.structs.replace(
        job, percent_complete=40.5, doing="loading", found={"verify": {"bytes": 1}}
    )
    await stores.jobs.advance(further)
    assert await stores.jobs.get(job.id) == further


async def test_jobs_of_a_resource_come_newest_first(stores: Stores) -> None:
    """Those of its children are not its own; case does not matter."""
    old, new, child = job_on(minute=1), job_on(minute=2), job_on(f"{CHAT}/x", minute=3)
    await stores.resources.commit([], [new, old, child])
    assert await stores.jobs.of(CHAT.upper()) == [new, old]
    assert await stores.jobs.of(CHAT, limit=1) == [new]
    assert await stores.jobs.of(ACCOUNT) == []


async def test_running_jobs_are_found_at_and_under_a_resource(stores: Stores) -> None:
    """Ended ones are not, nor those of a longer name; "" finds all, the oldest first."""
    on_account, on_chat, ended = job_on(ACCOUNT, minute=2), job_on(minute=1), job_on().succeeded()
    elsewhere = job_on(f"{ACCOUNT}B/deployments/chat", minute=3)
    await stores.resources.commit([], [on_account, on_chat, ended, elsewhere])
    assert await stores.jobs.running(ACCOUNT.lower()) == [on_chat, on_account]
    assert await stores.jobs.running(CHAT) == [on_chat]
    assert await stores.jobs.running("") == [on_chat, on_account, elsewhere]


async def test_one_job_at_a_time_runs_in_a_scope(stores: Stores) -> None:
    """The second is told Azure's conflict, until the first has ended; no scope excludes nobody."""
    first = job_on(scope=ACCOUNT)
    await stores.resources.commit([], [first, job_on(), job_on(scope=f"{ACCOUNT}B")])
    second = job_on(f"{ACCOUNT}/deployments/other", scope=ACCOUNT.upper())
    with pytest.raises(OperationInProgress, match="Another operation is being performed") as told:
        await stores.resources.commit([Put(make_resource(CHAT))], [second])
    assert (told.value.status, told.value.code) == (409, "RequestConflict")
    assert await stores.resources.get(CHAT) is None
    await stores.resources.commit([], [first.succeeded()])
    await stores.resources.commit([], [second])


async def test_of_jobs_that_want_a_scope_at_once_one_gets_it(stores: Stores) -> None:
    """Looking and writing are one transaction."""
    outcomes = await asyncio.gather(
        *(stores.resources.commit([], [job_on(scope=ACCOUNT)]) for _ in range(8)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, OperationInProgress) for outcome in outcomes) == 7
    assert len(await stores.jobs.running("")) == 1


async def test_old_jobs_are_forgotten(stores: Stores) -> None:
    """Those that ended before a time; what runs stays, however old."""
    ended, running = job_on().succeeded(), job_on()
    await stores.resources.commit([], [ended, running])
    assert ended.ended_at is not None
    assert await stores.jobs.forget(ended.ended_at) == 0
    assert await stores.jobs.forget("9999") == 1
    assert await stores.jobs.get(ended.id) is None
    assert await stores.jobs.get(running.id) == running


async def test_listeners_hear_of_every_write_before_the_writer_goes_on(stores: Stores) -> None:
    """Of puts, removals and jobs; not of what was refused or changed nothing."""
    heard: list[Committed] = []

    async def listen(committed: Committed) -> None:
        await asyncio.sleep(0)
        heard.append(committed)

    async def fail(_: Committed) -> None:
        raise ValueError("mine")

    stores.resources.subscribe(fail)
    stores.resources.subscribe(listen)
    job = job_on()
    await stores.resources.put(make_resource(CHAT))
    await stores.resources.commit([Delete(CHAT), Delete(CHAT)], [job])
    with pytest.raises(EtagMismatch):
        await stores.resources.put(make_resource(CHAT), expected_etag="gone")
    assert heard == [Committed(written=(CHAT,)), Committed(removed=(CHAT,), jobs=(job,))]


async def test_a_reader_can_wait_until_listeners_know_what_it_read(stores: Stores) -> None:
    """What is on disk can be read before they have been told."""
    heard, is_written, may_go_on = list[str](), asyncio.Event(), asyncio.Event()

    async def listen(committed: Committed) -> None:
        is_written.set()
        await may_go_on.wait()
        heard.extend(committed.written)

    stores.resources.subscribe(listen)
    await asyncio.wait_for(stores.resources.told(), 30)  # nothing to wait for
    writing = asyncio.create_task(stores.resources.put(make_resource(CHAT)))
    await is_written.wait()
    waiting = asyncio.create_task(stores.resources.told())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    assert not heard
    may_go_on.set()
    await asyncio.wait_for(waiting, 30)
    assert heard == [CHAT]
    await writing


async def test_a_writer_that_leaves_leaves_no_write_untold(stores: Stores) -> None:
    """Cancelled at any moment, what is in the store has been told to listeners."""
    heard: list[str] = []

    async def listen(committed: Committed) -> None:
        await asyncio.sleep(0.001)
        heard.extend(committed.written)

    stores.resources.subscribe(listen)
    for number in range(20):
        task = asyncio.create_task(stores.resources.put(make_resource(f"{ACCOUNT}{number}")))
        await asyncio.sleep(number / 4000)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await stores.resources.put(make_resource(CHAT))
    await asyncio.sleep(0.1)
    kept = [f"{ACCOUNT}{number}" for number in range(20)]
    kept = [each for each in kept if await stores.resources.get(each) is not None]
    assert {*heard} == {*kept, CHAT}

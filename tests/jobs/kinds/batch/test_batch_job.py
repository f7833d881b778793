"""How a batch runs: what is waited out, what ends it, and what goes on after a death."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.batches.options import Batches
from linarite.domain.batch import Done, LineResult
from linarite.domain.errors import EngineFailed, ServiceUnavailable, TooManyRequests
from linarite.domain.jobs import JobProblem
from linarite.domain.principal import KeyTerms, Principal
from linarite.domain.storage_errors import AccountStorageFull
from linarite.jobs.kinds.batch import answering, batch_job, running
from linarite.jobs.kinds.batch import kind as batch_kind
from linarite.jobs.kinds.batch.kind import RESOURCE
from tests.dataplane.rig import ScriptedEngine, greeting
from tests.jobs.kinds.batch.conftest import bench

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from linarite.dataplane.direct import DirectAnswer, DirectRequest
    from linarite.domain.chat import ChatAsk, ChatEvent
    from linarite.domain.errors import LinariteError

pytestmark = pytest.mark.anyio


class Failing:
    """A script that fails so many times, and then answers."""

    def __init__(self, problem: LinariteError, times: int) -> None:
        self._problem = problem
        self._left = times

    async def __call__(self, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        """Fail, or answer."""
        if self._left:
            self._left -= 1
            raise self._problem
        async for event in greeting(ask):
            yield event


async def slowly(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
    """A tenth of a second for each."""
    await asyncio.sleep(0.1)
    async for event in greeting(ask):
        yield event


@pytest.mark.parametrize(
    "problem", [TooManyRequests("too many", 0.01), ServiceUnavailable("starting", 0.01)]
)
async def test_refusals_that_pass_are_waited_out(problem: LinariteError) -> None:
    """Nothing is told of them, and no record is left but of the answer."""
    async with bench(ScriptedEngine(Failing(problem, 7))) as made:
        ended = await made.carry_out(await made.batch(5))
        assert ended is not None
        assert (ended.status, ended.counts.completed, ended.counts.failed) == ("completed", 5, 0)
        assert len(made.running.records) == 5
        assert {each.status for each in made.running.records} == {200}


@pytest.mark.parametrize(("times", "failed"), [(2, 0), (3, 1)])
async def test_an_engine_is_asked_three_times(
    times: int, failed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails then is told as it is; each attempt leaves its record."""
    monkeypatch.setattr(answering, "AGAIN_S", (0.0, 0.0))
    async with bench(ScriptedEngine(Failing(EngineFailed("broken"), times))) as made:
        ended = await made.carry_out(await made.batch(1))
        assert ended is not None
        assert (ended.status, ended.counts.failed) == ("completed", failed)
        assert len(made.running.records) == 3
        if failed:
            (told,) = await made.lines(ended.error_file_id)
            assert told["response"]["status_code"] == 500


async def test_a_line_waits_behind_everybody_whatever_it_asks_for() -> None:
    """And has the price of batches."""
    async with bench() as made:
        ended = await made.carry_out(await made.batch(2, service_tier="priority"))
        assert ended is not None
        assert ended.counts.completed == 2
        record = made.running.records[-1]
        assert (record.service_tier_asked, record.service_tier) == ("priority", "batch")
        assert (record.path, record.user_agent) == ("/openai/v1/chat/completions", "linarite batch")
        assert record.client_request_id == ended.id
        assert (record.caller_key, record.operation) == ("key1", "ChatCompletions_Create")


async def test_a_batch_expires() -> None:
    """With what it has, and a word for everything else; where settings say so."""
    options = Batches(deployments="any", overdue="expire", window_s=1)
    async with bench(ScriptedEngine(slowly), options, slots=1) as made:
        ended = await made.carry_out(await made.batch(40))
        assert ended is not None
        assert ended.status == "expired"
        output = await made.lines(ended.output_file_id)
        errors = await made.lines(ended.error_file_id)
        assert output
        assert {each["error"]["code"] for each in errors} == {"batch_expired"}
        names = [each["custom_id"] for each in output + errors]
        assert sorted(names) == sorted(f"t-{number}" for number in range(40))
        assert [each.type for each in made.told.notices] == ["batch.expired"]


async def test_an_overdue_batch_goes_on() -> None:
    """As on Azure."""
    options = Batches(deployments="any", window_s=0.001)
    async with bench(ScriptedEngine(slowly), options) as made:
        ended = await made.carry_out(await made.batch(8))
        assert ended is not None
        assert (ended.status, ended.counts.completed) == ("completed", 8)


async def test_a_key_that_is_gone_answers_nothing() -> None:
    """An application's key that was deleted after it had made the batch."""
    terms = KeyTerms(key_id="x", role="r", scope="/")
    gone = Principal(kind="Key", name="app:web", resource_id="/keys/web", terms=terms)
    async with bench() as made:
        ended = await made.carry_out(await made.batch(3, maker=gone))
        assert ended is not None
        assert (ended.status, ended.counts.failed) == ("completed", 3)
        told = await made.lines(ended.error_file_id)
        assert {each["response"]["status_code"] for each in told} == {401}
        assert made.running.engine.asked == []


async def test_a_key_for_other_deployments_finds_none() -> None:
    """Its batch fails before any of it is answered."""
    terms = KeyTerms(key_id="x", role="r", scope="/", deployments=frozenset(("other",)))
    kept_out = Principal(kind="Key", name="app:web", resource_id="/keys/web", terms=terms)
    async with bench() as made:
        ended = await made.carry_out(await made.batch(3, maker=kept_out))
        assert ended is not None
        assert [each.code for each in ended.errors] == ["model_not_found"]


async def test_what_has_a_result_is_not_asked_again() -> None:
    """After a death in the middle, or just before the files were written."""
    async with bench() as made:
        batch = await made.batch(6)
        await made.kind.steps[0].run(batch_job(batch), lambda *_: None)
        for place in (1, 3):
            text = b'{"custom_id":"t-%d","from":"before"}' % place
            made.tools.results.add(batch.id, LineResult(place, failed=False, text=text))
        ended = await made.carry_out(batch)
        assert ended is not None
        assert (ended.status, ended.counts.completed) == ("completed", 6)
        assert len(made.running.engine.asked) == 4
        output = await made.lines(ended.output_file_id)
        assert sorted(each["custom_id"] for each in output) == [f"t-{at}" for at in range(6)]
        again = await made.carry_out(batch)
        assert again == ended
        assert len(made.running.engine.asked) == 4


async def test_a_batch_goes_with_its_account() -> None:
    """When that is purged; nothing is left, and nothing breaks."""
    async with bench(ScriptedEngine(slowly)) as made:
        batch = await made.batch(100)
        going = asyncio.create_task(made.carry_out(batch))
        await asyncio.sleep(0.3)
        await made.objects.remove(batch.account_id, "batch", batch.id)
        await made.running.resources.delete(batch.account_id)
        await made.running.facts.refresh()
        async with asyncio.timeout(5):
            assert await going is None
        assert list(await made.tools.results.names()) == []


async def test_what_went_wrong_for_a_moment_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told that a line was not answered in time because the disk was full."""
    monkeypatch.setattr(batch_kind, "STORE_RETRY_S", 0.01)
    async with bench() as made:
        answer, problems = made.tools.calls.answer, [ServiceUnavailable("full")] * 2

        async def answered(asked: DirectRequest) -> DirectAnswer:
            if problems:
                raise problems.pop()
            return await answer(asked)

        monkeypatch.setattr(made.tools.calls, "answer", answered)
        ended = await made.carry_out(await made.batch(9))
        assert ended is not None
        assert (ended.status, ended.counts.completed, ended.counts.failed) == ("completed", 9, 0)


async def test_results_wait_for_a_disk_that_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer is lost for it."""
    monkeypatch.setattr(running, "STORE_RETRY_S", 0.01)
    async with bench() as made:
        log = made.tools.results
        keep, refusals = log.add, [ServiceUnavailable("full")] * 5

        def add(name: str, result: LineResult) -> None:
            if refusals:
                raise refusals.pop()
            keep(name, result)

        monkeypatch.setattr(log, "add", add)
        ended = await made.carry_out(await made.batch(3))
        assert ended is not None
        assert (ended.status, ended.counts.completed) == ("completed", 3)
        assert len(made.running.engine.asked) == 3


async def test_what_a_server_has_left_is_found() -> None:
    """A batch without a job gets one; results of batches that are over go; tokens are held."""
    async with bench() as made:
        lost, running_one = await made.batch(1), await made.batch(1)
        for name in ("batch_gone", lost.id):
            made.tools.results.add(name, LineResult(0, failed=False, text=b"{}"))
        jobs = await made.kind.recover({f"{RESOURCE}{running_one.id}"})
        assert [each.resource_id for each in jobs] == [f"{RESOURCE}{lost.id}"]
        assert list(await made.tools.results.names()) == [lost.id]


async def test_logs_are_read_while_the_server_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told less than there was, and no job adds to a log that is still read."""
    async with bench() as made:
        batch = await made.batch(3)
        await made.kind.steps[0].run(batch_job(batch), lambda *_: None)
        made.tools.results.add(batch.id, LineResult(1, failed=False, text=b'{"custom_id":"t-1"}'))
        read, may_go_on = made.tools.results.done, asyncio.Event()
        reads = list[str]()

        async def slow(name: str, total: int, account_id: str) -> Done:
            reads.append(name)
            await may_go_on.wait()
            return await read(name, total, account_id)

        monkeypatch.setattr(made.tools.results, "done", slow)
        await asyncio.wait_for(made.kind.recover({f"{RESOURCE}{batch.id}"}), 5)
        left = await made.keeper.find(batch.account_id, batch.id, None)
        assert left is not None
        asked = asyncio.create_task(made.keeper.counts(left))
        job = asyncio.create_task(made.carry_out(batch))
        for _ in range(20):
            await asyncio.sleep(0)
        assert (asked.done(), job.done(), reads) == (False, False, [batch.id])
        may_go_on.set()
        assert (await asked).completed == 1
        ended = await job
        assert ended is not None
        assert ended.counts.completed == 3
        assert len(made.running.engine.asked) == 2
        await made.keeper.leave_finding_out()


async def test_a_batch_waits_while_its_account_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins no more lines, goes on once there is room, and what it has counts as stored."""
    monkeypatch.setattr(running, "STORE_RETRY_S", 0.01)
    async with bench() as made:
        batch = await made.batch(3)
        room, full = made.files.room, [AccountStorageFull("files", 1, "x")] * 3
        require = room.require

        async def refusing(account_id: str, *more: int, **kinds: Iterable[str]) -> None:
            if full:
                raise full.pop()
            await require(account_id, *more, **kinds)

        monkeypatch.setattr(room, "require", refusing)
        ended = await made.carry_out(batch)
        assert ended is not None
        assert (ended.status, ended.counts.completed) == ("completed", 3)
        assert not full
        sizes = await made.objects.sizes(batch.account_id)
        assert (await room.use_of(batch.account_id)).used == sum(sizes.values())


async def test_a_job_that_is_given_up() -> None:
    """Its batch fails, with what there is."""
    async with bench() as made:
        batch = await made.batch(3)
        await made.kind.steps[0].run(batch_job(batch), lambda *_: None)
        made.tools.results.add(batch.id, LineResult(1, failed=False, text=b'{"custom_id":"t-1"}'))
        problem = JobProblem("OperationInterrupted", "The server ended 5 times.")
        assert await made.kind.fail(batch_job(batch), problem) == []
        ended = await made.keeper.find(batch.account_id, batch.id, None)
        assert ended is not None
        assert (ended.status, ended.counts.completed) == ("failed", 1)
        assert ended.errors[0].message == "The server ended 5 times."
        assert await made.lines(ended.output_file_id) == [{"custom_id": "t-1"}]
        assert [each.type for each in made.told.notices] == ["batch.failed"]


async def test_only_batch_types_take_batches() -> None:
    """The refusal names the setting."""
    async with bench(options=Batches()) as made:
        ended = await made.carry_out(await made.batch(1))
        assert ended is not None
        assert ended.status == "failed"
        assert 'batches.deployments = "any"' in ended.errors[0].message
        assert msgspec.to_builtins(ended.errors[0])["code"] == "invalid_request"

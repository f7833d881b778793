"""A server that stops in the middle of a batch, at whichever await, loses nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.domain.batch import BATCH
from linarite.domain.stored_object import Page
from linarite.files.keeper import EVERYBODY
from linarite.jobs.kinds.batch import batch_job
from linarite.storage.blobs import FolderBlobs
from linarite.storage.database import open_database, open_objects
from linarite.storage.result_log import FolderResultLog
from linarite.storage.sqlite.stored_objects import SqliteStoredObjects
from tests.cancelling import cancelled_at_every_await
from tests.jobs.kinds.batch.conftest import bench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from linarite.domain.batch import Batch
    from linarite.domain.jobs import Job
    from tests.jobs.kinds.batch.conftest import Bench

pytestmark = pytest.mark.anyio

LINES = 2


@pytest.fixture
async def on_disk(tmp_path: Path) -> AsyncIterator[Bench]:
    """Batches whose threads go on when their job is cancelled."""
    state, database = open_database(tmp_path), open_objects(tmp_path)
    results = FolderResultLog(tmp_path / "batches")
    stored = SqliteStoredObjects(database), FolderBlobs(tmp_path / "files"), results
    async with bench(stored=stored) as made:
        yield made
    results.close()
    await database.close()
    await state.close()


async def require_whole(on_disk: Bench, batch: Batch) -> None:
    """It has each of its results once, in files that are there."""
    ended = await on_disk.keeper.find(batch.account_id, batch.id, EVERYBODY)
    assert ended is not None
    assert (ended.status, ended.counts.completed) == ("completed", LINES)
    lines = await on_disk.lines(ended.output_file_id)
    assert sorted(each["custom_id"] for each in lines) == [f"t-{one}" for one in range(LINES)]
    assert await on_disk.lines(ended.error_file_id) == []


async def test_results_that_become_files_are_whole(on_disk: Bench) -> None:
    """The step begins again after the next start; nothing is held of what broke off."""
    account_id, room = on_disk.running.account_id, on_disk.files.room
    examine, answer, finish, _ = on_disk.kind.steps

    async def made_ready() -> Job:
        job = batch_job(await on_disk.batch(LINES))
        for step in (examine, answer):
            await step.run(job, lambda *_: None)
        return job

    async def carry_out() -> None:
        await finish.run(job, lambda *_: None)

    job = await made_ready()
    over = 0
    async for ended in cancelled_at_every_await(carry_out):
        batch = await on_disk.keeper.find(account_id, str(job.arguments["batch_id"]), EVERYBODY)
        assert batch is not None
        over += ended.cancelled() and batch.is_over
        await carry_out()
        await require_whole(on_disk, batch)
        job = await made_ready()
    assert over > 0
    stored = await on_disk.objects.sizes(account_id)
    assert (await room.use_of(account_id)).used == sum(stored.values())


async def test_what_is_made_is_begun(on_disk: Bench) -> None:
    """A batch that nobody runs would stand there until the next start."""
    begun: set[str] = set()

    async def begin(batch: Batch) -> None:
        begun.add(batch.id)

    on_disk.keeper.begin = begin
    account_id, page = on_disk.running.account_id, Page(limit=1000)
    async for _ in cancelled_at_every_await(lambda: on_disk.batch(1)):
        there = await on_disk.objects.list(account_id, BATCH, page)
        assert {each.id for each in there} == begun
    assert len(begun) > 2

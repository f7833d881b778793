"""Whoever is cancelled while a response is queued: it is made, or there is none."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.domain.stored_object import Page
from linarite.responses import BackgroundResponses, ResponseKeeper
from linarite.responses.background import RUN, UNFINISHED
from linarite.responses.keeper import RESPONSE
from linarite.responses.options import Responses
from linarite.storage.database import open_database, open_objects
from linarite.storage.memory.stored_objects import MemoryStoredObjects
from linarite.storage.sqlite.stored_objects import SqliteStoredObjects
from tests.cancelling import cancelled_at_every_await
from tests.responses.test_keeper import MINE, new
from tests.responses.test_telling import ends

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from linarite.domain.stored_object import StoredObject

pytestmark = pytest.mark.anyio

ALL = Page(limit=1000)


@pytest.fixture
async def background(tmp_path: Path) -> AsyncIterator[BackgroundResponses]:
    """On a disk; each ends as soon as it is begun."""
    state, database = open_database(tmp_path), open_objects(tmp_path)
    made = BackgroundResponses(SqliteStoredObjects(database), Responses())
    made.carry_out = ends("completed", made)
    yield made
    await made.stop()
    await database.close()
    await state.close()


def queued(number: int) -> StoredObject:
    """One that is to be made."""
    made = ResponseKeeper(MemoryStoredObjects(), Responses()).made(new(number, []))
    body = made.body | {"streamed": True, RUN: {"attempts": 0}}
    body["response"] = body["response"] | {"status": "queued"}
    return msgspec.structs.replace(made, body=body, label=UNFINISHED)


async def unfinished(background: BackgroundResponses) -> int:
    """How many there are, once all that were begun have ended."""
    await asyncio.gather(*background._tasks.values())
    return await background._objects.count(MINE, RESPONSE, UNFINISHED, lasting=False)


async def test_what_is_queued_is_begun(background: BackgroundResponses) -> None:
    """One that nobody makes would stand among those that wait until the next start."""
    numbers = itertools.count(1)
    async for _ in cancelled_at_every_await(
        lambda: background.queue(queued(next(numbers)), [b"event: response.created\n\n"])
    ):
        assert await unfinished(background) == 0
    kept = await background._objects.list(MINE, RESPONSE, ALL)
    assert len(kept) > 2
    assert {each.body["response"]["status"] for each in kept} == {"completed"}


async def test_who_cancels_and_leaves_has_cancelled_or_not(
    background: BackgroundResponses,
) -> None:
    """Cancelled, it has its end; else it is made all the same, or goes on with the next start."""
    numbers = itertools.count(1)
    waits = asyncio.Event()
    last: list[StoredObject] = []

    async def wait_for_ever(made: StoredObject) -> None:
        del made
        waits.set()
        await asyncio.Event().wait()

    background.carry_out = wait_for_ever

    async def cancel() -> None:
        await background.cancel(last[-1])

    async def begin() -> None:
        waits.clear()
        last.append(queued(next(numbers)))
        await background.queue(last[-1], [b"data: 1\n\n"])
        await waits.wait()

    await begin()
    async for _ in cancelled_at_every_await(cancel):
        made = await background._objects.get(MINE, RESPONSE, last[-1].id)
        assert made is not None
        response, entries = made.body["response"], await background.events._entries(made, "")
        assert (made.label == UNFINISHED) == (response["status"] != "cancelled")
        assert entries[-1].body["last"] == (response["status"] == "cancelled")
        await begin()
    await background.stop()
    background.carry_out = ends("completed", background)
    await background.recover()
    assert await unfinished(background) == 0

"""How webhooks are told that a response in the background has ended, at the moments of a death."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.domain.errors import ServiceUnavailable
from linarite.domain.stored_object import Page
from linarite.responses import BackgroundResponses, ResponseKeeper, background
from linarite.responses.background import RUN, UNFINISHED
from linarite.responses.keeper import RESPONSE
from linarite.responses.options import Responses
from linarite.storage.memory.stored_objects import MemoryStoredObjects
from tests.dataplane.rig import until
from tests.responses.test_keeper import MINE, new

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from linarite.domain.notice import Notice
    from linarite.domain.stored_object import StoredObject

pytestmark = pytest.mark.anyio


class Ear:
    """A notifier that remembers, and that can't keep anything for a while."""

    def __init__(self, refusals: int = 0) -> None:
        self.heard: list[Notice] = []
        self.refusals = refusals
        self.news = asyncio.Event()

    async def tell(self, notice: Notice) -> None:
        """See Notifier."""
        if self.refusals:
            self.refusals -= 1
            raise ServiceUnavailable("the disk is full")
        self.heard.append(notice)
        self.news.set()

    def tell_soon(self, notice: Notice) -> None:
        """See Notifier."""
        self.heard.append(notice)


def waiting(number: int) -> StoredObject:
    """One that is queued."""
    made = ResponseKeeper(MemoryStoredObjects(), Responses()).made(new(number, []))
    body = made.body | {"streamed": False, RUN: {"attempts": 0}}
    body["response"] = body["response"] | {"status": "queued"}
    return msgspec.structs.replace(made, body=body, label=UNFINISHED)


def ends(status: str, into: BackgroundResponses) -> Callable[[StoredObject], Awaitable[None]]:
    """What carries a response out: it ends so."""

    async def carry_out(made: StoredObject) -> None:
        await into.end(made, made.body["response"] | {"status": status}, [])

    return carry_out


def opened(objects: MemoryStoredObjects, ear: Ear | None, status: str) -> BackgroundResponses:
    """A server's."""
    made = BackgroundResponses(objects, Responses())
    made.notifier = ear
    made.carry_out = ends(status, made)
    return made


async def heard(ear: Ear) -> Notice:
    """What it has heard, once it has."""
    async with asyncio.timeout(5):
        await ear.news.wait()
    return ear.heard[-1]


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed"])
async def test_an_end_is_told(status: str) -> None:
    """By its type, with the id alone; nothing of what was said."""
    objects, ear = MemoryStoredObjects(), Ear()
    made = opened(objects, ear, status)
    queued = waiting(1)
    await made.queue(queued, [])
    notice = await heard(ear)
    assert (notice.type, notice.data) == (f"response.{status}", {"id": queued.id})
    assert notice.account_id == MINE
    await made.stop()


async def test_a_cancelled_one_is_told() -> None:
    """Whoever cancelled it."""
    objects, ear = MemoryStoredObjects(), Ear()
    made = opened(objects, ear, "completed")

    async def never(_: StoredObject) -> None:
        await asyncio.Event().wait()

    made.carry_out = never
    queued = waiting(1)
    await made.queue(queued, [])
    await made.cancel(queued)
    assert (await heard(ear)).type == "response.cancelled"
    await made.stop()


async def test_what_was_not_told_before_a_death_is_told_by_the_next_server() -> None:
    """The end is on disk and nobody has heard of it; then the same notice, under the same key."""
    objects, deaf = MemoryStoredObjects(), Ear(refusals=1_000)
    first = opened(objects, deaf, "completed")
    queued = waiting(1)
    await first.queue(queued, [])
    await until(lambda: deaf.refusals < 1_000)
    await first.stop()
    told: list[str] = []
    for _ in range(2):  # a second death comes before it is noted that it was told
        kept = await objects.get(MINE, RESPONSE, queued.id)
        ear = Ear()
        second = opened(objects, ear, "completed")
        await second.recover()
        told.append((await heard(ear)).key)
        await asyncio.sleep(0)
        await second.stop()
        assert kept is not None
        await objects.write(replaced=[kept])
    assert told == [f"{MINE.lower()} {queued.id} response.completed"] * 2


async def test_once_told_it_is_not_told_again() -> None:
    """By no server that follows."""
    objects, ear = MemoryStoredObjects(), Ear()
    made = opened(objects, ear, "completed")
    await made.queue(waiting(1), [])
    await heard(ear)
    for _ in range(100):  # it is noted right after it was told
        await asyncio.sleep(0)
    assert await unmarked(objects) == []
    await made.stop()
    later = Ear()
    after = opened(objects, later, "completed")
    await after.recover()
    await asyncio.sleep(0.01)
    await after.stop()
    assert later.heard == []


async def test_what_can_not_be_kept_is_told_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as the store takes it."""
    monkeypatch.setattr(background, "TELL_AGAIN_S", 0.001)
    objects, ear = MemoryStoredObjects(), Ear(refusals=2)
    made = opened(objects, ear, "completed")
    await made.queue(waiting(1), [])
    assert (await heard(ear)).type == "response.completed"
    await made.stop()


async def unmarked(objects: MemoryStoredObjects) -> list[Any]:
    """Those that are still to be told."""
    return await objects.list(MINE, RESPONSE, Page(limit=9, label=background.UNTOLD))

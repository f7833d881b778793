"""A call that is cancelled, at whichever await, gives back all that it held."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from linarite.controls.quota import Limiter, MemoryLedger
from linarite.dataplane.direct import DirectCalls, DirectRequest
from linarite.domain.engine import Capabilities
from linarite.domain.ledger import Bucket, Window
from linarite.domain.price_book import NO_PRICES
from linarite.domain.principal import Principal
from linarite.domain.usage_journal import NO_JOURNAL
from linarite.storage.database import open_database
from linarite.storage.sqlite.lasting_counts import SqliteLastingCounts
from tests.cancelling import cancelled_at_every_await
from tests.dataplane.rig import ScriptedEngine, greeting, rig, until

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from linarite.domain.chat import ChatAsk, ChatEvent
    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

DAY = Bucket("day", "key-tokens", "tokens", 10**9, Window.DAY)
PLACES = Bucket("places", "key-concurrent", "concurrent", 4, Window.HELD)
BODY = json.dumps({"model": "gpt", "messages": [{"role": "user", "content": "hello"}]}).encode()
ONE_PLACE = Capabilities(chat_completion=True, parallel_requests=1)


async def with_pauses(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
    """As an engine that is waited for before each piece."""
    async for event in greeting(ask):
        await asyncio.sleep(0)
        yield event


@asynccontextmanager
async def limited(tmp_path: Path) -> AsyncIterator[tuple[Rig, MemoryLedger]]:
    """A server with one place, whose limits a disk keeps."""
    database = open_database(tmp_path)
    ledger = MemoryLedger(counts=SqliteLastingCounts(database))
    await ledger.open()
    engine = ScriptedEngine(with_pauses, ONE_PLACE)
    limiter = Limiter(ledger=ledger)
    async with rig(engine, limiter=limiter, buckets_for=lambda *_: [DAY, PLACES]) as running:
        yield running, ledger
    await ledger.close()
    await database.close()


def asking(running: Rig) -> Callable[[], Coroutine[None, None, object]]:
    """One call after another, without a connection."""
    plane = running.dataplane
    calls = DirectCalls(plane._router, plane.surface, running.records.append, NO_PRICES, NO_JOURNAL)
    maker = Principal(kind="Key", name="key1")
    asked = DirectRequest(running.account_id, maker, "/chat/completions", BODY)
    return lambda: calls.answer(asked)


def require_idle(running: Rig, ledger: MemoryLedger) -> None:
    """Nothing is held anywhere."""
    gate = running.instance.gate
    assert (gate.running, gate.waiting) == (0, 0)
    assert running.engine.opened == running.engine.closed
    assert ledger._open == set()


async def test_nothing_is_held_of_who_left(tmp_path: Path) -> None:
    """Places at the engine, concurrency, reservations; each call is recorded once."""
    async with limited(tmp_path) as (running, ledger):
        tries = 0
        async for _ in cancelled_at_every_await(asking(running)):
            tries += 1
            require_idle(running, ledger)
            assert (await ledger.left([PLACES])) == [PLACES.limit]
            ledger._meters.clear()  # so that the next one waits for the disk as well
            assert len(running.records) == tries
        assert tries > 10


async def test_who_left_the_queue_leaves_no_hole(tmp_path: Path) -> None:
    """While the only place is another's, who gives it up meanwhile."""
    async with limited(tmp_path) as (running, ledger):
        gate, loop = running.instance.gate, asyncio.get_running_loop()
        await asking(running)()
        assert gate.try_enter()
        loop.call_later(0.002, gate.leave)
        async for _ in cancelled_at_every_await(asking(running)):
            await until(lambda: not gate.running)
            require_idle(running, ledger)
            assert gate.try_enter()
            loop.call_later(0.002, gate.leave)
        await until(lambda: not gate.running)

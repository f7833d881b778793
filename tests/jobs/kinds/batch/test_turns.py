"""Whose turn it is at an instance."""

from __future__ import annotations

import asyncio

import pytest

from linarite.domain.engine import Capabilities
from linarite.jobs.kinds.batch.turns import Turns

pytestmark = pytest.mark.anyio


async def at_once(turns: Turns, lines: int) -> int:
    """How many of so many lines run at the same time, at most."""
    running = most = 0

    async def line() -> None:
        nonlocal running, most
        async with turns.at("one"):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1

    await asyncio.gather(*(line() for _ in range(lines)))
    return most


@pytest.mark.parametrize(("slots", "most", "expected"), [(4, 64, 5), (1, 64, 2), (64, 16, 16)])
async def test_slots_are_kept_busy(slots: int, most: int, expected: int) -> None:
    """All of them, and a quarter more wait; no more than settings allow."""
    able = Capabilities(parallel_requests=slots)
    assert await at_once(Turns(lambda _: able, most), 100) == expected


async def test_an_instance_that_has_not_started() -> None:
    """Is asked by two lines, and by more once it tells what it can."""
    able: list[Capabilities] = []
    turns = Turns(lambda _: able[0] if able else None, 64)
    assert await at_once(turns, 10) == 2
    able.append(Capabilities(parallel_requests=8))
    assert await at_once(turns, 50) == 10


async def test_who_gives_up_leaves_no_hole() -> None:
    """Waiting or just called."""
    turns = Turns(lambda _: Capabilities(parallel_requests=1), 1)
    await turns.take("one")
    waiting = [asyncio.ensure_future(turns.take("one")) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    turns.give_back("one")
    waiting[1].cancel()  # its turn had come at this very moment
    await asyncio.gather(*waiting[:2], return_exceptions=True)
    async with asyncio.timeout(1):
        await waiting[2]


async def test_all_give_up_at_once() -> None:
    """Those that are called while they leave too."""
    turns = Turns(lambda _: Capabilities(parallel_requests=1), 1)
    lines = [asyncio.ensure_future(at_once(turns, 1)) for _ in range(20)]
    await asyncio.sleep(0.002)
    for line in lines:
        line.cancel()
    told = await asyncio.gather(*lines, return_exceptions=True)
    assert {type(each) for each in told} <= {asyncio.CancelledError, int}
    assert await at_once(turns, 3) == 1

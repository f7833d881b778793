from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from linarite.engines.text_chat.fan_out import gathered, merged

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.anyio


class Streams:
    """Makes streams of numbers and knows how many run."""

    def __init__(self) -> None:
        self.running = 0
        self.running_most = 0
        self.closed = 0

    async def stream(
        self, name: int, length: int, fails_at: int = -1
    ) -> AsyncGenerator[tuple[int, int], None]:
        """Yield (name, number) `length` times, letting others run in between."""
        self.running += 1
        self.running_most = max(self.running_most, self.running)
        try:
            for number in range(length):
                await asyncio.sleep(0)
                if number == fails_at:
                    raise ValueError(f"stream {name} fails")
                yield name, number
        finally:
            self.running -= 1
            self.closed += 1


async def test_every_item_comes_in_its_streams_order() -> None:
    """Streams mix; within each the order is kept, and no more run at a time than allowed."""
    streams = Streams()
    many = [streams.stream(name, 50) for name in range(7)]
    items = [item async for item in merged(many, 3)]
    for name in range(7):
        assert [number for of, number in items if of == name] == list(range(50))
    assert streams.running_most == 3
    assert streams.running == 0


@pytest.mark.parametrize("count", [1, 4])
async def test_the_first_failure_ends_all(count: int) -> None:
    """It is raised as it is, and nothing runs on."""
    streams = Streams()
    many = [streams.stream(name, 1_000, fails_at=5 if name == 0 else -1) for name in range(count)]
    with pytest.raises(ValueError, match="stream 0 fails"):
        async for _ in merged(many, 2):
            pass
    assert streams.running == 0


async def test_a_failure_of_the_last_one_is_not_lost() -> None:
    """Even when everything else is through."""
    streams = Streams()
    many = [streams.stream(0, 1), streams.stream(1, 30, fails_at=29)]
    with pytest.raises(ValueError, match="stream 1 fails"):
        async for _ in merged(many, 2):
            pass


@pytest.mark.parametrize("count", [1, 5])
async def test_leaving_early_closes_all(count: int) -> None:
    """Also those that wait for a reader, and those that never began."""
    streams = Streams()
    async with aclosing(
        merged([streams.stream(name, 10_000) for name in range(count)], 2)
    ) as items:
        await anext(items)
    assert streams.running == 0


async def test_a_slow_reader_holds_the_streams_back() -> None:
    """What nobody has read yet stays little."""
    streams = Streams()
    made = 0

    async def counted() -> AsyncGenerator[int, None]:
        nonlocal made
        async with aclosing(streams.stream(0, 10_000)) as numbers:
            async for _, number in numbers:
                made += 1
                yield number

    async with aclosing(merged([counted(), counted()], 2)) as items:
        await anext(items)
        for _ in range(1_000):
            await asyncio.sleep(0)
        assert made < 100


async def test_jobs_give_their_results_in_order() -> None:
    """However long each takes, and no more at a time than allowed."""
    running = most = 0

    async def job(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(10 - number):
            await asyncio.sleep(0)
        running -= 1
        return number

    assert await gathered([lambda number=number: job(number) for number in range(9)], 4) == list(
        range(9)
    )
    assert most == 4


async def test_a_failing_job_ends_the_others() -> None:
    """Nothing goes on behind the caller's back."""
    ended = 0

    async def wait() -> int:
        nonlocal ended
        try:
            await asyncio.Event().wait()
        finally:
            ended += 1
        return 0

    async def fail() -> int:
        await asyncio.sleep(0)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await gathered([wait, fail, wait], 3)
    assert ended == 2

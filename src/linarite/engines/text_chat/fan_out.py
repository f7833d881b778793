"""Several streams made one, with a bound on how many run at a time."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence

ItemT = TypeVar("ItemT")

_WAITING_ITEMS = 16


class _Ended(NamedTuple):
    """The last word of a runner."""

    runner: int


def merged(
    streams: Sequence[AsyncGenerator[ItemT, None]], at_once: int
) -> AsyncGenerator[ItemT, None]:
    """Yield the items of all streams as they come; each stream's own order is kept.

    At most `at_once` run at a time. The first failure closes them all and is raised. Closing this
    generator closes them all, and so does leaving it unfinished. A single stream is it itself:
    another generator around it would cost something for each token.
    """
    return streams[0] if len(streams) == 1 else _merged(streams, at_once)


async def _merged(
    streams: Sequence[AsyncGenerator[ItemT, None]], at_once: int
) -> AsyncGenerator[ItemT, None]:
    waiting: asyncio.Queue[ItemT | _Ended] = asyncio.Queue(_WAITING_ITEMS)
    rest = iter(streams)
    runners = [
        asyncio.create_task(_run(number, rest, waiting))
        for number in range(min(at_once, len(streams)))
    ]
    running = len(runners)
    try:
        while running:
            item = await waiting.get()
            if isinstance(item, _Ended):
                running -= 1
                await runners[item.runner]
            else:
                yield item
    finally:
        for runner in runners:
            runner.cancel()
        await asyncio.gather(*runners, return_exceptions=True)
        for stream in rest:
            await stream.aclose()


async def _run(
    number: int,
    streams: Iterator[AsyncGenerator[ItemT, None]],
    waiting: asyncio.Queue[ItemT | _Ended],
) -> None:
    """Run one stream after the other until none is left, or until one fails."""
    try:
        for stream in streams:
            async with aclosing(stream):
                async for item in stream:
                    await waiting.put(item)
    except asyncio.CancelledError:
        # Nobody reads any more: a last word would wait for room for ever.
        raise
    except BaseException:
        await waiting.put(_Ended(number))
        raise
    await waiting.put(_Ended(number))


async def gathered(
    jobs: Sequence[Callable[[], Coroutine[None, None, ItemT]]], at_once: int
) -> list[ItemT]:
    """Run all jobs, at most `at_once` at a time; return their results in order.

    The first failure cancels the others and is raised.
    """
    gate = asyncio.Semaphore(at_once)

    async def run(job: Callable[[], Coroutine[None, None, ItemT]]) -> ItemT:
        async with gate:
            return await job()

    tasks = [asyncio.create_task(run(job)) for job in jobs]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

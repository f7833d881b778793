"""What is done whole is known by whoever waited, and nobody's cancellation is lost."""

from __future__ import annotations

import asyncio

import pytest

from linarite.domain.unbroken import unbroken

pytestmark = pytest.mark.anyio


class Work:
    """Ends when it is told to."""

    def __init__(self) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()
        self.after = False

    async def run(self) -> str:
        """Wait, then give something."""
        self.begun.set()
        await self.may_end.wait()
        return "done"

    async def wait_for_it(self, seen: list[str]) -> None:
        """Somebody who does something with it at once, and goes on then."""
        seen.append(await unbroken(self.run()))
        await asyncio.sleep(0)
        self.after = True


@pytest.mark.parametrize("cancellations", [1, 3])
async def test_who_is_cancelled_meanwhile_has_the_result(cancellations: int) -> None:
    """However often; the cancellation comes with the next await."""
    work, seen = Work(), list[str]()
    task = asyncio.create_task(work.wait_for_it(seen))
    await work.begun.wait()
    for _ in range(cancellations):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    work.may_end.set()
    await asyncio.wait((task,))
    assert task.cancelled()
    assert seen == ["done"]
    assert not work.after
    assert task.cancelling() == cancellations


async def test_a_failure_comes_before_the_cancellation() -> None:
    """Whoever handles it knows that nothing was done."""
    begun, told = asyncio.Event(), list[str]()

    async def fail() -> None:
        begun.set()
        await asyncio.sleep(0.01)
        raise OSError("full")

    async def act() -> None:
        try:
            await unbroken(fail())
        except OSError as problem:
            told.append(str(problem))
        await asyncio.sleep(0)
        told.append("went on")

    task = asyncio.create_task(act())
    await begun.wait()
    task.cancel()
    await asyncio.wait((task,))
    assert told == ["full"]
    assert task.cancelled()


async def test_without_a_cancellation_it_is_an_await() -> None:
    """With its result, and nobody is cancelled afterwards."""
    work, seen = Work(), list[str]()
    work.may_end.set()
    await work.wait_for_it(seen)
    assert (seen, work.after) == (["done"], True)

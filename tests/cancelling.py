"""Cancels something at each of its awaits in turn: what it holds then, it must let go of."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Generator

MOST = 500
"""awaits; more would be a loop without an end"""


async def cancelled_at_every_await(
    act: Callable[[], Coroutine[Any, Any, object]],
) -> AsyncIterator[asyncio.Task[object]]:
    """Begin it anew and cancel it at its first await, its second, …, until it ends before that.

    Once while that which it waits for has not come, and once when it has come already but nobody
    has been woken: then what came is lost with the cancellation. Gives the ended task each time,
    for something to be looked at and made ready again: what is begun each time must be the same,
    or an await is left out. A database's connection that was broken off is made anew by looking.
    """
    for woken in (False, True):
        for place in itertools.count(1):
            assert place < MOST
            stepped = _Stepped(act(), place, woken=woken)
            task = asyncio.create_task(stepped.run())
            await asyncio.wait((task,))
            yield task
            if not stepped.reached:
                break


class _Stepped:
    """A coroutine whose task is cancelled at its await number `place`."""

    def __init__(self, work: Coroutine[Any, Any, object], place: int, *, woken: bool) -> None:
        self._work = work
        self._place = place
        self._woken = woken
        self.reached = False

    async def run(self) -> object:
        """It, as a task of its own."""
        return await self

    def __await__(self) -> Generator[Any, Any, object]:
        steps = self._work.__await__()
        try:
            awaited = next(steps)
            for place in itertools.count(1):
                if place == self._place:
                    self._cancel_soon(awaited)
                try:
                    sent = yield awaited
                except BaseException as problem:  # noqa: BLE001 - it is the work's to handle
                    awaited = steps.throw(problem)
                else:
                    awaited = steps.send(sent)
        except StopIteration as ended:
            return ended.value
        raise AssertionError

    def _cancel_soon(self, awaited: asyncio.Future[object] | None) -> None:
        self.reached = True
        task = asyncio.current_task()
        assert task is not None
        if self._woken and awaited is not None:
            # Called before the task's own, which wakes it.
            awaited.add_done_callback(lambda _: task.cancel())
        else:
            asyncio.get_running_loop().call_soon(task.cancel)

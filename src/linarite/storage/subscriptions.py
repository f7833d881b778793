"""Telling others what a store has written."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from linarite.domain.resource import Committed

ResultT = TypeVar("ResultT")

log = structlog.get_logger(__name__)


class Subscriptions:
    """Listeners, told in the order in which they came."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Committed], Awaitable[None]]] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    def add(self, listener: Callable[[Committed], Awaitable[None]]) -> None:
        """Tell this one too, from now on."""
        self._listeners.append(listener)

    async def tell(self, committed: Committed) -> None:
        """Await each listener. What was written stays written whatever one of them does."""
        for listener in self._listeners:
            try:
                await listener(committed)
            except Exception:
                log.exception(
                    "a change was not followed",
                    resource=[*committed.written, *committed.removed],
                )

    async def to_its_end(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Do the work whole even if the caller is cancelled: no write stays untold."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def told(self) -> None:
        """Wait for all work that has begun: what others may read of it already is told then."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen: the caller has it, unless it has left

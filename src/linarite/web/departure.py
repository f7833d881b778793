"""Noticing that the client has left while a request runs, without a task for quick requests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linarite.web.asgi import Receive

PATIENCE_S = 0.2


class DepartureWatch:
    """Cancels the running task when the client disconnects.

    Watching takes a task, and most requests are over before a task would pay. So the watch begins
    `PATIENCE_S` after `begin`; a client that left earlier is seen then.
    `departed` tells a cancellation by the client from one by shutdown.
    """

    def __init__(self, receive: Receive) -> None:
        """Watch the current task's client, from `begin` on."""
        self.departed = False
        self._receive = receive
        self._running: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """The whole body has been read: only the disconnect is still to come.

        Not earlier. Two that wait for messages at once take them from one another.
        """
        self._running = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(PATIENCE_S, self._watch)

    def stop(self) -> None:
        """The request is over; idempotent, and allowed before `begin`."""
        if self._timer is not None:
            self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        self._running = None

    def _watch(self) -> None:
        self._watching = asyncio.get_running_loop().create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self._running is not None:
            self.departed = True
            self._running.cancel()

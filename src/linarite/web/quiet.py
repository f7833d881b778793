"""Connections on which nothing goes on: nobody asks, or nobody takes what was answered."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

STALL_S = 60.0
"""a client that takes nothing of its answer for this long has gone, or never meant to read it"""


class StallWatch:
    """Cuts a connection whose unsent bytes don't become fewer, until it is cancelled."""

    __slots__ = ("_loop", "_timer", "_transport")

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._timer: asyncio.TimerHandle
        self._watch()

    def cancel(self) -> None:
        """Watch no longer."""
        self._timer.cancel()

    def _watch(self) -> None:
        unsent = self._transport.get_write_buffer_size()
        self._timer = self._loop.call_later(STALL_S, self._look, unsent)

    def _look(self, unsent: int) -> None:
        if self._transport.get_write_buffer_size() < unsent:
            self._watch()
        else:
            self._transport.abort()


class IdleWatch:
    """Closes a connection on which nobody has asked anything for `keep_s`.

    One timer for the connection's life, looked at when it rings: a request costs none.
    """

    __slots__ = ("_keep_s", "_loop", "_timer", "_transport", "until")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, keep_s: float
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._keep_s = keep_s
        self._timer: asyncio.TimerHandle | None = None
        self.until = math.inf
        """of the loop's time; endless while something is asked or answered"""

    def begin(self) -> None:
        """From now on nothing goes on."""
        self.until = self._loop.time() + self._keep_s
        if self._timer is None:
            self._timer = self._loop.call_at(self.until, self._look)

    def cancel(self) -> None:
        """Watch no longer."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        if self._loop.time() >= self.until:
            self._transport.close()
        elif self.until < math.inf:
            self._timer = self._loop.call_at(self.until, self._look)

"""One connection to Valkey or Redis: commands go out one behind the other, replies come in order.

The library `hiredis` reads and writes the protocol (RESP); the socket comes from the dialer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, cast

import hiredis

# Its stub says too little.
_packed = cast(
    "Callable[[tuple[str | bytes | int, ...]], bytes]",
    hiredis.pack_command,  # pyright: ignore[reportUnknownMemberType] - the library's own types lack it
)
if TYPE_CHECKING:
    from collections.abc import Callable

PENDING_MAX = 10_000
"""commands that may wait for their replies: more would only pile up"""


class StoreError(Exception):
    """The store answered with an error, or with what makes no sense."""


class StoreLost(Exception):
    """The connection is gone, or nothing came in time; whether a command was done, nobody knows."""


class Connection(asyncio.Protocol):
    """Commands and their replies. A store that keeps one waiting for `deadline_s` is given up."""

    def __init__(self, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(protocolError=StoreError, replyError=StoreError)
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.lost: asyncio.Future[None] = self._loop.create_future()
        """done once nothing more can be asked"""

    @property
    def full(self) -> bool:
        """Whether so much waits for replies that no more must be asked."""
        return len(self._waiting) >= PENDING_MAX

    def ask(self, *command: str | bytes | int) -> asyncio.Future[Any]:
        """Send a command; its reply, or StoreError or StoreLost, comes with the future."""
        reply: asyncio.Future[Any] = self._loop.create_future()
        if self._transport is None:
            reply.set_exception(StoreLost())
            return reply
        self._transport.write(_packed(command))
        self._waiting.append((self._loop.time(), reply))
        if self._timer is None:
            self._timer = self._loop.call_later(self._deadline_s, self._look)
        return reply

    def close(self) -> None:
        """Let go of it; what waits is told StoreLost."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            _, reply = self._waiting.popleft()
            if not reply.done():
                reply.set_exception(StoreLost())
        if not self.lost.done():
            self.lost.set_result(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                _, waiting = self._waiting.popleft()
                if waiting.done():  # nobody waits for it any more
                    continue
                if isinstance(reply, StoreError):
                    waiting.set_exception(reply)
                else:
                    waiting.set_result(reply)
        except (StoreError, IndexError):  # no such protocol, or a reply to nothing
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        del exc
        self.close()

    def _look(self) -> None:
        """Replies come in order: it is enough to look after the one that waits longest."""
        self._timer = None
        if not self._waiting:
            return
        left_s = self._waiting[0][0] + self._deadline_s - self._loop.time()
        if left_s <= 0:
            self.close()
        else:
            self._timer = self._loop.call_later(left_s, self._look)

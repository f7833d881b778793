"""The client: a pool of connections to one server, and requests over them."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, cast

from linarite.engines.http_client.connection import Connection
from linarite.engines.http_client.errors import ConnectError, ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.engines.http_client.connectors import Connector
    from linarite.engines.http_client.response import Response

_BODYLESS_METHODS = frozenset({"GET", "HEAD", "DELETE"})
_HEADS_MAX = 64
_IDLE_KEEP_S = 4.0
"""shorter than what common servers keep an idle connection (5 s), so that we leave first"""

_HeadKey = tuple[str | tuple[str, str], ...]
"""method, path, then each header"""


class RequestHead:
    """A request but for its body, ready to be sent again and again."""

    __slots__ = ("head_only", "text", "wants_length")

    def __init__(self, text: bytes, method: str) -> None:
        self.text = text
        self.wants_length = method not in _BODYLESS_METHODS
        self.head_only = method == "HEAD"

    def with_lines(self, lines: str) -> RequestHead:
        """The same with further headers, each with its line's end; they must be well formed."""
        more = RequestHead(self.text + lines.encode("latin-1"), "POST")
        more.wants_length, more.head_only = self.wants_length, self.head_only
        return more


class HttpClient:
    """Sends requests to one server and keeps its connections alive in between.

    The connection used last is used next, so that a pool grown by a burst shrinks again.
    """

    def __init__(
        self,
        connect: Connector,
        *,
        host: str,
        connections_max: int = 256,
        keep_alive: bool = True,
        idle_keep_s: float = _IDLE_KEEP_S,
    ) -> None:
        """`host` is the `Host` header: a name, with its port where that is not the usual one."""
        self._connect = connect
        self._host = host
        self._connections_max = connections_max
        self._keep_alive = keep_alive
        self._idle_keep_s = idle_keep_s
        self._heads: dict[_HeadKey, RequestHead] = {}
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._places_taken = 0
        """connections that live or are being made; a place changes hands without becoming free"""
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._closed = False
        self._emptied: asyncio.Future[None] | None = None

    async def send(
        self,
        method: str,
        path: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        *,
        first_byte_s: float,
        idle_s: float,
    ) -> Response:
        """Send a request and return its answer as soon as the head is there.

        `first_byte_s` bounds the wait for a connection, and again the time from sending to the
        first byte of the answer's body; `idle_s` the wait for each further byte.
        `host` and `content-length` are added; `headers` must not contain them.
        A kept-alive connection that dies before a single byte of an answer is replaced once by a
        fresh one: the server had closed it while the request was under way.

        Raises ConnectError, ConnectionLost, DeadlinePassed or MalformedReply, what the connector
        raises besides OSError, and ValueError for text that would break the framing.
        Cancelling it closes the connection.
        """
        key = (method, path, *headers)
        head = self._heads.get(key)
        if head is None:
            head = self.prepare(method, path, headers)
            if len(self._heads) >= _HEADS_MAX:
                self._heads.clear()
            self._heads[key] = head
        return await self.send_prepared(head, body, first_byte_s=first_byte_s, idle_s=idle_s)

    def prepare(self, method: str, path: str, headers: Sequence[tuple[str, str]]) -> RequestHead:
        """Make the head of requests that differ in their bodies only. Raises ValueError."""
        lines = [f"{method} {path} HTTP/1.1", f"host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if not self._keep_alive:
            lines.append("connection: close")
        text = "\r\n".join(lines)
        # One look at the whole finds a line break smuggled into any of the parts.
        breaks = len(lines) - 1
        spaces_in_first_line = 2
        if (
            text.count("\n") != breaks
            or text.count("\r") != breaks
            or lines[0].count(" ") != spaces_in_first_line
        ):
            raise ValueError("a request's method, path or header contains a space or line break")
        return RequestHead(text.encode("latin-1") + b"\r\n", method)

    async def send_prepared(
        self,
        head: RequestHead,
        body: bytes,
        *,
        first_byte_s: float,
        idle_s: float,
        fresh: bool = False,
    ) -> Response:
        """As `send`, for a head that `prepare` made: some microseconds less.

        With `fresh` the connection is a new one, where there is a place for it, and the request is
        sent once, whatever happens.
        """
        if body or head.wants_length:
            text = head.text + b"content-length: %d\r\n\r\n" % len(body)
        else:
            text = head.text + b"\r\n"
        while True:
            if self._idle and not fresh:
                connection = self._idle.pop()
            else:
                connection = await self._acquire(first_byte_s, fresh=fresh)
            response = connection.exchange(
                text, body, first_byte_s=first_byte_s, idle_s=idle_s, head_only=head.head_only
            )
            try:
                await response.head
            except ConnectionLost as lost:
                if fresh or lost.received_any or not connection.has_served or self._closed:
                    raise
                fresh = True
            except asyncio.CancelledError:
                response.forget()
                raise
            else:
                return response

    async def close(self) -> None:
        """Close every connection at once; answers under way end with ConnectionLost. Idempotent."""
        self._closed = True
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(ConnectError("The client is closed."))
        for connection in self._all:
            connection.shut()
        if self._all:
            if self._emptied is None:
                self._emptied = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._emptied)

    # The connections' side.

    def freed(self, connection: Connection) -> None:
        """A connection is free: give it to whoever waits longest, or keep it."""
        if self._waiting and self._grant(connection):
            return
        if self._keep_alive and not self._closed:
            self._idle.append(connection)
        else:
            connection.abandon()

    def lost(self, connection: Connection) -> None:
        """A connection is gone: its place is free."""
        if connection not in self._all:
            return
        self._all.remove(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._give_up_place()
        if self._emptied is not None and not self._all and not self._emptied.done():
            self._emptied.set_result(None)

    # Inside.

    async def _acquire(self, wait_s: float, *, fresh: bool = False) -> Connection:
        """A new connection or, where there is no place for one, the first that comes free.

        With `fresh` a new one in any case: one that had served already has just proved dead.
        """
        if self._closed:
            raise ConnectError("The client is closed.")
        if fresh and self._idle and self._places_taken >= self._connections_max:
            self._idle[0].abandon()
        if self._places_taken < self._connections_max:
            self._places_taken += 1
        elif (granted := await self._wait_for_place(wait_s)) is not None:
            if not fresh:
                return granted
            self._all.remove(granted)
            granted.abandon()
        return await self._open(wait_s)

    async def _open(self, wait_s: float) -> Connection:
        """Connect, in a place that is already taken."""
        try:
            async with asyncio.timeout(wait_s):
                connection = cast("Connection", await self._connect(self._make_connection))
        except OSError as error:
            self._give_up_place()
            raise ConnectError(f"No connection to the engine: {type(error).__name__}.") from error
        except BaseException:
            self._give_up_place()
            raise
        if self._closed or not connection.usable:
            connection.abandon()
            self._give_up_place()
            raise ConnectError("The connection to the engine was closed as soon as it was made.")
        self._all.add(connection)
        return connection

    def _make_connection(self) -> Connection:
        return Connection(self, self._idle_keep_s)

    async def _wait_for_place(self, wait_s: float) -> Connection | None:
        """Queue for a free connection (returned) or the place of one that is gone (None)."""
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(wait_s):
                granted = await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._hand_on(waiter.result())
            if isinstance(error, TimeoutError):
                raise ConnectError("All connections to the engine stayed busy.") from None
            raise
        if granted is None or granted.usable:
            return granted
        # It died on the way here, and its place is already someone else's.
        return await self._wait_for_place(wait_s)

    def _hand_on(self, granted: Connection | None) -> None:
        if granted is None:
            self._give_up_place()
        else:
            self.freed(granted)

    def _give_up_place(self) -> None:
        if not self._grant(None):
            self._places_taken -= 1

    def _grant(self, connection: Connection | None) -> bool:
        """Give a connection, or a place for one, to whoever waits longest, if anyone does."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

"""One request and its answer, as a handler sees them: plain calls, no messages between tasks."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from linarite.domain.account_names import ANY_SITE
from linarite.domain.arrival import ANY_WAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.account_names import Site
    from linarite.domain.arrival import Arrival
    from linarite.domain.client_certificate import ShownCertificate
    from linarite.web.body_budget import BodyBudget
    from linarite.web.request_head import RequestHead

STATUS_LINES = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode())
    for status in HTTPStatus
}
BODYLESS = frozenset((204, 304))
BUFFERED_BYTES_MAX = 64 * 1024
"""beyond this much body that nobody has taken, no more is read from the connection"""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class ClientLeft(Exception):
    """The client closed the connection before an answer began."""


class Successor(ABC, asyncio.Protocol):
    """What goes on with a connection after HTTP, whose protocol stays to look after it."""

    carrier: Carrier
    """that protocol, to be told when the connection has ended"""

    @abstractmethod
    def shutdown(self) -> None:
        """End as soon as nothing is under way."""


class Carrier(Protocol):
    """The connection, as far as an exchange needs it."""

    def send(self, data: bytes) -> None:
        """Write to the client, in order."""
        ...

    def stop_reading(self) -> None:
        """Read nothing more: there is as much as may be held."""
        ...

    def go_on_reading(self) -> None:
        """There is room again."""
        ...

    def hand_over(self, successor: Successor) -> asyncio.Transport:
        """Have another protocol go on with the connection."""
        ...

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended under another protocol."""
        ...

    def answered(self, exchange: Exchange) -> None:
        """The answer is complete."""
        ...

    def date_line(self) -> bytes:
        """The `date` header of this second."""
        ...


class Exchange:
    """A request, and the way to answer it: `respond`, or `begin`, `write` and at last `end`.

    Writing never waits; a handler that writes much looks at `write_paused` and awaits `drain`.
    What is written after the client has left goes nowhere. Set `cancels` while the client's leaving
    is to cancel the task that answers.
    """

    # Most of it stays as it begins, so it begins on the class: an exchange costs little to make.
    arrival: Arrival = ANY_WAY
    site: Site = ANY_SITE
    server_name = ""
    """the name that the connection's TLS was set up for (SNI); "" without"""
    client: tuple[str, int] | None = None
    certificate: ShownCertificate | None = None
    """of the client, checked in the TLS handshake"""
    secure = False
    http_1_0 = False
    keep_alive = True
    expects_continue = False
    task: asyncio.Task[None] | None = None
    """the one that answers"""
    cancels = False
    departed = False
    """the client has left before the answer was complete"""
    began = False
    complete = False
    write_paused = False
    body_complete = False
    """all of the request's body has come"""
    bodies: BodyBudget | None = None
    """what bodies that don't come at once are held against"""
    held_bytes = 0
    """held there for this request, until it is over"""
    _buffered_bytes = 0
    _waiter: asyncio.Future[None] | None = None
    _successor: Successor | None = None
    _head = b""
    _chunked = False

    def __init__(self, carrier: Carrier, head: RequestHead) -> None:
        """What may be put otherwise than the head has it, such as by a proxy, is here anew."""
        self._carrier = carrier
        self.head = head
        self.method = head.method
        self.path = head.path
        self.raw_path = head.raw_path
        self.query = head.query
        self.headers = head.headers
        self.named = head.named
        self._pieces: list[bytes] = []

    # The request's body.

    def arrived(self) -> bytes | None:
        """The whole body if all of it has come, else None. To be taken once, instead of pieces."""
        if not self.body_complete:
            return None
        pieces = self._pieces
        if not pieces:
            return b""
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._forget_pieces()
        return body

    @property
    def body_taken(self) -> bool:
        """Whether nothing of the body is left to be taken."""
        return self.body_complete and not self._pieces

    async def next_piece(self) -> bytes:
        """More of the body; b"" at its end. Raises ClientLeft."""
        while not self._pieces:
            if self.body_complete:
                return b""
            if self.departed:
                raise ClientLeft
            if self.expects_continue:
                self.expects_continue = False
                self._carrier.send(CONTINUE)
            await self._news()
        pieces = b"".join(self._pieces)
        self._forget_pieces()
        return pieces

    def _forget_pieces(self) -> None:
        self._pieces.clear()
        was_full = self._buffered_bytes > BUFFERED_BYTES_MAX
        self._buffered_bytes = 0
        if was_full and not self.departed:
            self._carrier.go_on_reading()

    def hold(self, count: int) -> None:
        """Count bytes of the body that its reader keeps. Raises ServiceUnavailable."""
        if self.bodies is not None:
            self.bodies.take(count)
            self.held_bytes += count

    # The answer.

    def respond(self, status: int, lines: bytes, body: bytes) -> None:
        """The whole answer at once. `lines` are header lines, each with its CRLF."""
        self._commit()
        head = b"%b%b%b%b%b\r\n" % (
            status_line(status),
            self._carrier.date_line(),
            lines,
            b"" if status in BODYLESS else b"content-length: %d\r\n" % len(body),
            b"" if self.keep_alive else b"connection: close\r\n",
        )
        if not self.departed:
            self._carrier.send(head if self.method == "HEAD" else head + body)
        self._finish()

    def begin(self, status: int, lines: bytes, *, length: int | None = None) -> None:
        """Begin an answer in pieces; the head goes out with the first of them.

        `length` in bytes when it is known beforehand; `lines` must not tell it.
        """
        self._commit()
        framing = b""
        if length is not None:
            framing = b"content-length: %d\r\n" % length
        elif self.http_1_0:
            self.keep_alive = False  # the end of the connection is the end of the answer
        elif self.method != "HEAD" and status not in BODYLESS:
            self._chunked = True
            framing = b"transfer-encoding: chunked\r\n"
        if not self.keep_alive:
            framing += b"connection: close\r\n"
        self._head = b"%b%b%b%b\r\n" % (
            status_line(status),
            self._carrier.date_line(),
            lines,
            framing,
        )

    def _commit(self) -> None:
        self.began = True
        if self.expects_continue:
            self.expects_continue = False
            if not self.body_complete:
                self.keep_alive = False  # nobody asked for the body: it may come or not

    def write(self, data: bytes) -> None:
        """A piece of the answer; an empty one sends what is held back."""
        if self.departed:
            return
        if self.method == "HEAD":
            data = b""
        elif self._chunked and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if self._head:
            data, self._head = self._head + data, b""
        if data:
            self._carrier.send(data)

    def end(self, data: bytes = b"") -> None:
        """The last piece."""
        if not self.departed:
            if self.method == "HEAD":
                data = b""
            elif self._chunked:
                last = b"0\r\n\r\n"
                data = b"%x\r\n%b\r\n%b" % (len(data), data, last) if data else last
            if self._head:
                data, self._head = self._head + data, b""
            if data:
                self._carrier.send(data)
        self._finish()

    def _finish(self) -> None:
        self.complete = True
        self.cancels = False
        self._carrier.answered(self)

    def switch(self, lines: bytes, successor: Successor) -> asyncio.Transport:
        """Answer 101 and let another protocol go on. The request lasts until its handler returns.

        Whatever is answered from now on goes nowhere.
        """
        self._commit()
        self._carrier.send(b"%b%b\r\n" % (status_line(HTTPStatus.SWITCHING_PROTOCOLS), lines))
        self.departed = True
        self._successor = successor
        successor.carrier = self._carrier
        return self._carrier.hand_over(successor)

    async def drain(self) -> None:
        """Wait until the client has caught up, or has left."""
        while self.write_paused and not self.departed:
            await self._news()

    async def departure(self) -> None:
        """Wait until the client has left, or has had its answer."""
        while not (self.departed or self.complete):
            await self._news()

    # The connection's side.

    def end_connection(self) -> None:
        """Let the connection end with the answer, or with what goes on after HTTP."""
        self.keep_alive = False
        if self._successor is not None:
            self._successor.shutdown()

    def take(self, piece: bytes) -> None:
        """Keep a piece of the body, and read no further while there is too much of it."""
        self._pieces.append(piece)
        self._buffered_bytes += len(piece)
        if self._buffered_bytes > BUFFERED_BYTES_MAX:
            self._carrier.stop_reading()
        if self._waiter is not None:
            self.wake()

    def depart(self) -> None:
        """The client has left."""
        if self.complete or self.departed:
            return
        self.departed = True
        if self.cancels and self.task is not None:
            self.task.cancel()
        self.wake()

    def wake(self) -> None:
        """Something is new: let whoever waits look."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def _news(self) -> None:
        """Wait for `wake`. Only one may wait: it is the handler's own task."""
        self._waiter = waiter = asyncio.get_running_loop().create_future()
        try:
            await waiter
        finally:
            self._waiter = None


Handler = Callable[[Exchange], Awaitable[None]]
"""Answers a request. What it raises is a fault of its own; the connection is cut then."""


def status_line(status: int) -> bytes:
    """The first line of an answer. An upstream's status may have no name."""
    return STATUS_LINES.get(status) or b"HTTP/1.1 %d Unknown\r\n" % status


def header_lines(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Headers as they go over the wire. Raises ValueError when one holds a line break."""
    lines = b"".join([b"%b: %b\r\n" % header for header in headers])
    if lines.count(b"\n") != len(headers) or lines.count(b"\r") != len(headers):
        raise ValueError("a header holds a line break")
    return lines

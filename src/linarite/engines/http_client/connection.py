"""One connection: a request goes out in one write, its answer is parsed as it arrives."""

from __future__ import annotations

import asyncio
import math
from typing import Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from linarite.engines.http_client.errors import (
    ConnectionLost,
    DeadlinePassed,
    HttpClientError,
    MalformedReply,
)
from linarite.engines.http_client.response import Response

_OVERHEAD_BYTES_MAX = 64 * 1024
"""bytes that carry no body, in a row: a head, trailers, chunk extensions"""
_SWITCHING_PROTOCOLS = 101
_FIRST_FINAL_STATUS = 200

# How far an exchange is. In order, so that `phase >= _BODY` means that the head is there.
_SENT = 0
"""not a byte of an answer yet"""
_HEAD = 1
_BODY = 2
_REST = 3
"""the rest of the body is read but not kept"""
_DONE = 4

_REST_S = 1.0
"""how long an answer may take to end after its `[DONE]`"""
_JOINED_BODY_BYTES_MAX = 32 * 1024
"""copying up to this much behind the head is cheaper than a second buffer"""


class ConnectionOwner(Protocol):
    """The pool."""

    def freed(self, connection: Connection) -> None:
        """The connection can take another request."""
        ...

    def lost(self, connection: Connection) -> None:
        """The connection is no more."""
        ...


class Connection(asyncio.Protocol):
    """Carries one exchange at a time and gives itself back to its owner in between.

    One timer serves the whole life of the connection. It is armed for the first deadline and, when
    it rings early because deadlines have moved on since, armed again; so a request costs no timer.
    """

    __slots__ = (
        "_body_arrived",
        "_connected",
        "_deadline",
        "_ends_with_connection",
        "_head_only",
        "_idle_keep_s",
        "_idle_s",
        "_loop",
        "_overhead_bytes",
        "_owner",
        "_parser",
        "_phase",
        "_raw_headers",
        "_reading_paused",
        "_response",
        "_reusable",
        "_timer",
        "_timer_at",
        "_transport",
        "has_served",
    )

    def __init__(self, owner: ConnectionOwner, idle_keep_s: float) -> None:
        self._owner = owner
        self._idle_keep_s = idle_keep_s
        self._loop = asyncio.get_running_loop()
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._connected = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._deadline = math.inf
        self._reading_paused = False
        self.has_served = False
        """an exchange has ended well on it; so the peer may by now have let go of it"""
        # Once one of these three is not so any more, the connection is not used again.
        self._reusable = True
        self._head_only = False
        self._ends_with_connection = False
        # These begin anew with each exchange.
        self._response: Response | None = None
        self._phase = _DONE
        self._idle_s = math.inf
        self._raw_headers: list[tuple[bytes, bytes]] = []
        self._body_arrived = False
        self._overhead_bytes = 0

    # The owner's side.

    @property
    def usable(self) -> bool:
        """It is connected and idle."""
        return self._connected and not self._transport.is_closing() and self._response is None

    def exchange(
        self, head: bytes, body: bytes, *, first_byte_s: float, idle_s: float, head_only: bool
    ) -> Response:
        """Send a request and return the answer to come."""
        self._response = response = Response(self, self._loop.create_future())
        self._phase = _SENT
        self._idle_s = idle_s
        self._raw_headers = []
        self._overhead_bytes = 0
        self._head_only = head_only
        self._expect_by(self._loop.time() + first_byte_s)
        transport = self._transport
        if len(body) <= _JOINED_BODY_BYTES_MAX:
            transport.write(head + body)
        else:
            transport.writelines((head, body))
        return response

    def shut(self) -> None:
        """Close at once; the answer under way, if any, ends with ConnectionLost."""
        if self._connected:
            self._transport.abort()

    # The answer's side.

    def abandon(self) -> None:
        """Close at once and forget what is under way."""
        self._response = None
        self.shut()
        self._owner.lost(self)

    def resume(self) -> None:
        """Read on, if reading had stopped for lack of room."""
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()
            self._expect_by(self._loop.time() + self._idle_s)

    def discard_rest(self) -> None:
        """Let the answer end without keeping what still comes."""
        self.resume()
        self._phase = _REST
        self._expect_by(self._loop.time() + _REST_S)

    # The event loop's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._connected = True

    def eof_received(self) -> None:
        """The peer left. An idle connection must not be used in the moment until it is closed."""
        if self._response is None:
            self._owner.lost(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the answer under way; it is whole only if its end is the connection's end."""
        response, self._response = self._response, None
        if response is not None:
            if self._ends_with_connection and exc is None:
                response.complete()
            else:
                response.fail(ConnectionLost(received_any=self._phase != _SENT))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # The parser holds our bound methods; without it the cycle is gone.
        del self._parser
        self._owner.lost(self)

    def data_received(self, data: bytes) -> None:
        """Parse; the parser calls the `on_…` methods below."""
        response = self._response
        if response is None:
            # Nobody asked anything: what comes could only be taken for the next answer.
            self.abandon()
            return
        if self._phase == _SENT:
            self._phase = _HEAD
        self._body_arrived = False
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._fail(MalformedReply(f"The engine's answer is not HTTP/1.1: {error}."))
            return
        if self._phase == _DONE:
            self._end_exchange(response)
        elif self._body_arrived:
            self._overhead_bytes = 0
            if self._phase == _BODY:
                # The timer, which never rings late, is looked at when it rings.
                paused = self._reading_paused
                self._deadline = math.inf if paused else self._loop.time() + self._idle_s
                if self._timer_at > self._deadline:
                    self._expect_by(self._deadline)
            response.wake()
        else:
            self._overhead_bytes += len(data)
            if self._overhead_bytes > _OVERHEAD_BYTES_MAX:
                self._fail(MalformedReply("The head or the framing of the answer is too long."))
            elif self._phase == _BODY:
                response.wake()

    # The parser's side.

    def on_message_begin(self) -> None:
        """A second answer to one request means that the peer is confused."""
        if self._phase == _DONE:
            self._reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, but not a trailer."""
        if self._phase == _HEAD:
            self._raw_headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Hand the head over, unless it belongs to an interim (1xx) answer."""
        response = self._response
        if self._phase != _HEAD or response is None:
            return
        status = self._parser.get_status_code()
        if status < _FIRST_FINAL_STATUS:
            if status == _SWITCHING_PROTOCOLS:
                raise HttpParserError("an upgrade nobody asked for")
            self._raw_headers = []
            return
        self._phase = _BODY
        response.take_head(status, self._raw_headers)
        if not self._parser.should_keep_alive():
            self._reusable = False
            self._ends_with_connection = not any(
                name.lower() in {b"content-length", b"transfer-encoding"}
                for name, _ in self._raw_headers
            )
        if self._head_only:
            # The parser waits for the body that the headers describe; it cannot be used again.
            self._phase = _DONE
            self._reusable = False

    def on_body(self, body: bytes) -> None:
        """Hand over a piece, and stop reading while there is too much of it."""
        self._body_arrived = True
        response = self._response
        if self._phase != _BODY or response is None:
            return
        if response.take_chunk(body) and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """Note the end; an interim answer's end is none."""
        if self._phase >= _BODY:
            self._phase = _DONE

    # Inside.

    def _end_exchange(self, response: Response) -> None:
        self._response = None
        transport = self._transport
        if not self._reusable:
            transport.close()
        elif not transport.is_closing():
            if self._reading_paused:
                self._reading_paused = False
                transport.resume_reading()
            self._expect_by(self._loop.time() + self._idle_keep_s)
            self.has_served = True
            self._owner.freed(self)
        response.complete()

    def _fail(self, failure: HttpClientError) -> None:
        response = self._response
        self.abandon()
        if response is not None:
            response.fail(failure)

    def _expect_by(self, deadline: float) -> None:
        self._deadline = deadline
        if self._timer_at > deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = deadline
            self._timer = self._loop.call_at(deadline, self._look_at_clock)

    def _look_at_clock(self) -> None:
        self._timer = None
        self._timer_at = math.inf
        if self._loop.time() < self._deadline:
            self._expect_by(self._deadline)
        elif self._response is None or self._phase == _REST:
            self.abandon()
        else:
            self._fail(DeadlinePassed(answer_began=self._phase >= _BODY))

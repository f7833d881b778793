"""HTTP/1.1 on one connection: requests are parsed, started one after the other, and bounded."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING, cast

import httptools

from linarite.domain.access_errors import CertificateRefused
from linarite.domain.errors import ServiceUnavailable
from linarite.web.body import LINGER_S
from linarite.web.exchange import Exchange, Successor
from linarite.web.handshake import handshake_of
from linarite.web.quiet import IdleWatch, StallWatch
from linarite.web.refusals import (
    HEAD_BYTES_MAX,
    HEADERS_MAX,
    Malformed,
    ParserStopped,
    fail,
    head_too_large,
    refusal,
)
from linarite.web.repeated_head import HeadMemory
from linarite.web.request_head import head_of, is_too_large
from linarite.web.upgrades import head_without_offer

if TYPE_CHECKING:
    from linarite.domain.errors import LinariteError
    from linarite.web.connections import Connections, Visit
    from linarite.web.handshake import Handshake
    from linarite.web.repeated_head import Repetition
    from linarite.web.request_head import RequestHead

PIPELINED_MAX = 16


class HttpProtocol(asyncio.Protocol):
    """One connection: bounds on heads, silence, connections, pipelines and slow readers.

    What is not HTTP, or too much, is refused in the shape of every other refusal. Only one request
    is answered at a time; those that a client sends ahead wait, and reading with them.
    """

    def __init__(self, shared: Connections, visit: Visit | None = None) -> None:
        """`visit` None: the connection is counted when it is made, for whoever its peer is."""
        self._shared = shared
        self._visit = visit
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._client: tuple[str, int] | None = None
        self.handshake: Handshake | None = None
        self._forwards = False
        """whether what its requests say of their clients is believed"""
        self._requests_left = shared.limits.keep_alive_requests_max or -1
        # The request that is being received.
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._receiving: Exchange | None = None
        self._in_head = True
        self._memory = HeadMemory()
        self._fresh = b""
        """the data that is being parsed, if a head begins with it"""
        self._unread = 0
        """bytes that are still to come of a body whose head was not parsed"""
        self._chunk_bytes = 0
        """of the data that is being parsed"""
        self._framing_bytes = 0
        """of all data since a head began or a piece of a body came, but for the data with that"""
        # The request that is being answered, and those behind it.
        self._answering: Exchange | None = None
        self._pipeline: deque[Exchange] = deque()
        self._reading_stopped = False
        self._write_paused = False
        self._refused = False
        self._silence: asyncio.TimerHandle | None = None
        self._stall: StallWatch | None = None
        self._idle: IdleWatch

    # The event loop's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        shared = self._shared
        self._idle = IdleWatch(self._loop, self._transport, shared.limits.keep_alive_s)
        shared.open.add(self)
        try:
            self._visit = self._visit or shared.visit(transport.get_extra_info("peername"))
            self.handshake = handshake_of(transport, shared.judge)
        except (ServiceUnavailable, CertificateRefused) as refused:
            self._refuse(refused)
            self._transport.close()
            return
        self._client = self._visit.client
        self._forwards = shared.believes(self._client)
        if shared.closing:
            self._transport.close()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whatever it was
        """Forget the connection, and tell the request that is being answered."""
        self._shared.open.discard(self)
        if self._visit is not None:
            self._visit.end()
        self._stop_waiting()
        self._idle.cancel()
        if self._stall is not None:
            self._stall.cancel()
        self._pipeline.clear()
        if self._answering is not None:
            self._answering.depart()
        # The parser holds our bound methods; without it the cycle is gone.
        del self._parser

    def data_received(self, data: bytes) -> None:
        """Parse, and keep an eye on what does not come in one piece."""
        if self._refused:  # TLS goes on delivering what it had read before the connection closed
            return
        self._idle.until = math.inf
        if self._unread:
            data = self._take_unread(data)
        between = not self._in_head and self._receiving is None
        if between and self._answering is None:
            again = self._memory.again(data)
            if again is not None:
                self._begin_again(again, data)
                return
        self._fresh = data if between else b""
        self._chunk_bytes = len(data)
        self._framing_bytes += len(data)
        self._parse(data)
        if self._in_head or self._receiving is not None:
            self._bound_framing()
        if self._in_head or self._answering is None:
            self._await_head()  # blank lines and the rest of a body too: they stop the idle timer

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        self._write_paused = True
        if self._answering is not None:
            self._answering.write_paused = True
        self._stall = StallWatch(self._loop, self._transport)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._write_paused = False
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        if self._answering is not None:
            self._answering.write_paused = False
            self._answering.wake()

    def shutdown(self) -> None:
        """Close as soon as no answer is under way."""
        if self._answering is None:
            self._transport.close()
        else:
            self._answering.end_connection()

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    # The exchanges' side.

    def send(self, data: bytes) -> None:
        """Write to the client, in order."""
        self._transport.write(data)

    def date_line(self) -> bytes:
        """The `date` header of this second."""
        return self._shared.date_line

    def stop_reading(self) -> None:
        """Read nothing more for now."""
        if not self._reading_stopped and not self._transport.is_closing():
            self._reading_stopped = True
            self._transport.pause_reading()

    def go_on_reading(self) -> None:
        """Read again, unless requests wait that came ahead of their turn."""
        if self._reading_stopped and not self._pipeline and not self._transport.is_closing():
            self._reading_stopped = False
            self._transport.resume_reading()

    def hand_over(self, successor: Successor) -> asyncio.Transport:
        """Have another protocol go on with the connection; it tells this one of its end."""
        self._transport.set_protocol(successor)
        if self._shared.closing:
            successor.shutdown()
        return self._transport

    def answered(self, exchange: Exchange) -> None:
        """The answer is complete: on to the next request."""
        if exchange is not self._answering:
            return
        self._answering = None
        if exchange.departed:
            return
        if not exchange.keep_alive or self._shared.closing:
            self._transport.close()
        elif self._pipeline:
            following = self._pipeline.popleft()
            self._start(following)
            self.go_on_reading()
        else:
            self.go_on_reading()
            self._idle.begin()

    # The parser's side.

    def on_message_begin(self) -> None:
        """A new head begins."""
        self._in_head = True
        self._url = b""
        self._headers = []
        self._framing_bytes = 0

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header of the head, or of the trailers: those are counted, and nobody sees them."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is whole. Raises ParserStopped."""
        large = self._framing_bytes or self._chunk_bytes > HEAD_BYTES_MAX
        if is_too_large(self._url, self._headers, may_be_long=bool(large)):
            self._refuse(head_too_large())
            raise ParserStopped
        if self._parser.should_upgrade():
            return  # and comes again without its offer
        self._framing_bytes = 0
        exchange = self._parsed()
        self._receiving = exchange
        self._headers = []  # the exchange has them; trailers are none of its headers
        self._in_head = False
        self._stop_waiting()
        if self._answering is None:
            self._start(exchange)
            return
        self.stop_reading()
        self._pipeline.append(exchange)
        if len(self._pipeline) > PIPELINED_MAX:
            self._refuse(ServiceUnavailable("too many requests wait on one connection"))

    def on_body(self, body: bytes) -> None:
        """A piece of the body; of one that was refused, nothing is kept."""
        self._framing_bytes = 0
        exchange = self._receiving
        if exchange is not None and not exchange.complete:
            exchange.take(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        exchange, self._receiving = self._receiving, None
        if exchange is not None and not exchange.complete:
            exchange.body_complete = True
            exchange.wake()

    # Inside.

    def _parsed(self) -> Exchange:
        """The request whose head is whole."""
        parser = self._parser
        head = head_of(parser.get_method(), self._url, self._headers)
        exchange = self._exchange(head)
        if not parser.should_keep_alive() or parser.get_http_version() == "1.0":
            exchange.http_1_0 = parser.get_http_version() == "1.0"
            exchange.keep_alive = False
        elif self._fresh:
            self._memory.keep(head, self._fresh)
        self._fresh = b""
        if exchange.named.get(b"expect", b"").lower() == b"100-continue":
            exchange.expects_continue = not exchange.http_1_0
        return exchange

    def _exchange(self, head: RequestHead) -> Exchange:
        exchange = Exchange(self, head)
        exchange.client = self._client
        if self.handshake is not None:
            self.handshake.tell(exchange)
        self._shared.tell(exchange, forwards=self._forwards)
        self._requests_left -= 1
        if self._requests_left == 0:
            exchange.keep_alive = False
        return exchange

    def _begin_again(self, again: Repetition, data: bytes) -> None:
        """Start a request whose head is known, with as much of its body as has come."""
        self._receiving = exchange = self._exchange(again.head)
        self._unread = again.body_bytes
        self._stop_waiting()
        self._start(exchange)
        rest = self._take_unread(data[again.body_at :])
        if rest:  # what was sent ahead
            self.data_received(rest)

    def _take_unread(self, data: bytes) -> bytes:
        """Take what belongs to the body, and give back what comes after it."""
        body = data[: self._unread]
        if body:
            self._unread -= len(body)
            self.on_body(body)
        if not self._unread:
            self.on_message_complete()
        return data[len(body) :]

    def _start(self, exchange: Exchange) -> None:
        self._answering = exchange
        if self._write_paused:
            exchange.write_paused = True
        exchange.task = self._loop.create_task(self._answer(exchange))
        self._shared.running.add(exchange)

    async def _answer(self, exchange: Exchange) -> None:
        """Have the request answered; whatever happens, it is over then."""
        try:
            await self._shared.handler(exchange)
        except Exception as problem:  # noqa: BLE001 - nothing may escape
            fail(exchange, problem)
        finally:
            self._shared.running.discard(exchange)
            if exchange.held_bytes:
                self._shared.bodies.give_back(exchange.held_bytes)
            exchange.task = None
            if not exchange.complete and not exchange.departed:
                self._transport.close()

    def _parse(self, data: bytes) -> None:
        while data and not self._refused:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                data = self._without_offer() + data[offer.args[0] :]
            except httptools.HttpParserError:
                self._refuse(Malformed("Invalid HTTP request received.", code="BadRequest"))
            else:
                return

    def _without_offer(self) -> bytes:
        """The same head without its offer to change to another protocol, to be parsed again."""
        parser, self._parser = self._parser, httptools.HttpRequestParser(self)
        if parser.get_method() == b"CONNECT":  # asks for nothing but that
            self._refuse(Malformed("Invalid HTTP request received.", code="BadRequest"))
        return head_without_offer(parser, self._url, self._headers)

    def _bound_framing(self) -> None:
        """Heads are bounded while they come; chunk sizes and trailers are what heads are."""
        trailers = 0 if self._in_head else len(self._headers)
        if self._framing_bytes > HEAD_BYTES_MAX or trailers > HEADERS_MAX:
            self._refuse(head_too_large())

    def _await_head(self) -> None:
        """Wait for a whole head, from the first sign of one: what trickles in gains no time."""
        if self._silence is None and not self._refused:
            self._silence = self._loop.call_later(self._shared.limits.head_s, self._too_silent)

    def _too_silent(self) -> None:
        self._silence = None
        if self._answering is not None:
            self._await_head()  # half a request behind a long answer may wait for the answer
        else:
            self._transport.close()

    def _stop_waiting(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _refuse(self, error: LinariteError) -> None:
        """Answer and close, soon. What is still coming is not read, so the client hears of it.

        Only close while an answer is under way: nothing can be said in the middle of it, and what
        is said before it would be taken for it; and when what is bad is the body of a request that
        has had its answer, for the client would take a second one for the next request's.
        """
        if self._refused or self._transport.is_closing():
            return
        self._refused = True
        self._stop_waiting()
        self._idle.until = math.inf
        answering = self._answering
        if answering is not None:
            answering.depart()
        if self._receiving is not answering or (answering is not None and answering.began):
            self._transport.close()
            return
        self._transport.write(refusal(error, self._shared.date_line))
        # Closing at once, with data unread, would reset the connection under the answer.
        self._silence = self._loop.call_later(LINGER_S, self._transport.close)

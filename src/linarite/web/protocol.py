"""HTTP/1.1 on one connection: uvicorn's protocol, with bounds it does not have."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from linarite.domain.errors import GatewayError, ServiceUnavailable
from linarite.web.body import ARRIVED, LINGER_S
from linarite.web.cycle import Cycle
from linarite.web.error_envelope import error_body

if TYPE_CHECKING:
    from linarite.domain.errors import LinariteError

HEAD_BYTES_MAX = 64 * 1024
HEADERS_MAX = 100
HEAD_DEADLINE_S = 30.0
PIPELINED_MAX = 16
STALL_S = 60.0
"""a client that takes nothing of its answer for this long has gone, or never meant to read it"""

_UPGRADE_TO_HTTP2 = re.compile(rb"\r\nupgrade(?=:[ \t]*h2c)", re.IGNORECASE)


class ParserStopped(Exception):
    """Raised into the parser by its callbacks: what follows is not to be parsed as it stands."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds on heads, silence, connections, pipelines and slow readers.

    What is not HTTP, or too much, is refused in the shape of every other refusal.
    """

    app: Any
    connections_max = 10_000
    _in_head = True
    _chunk = b""
    """the data that is being parsed"""
    _head_chunks = 0
    """earlier data that the head, not yet whole, came in"""
    _head_bytes = 0
    """of that data, but for the first, which also holds what was before the head"""
    _without_upgrade = b""
    """the same data without an offer to change to HTTP/2: to be parsed instead"""
    _answering: Any = None
    """the cycle whose answer is on the wire; `cycle` is the newest, which may wait behind it"""
    _refused = False
    _silence: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn narrows it too
        """Take the connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.connections_max:
            most = f"{self.connections_max} connections are open: server.connections_max"
            self._refuse(ServiceUnavailable(most))
            transport.close()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        if self._stall is not None:
            self._stall.cancel()
        self._disconnect()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and keep an eye on what does not come in one piece."""
        if self._refused:  # TLS goes on delivering what it had read before the connection closed
            return
        self._unset_keepalive_if_required()
        self._chunk = data
        self._parse(data)
        if self._in_head:
            self._wait_for_more_head()
        elif self.cycle and self.cycle.response_complete:
            self._await_head()  # blank lines, or the rest of a body: they stopped the idle timer
        elif len(self.headers) > HEADERS_MAX:  # the trailers of a chunked body
            self._refuse(_head_too_large())

    def on_message_begin(self) -> None:
        """A new head begins."""
        self._in_head = True
        self._head_chunks = 0
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole. Raises ParserStopped."""
        large = self._head_chunks or len(self._chunk) > HEAD_BYTES_MAX
        if len(self.headers) > HEADERS_MAX or (large and self._head_size() > HEAD_BYTES_MAX):
            self._refuse(_head_too_large())
            raise ParserStopped
        if self.parser.should_upgrade():
            self._decline_http2()
        self._begin_cycle()
        self._in_head = False
        self._stop_waiting()
        if len(self.pipeline) > PIPELINED_MAX:
            self._refuse(ServiceUnavailable("too many requests wait on one connection"))

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:  # noqa: ANN401 - uvicorn's own
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _disconnect(self) -> None:
        """Tell the application that is answering; uvicorn would tell the newest request's only."""
        cycle = self._answering
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()

    def _begin_cycle(self) -> None:
        """Start to answer, or queue behind the answer under way: uvicorn's, with our own cycle."""
        version = self.parser.get_http_version()
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        scope: Any = self.scope
        scope["http_version"] = version
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = url.path
        scope["query_string"] = url.query or b""
        before: Any = self.cycle
        self.cycle = cycle = Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        scope["extensions"] = {ARRIVED: cycle.take_arrived_body}
        if before is None or before.response_complete:
            self._start_asgi_task(cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            if not self._without_upgrade:
                self._refuse(_Malformed("Invalid HTTP request received.", code="BadRequest"))
                return
            data, self._without_upgrade = self._without_upgrade, b""
            self.parser = httptools.HttpRequestParser(self)
            self._parse(data)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            else:  # answered as a plain request; after it the parser understands nothing more
                self.cycle.keep_alive = False

    def _decline_http2(self) -> None:
        """Have the request parsed as if it had not offered to change to HTTP/2.

        An offer may be ignored, but the parser then takes the body for the other protocol's.
        Java's own client makes this offer with every plain request. Raises ParserStopped.
        """
        whole = not self._head_chunks and (not self.cycle or self.cycle.response_complete)
        if whole and _UPGRADE_TO_HTTP2.search(self._chunk):
            self._without_upgrade = _UPGRADE_TO_HTTP2.sub(b"\r\nx-upgrade", self._chunk, 1)
            raise ParserStopped

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        super().pause_writing()
        self._stall = self.loop.call_later(STALL_S, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        super().resume_writing()

    def _wait_for_more_head(self) -> None:
        self._head_chunks += 1
        if self._head_chunks > 1:
            self._head_bytes += len(self._chunk)
        if self._head_bytes > HEAD_BYTES_MAX:
            self._refuse(_head_too_large())
        self._await_head()

    def _await_head(self) -> None:
        """Wait for a whole head, from the first sign of one: what trickles in gains no time."""
        if self._silence is None and not self._refused:
            self._silence = self.loop.call_later(HEAD_DEADLINE_S, self._too_silent)

    def _too_silent(self) -> None:
        self._silence = None
        if self._is_answering():
            self._await_head()  # half a request behind a long answer may wait for the answer
        else:
            self.transport.close()

    def _is_answering(self) -> bool:
        return self._answering is not None and not self._answering.response_complete

    def _stop_waiting(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _refuse(self, error: LinariteError) -> None:
        """Answer and close, soon. What is still coming is not read, so the client hears of it.

        Only close while an answer is under way: nothing can be said in the middle of it, and what
        is said before it would be taken for it.
        """
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self._stop_waiting()
        own_body = not self._in_head and self.cycle is self._answering
        if self._is_answering() and (not own_body or self._answering.response_started):
            self._disconnect()
            self.transport.close()
            return
        self._disconnect()
        body = error_body(error)
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
            *((name.encode(), value.encode()) for name, value in error.headers.items()),
        ]
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        status = b"HTTP/1.1 %d %s\r\n" % (error.status, _REASONS[error.status])
        self.transport.write(status + lines + b"\r\n" + body)
        # Closing at once, with data unread, would reset the connection under the answer.
        self._silence = self.loop.call_later(LINGER_S, self.transport.close)


class _Malformed(GatewayError):
    """What came is not HTTP."""

    status = 400


class _HeadTooLarge(GatewayError):
    """More header bytes, or more headers, than are read."""

    status = 431


def _head_too_large() -> _HeadTooLarge:
    return _HeadTooLarge(
        f"The request's headers are too large: at most {HEAD_BYTES_MAX} bytes and {HEADERS_MAX} "
        "headers are read.",
        code="431",
    )


_REASONS = {
    400: b"Bad Request",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}

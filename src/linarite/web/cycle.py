"""One request and its answer on a connection: uvicorn's cycle, sending at a third of the cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

if TYPE_CHECKING:
    from linarite.web.asgi import HeaderList

_BODYLESS = frozenset((204, 304))


class Cycle(RequestResponseCycle):
    """As uvicorn's, for applications that send header names in lower case.

    uvicorn looks at every header with two regular expressions; here one count over the whole head
    finds a line break smuggled into any of them.
    """

    _held_head = b""

    def take_arrived_body(self) -> bytes | None:
        """The body, if all of it has come and none has been taken; it need not be received then.

        What `receive` gives afterwards is the client's leaving.
        """
        if self.more_body or self.disconnected or self.response_started:
            return None
        self.waiting_for_100_continue = False
        body = bytes(self.body)
        self.body = bytearray()
        self.message_event.clear()
        self.flow.resume_reading()
        return body

    async def send(self, message: Any) -> None:  # noqa: ANN401 - any of ASGI's messages
        """ASGI's send. Raises RuntimeError for messages that are wrong or come out of order."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        kind = message["type"]
        if not self.response_started and kind == "http.response.start":
            self._send_head(message["status"], message.get("headers", []))
        elif self.response_started and not self.response_complete and kind == "http.response.body":
            self._send_body(message.get("body", b""), more=message.get("more_body", False))
        else:
            raise RuntimeError(f"'{kind}' was sent out of order")

    def _send_head(self, status: int, headers: HeaderList) -> None:
        self.response_started = True
        self.waiting_for_100_continue = False
        headers = self.default_headers + headers
        by_name = dict(headers)
        length = by_name.get(b"content-length")
        self.chunked_encoding = False
        if length is not None:
            self.expected_content_length = int(length)
        elif self.scope["method"] != "HEAD" and status not in _BODYLESS:
            self.chunked_encoding = True
            headers.append((b"transfer-encoding", b"chunked"))
        if b"close" in by_name.get(b"connection", b"").lower():
            self.keep_alive = False
        elif not self.keep_alive:
            headers.append((b"connection", b"close"))
        lines = b"".join([b"%b: %b\r\n" % header for header in headers])
        if lines.count(b"\n") != len(headers) or lines.count(b"\r") != len(headers):
            raise RuntimeError("a header holds a line break")
        head = STATUS_LINE[status] + lines + b"\r\n"
        if self.expected_content_length and self.scope["method"] != "HEAD":
            self._held_head = head  # its body follows at once: one write for both
        else:
            self.transport.write(head)

    def _send_body(self, body: bytes, *, more: bool) -> None:
        if self.chunked_encoding:
            framed = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            self.transport.write(framed if more else framed + b"0\r\n\r\n")
        elif self.scope["method"] == "HEAD":
            self.expected_content_length = 0
        else:
            self.expected_content_length -= len(body)
            if self.expected_content_length < 0:
                raise RuntimeError("the body is longer than its content-length")
            self.transport.write(self._held_head + body)
            self._held_head = b""
        if more:
            return
        if self.expected_content_length:
            raise RuntimeError("the body is shorter than its content-length")
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

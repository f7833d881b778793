"""ASGI: the shapes of its interface, and the bridge from our server to its applications."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from linarite.web.exchange import ClientLeft, header_lines

if TYPE_CHECKING:
    from linarite.web.exchange import Exchange, Handler

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
HeaderList = list[tuple[bytes, bytes]]


def handler_of(app: App) -> Handler:
    """A handler that answers with an ASGI application."""

    async def handle(exchange: Exchange) -> None:
        bridge = Bridge(exchange)
        await app(bridge.scope(), bridge.receive, bridge.send)

    return handle


class Bridge:
    """One request as ASGI tells it. Header names that are sent must be in lower case."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._ended = False
        """the end of the body has been told"""

    def scope(self) -> Scope:
        """The `http` scope."""
        exchange = self._exchange
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.0" if exchange.http_1_0 else "1.1",
            "method": exchange.method,
            "scheme": "https" if exchange.secure else "http",
            "path": exchange.path,
            "raw_path": exchange.raw_path,
            "query_string": exchange.query,
            "root_path": "",
            "headers": exchange.headers,
            "client": exchange.client,
            "server": None,
            "state": {},
        }

    async def receive(self) -> Message:
        """The body in pieces, then, once the client has left or has its answer, a disconnect."""
        exchange = self._exchange
        try:
            if not self._ended:
                body = await exchange.next_piece()
                self._ended = exchange.body_taken
                return {"type": "http.request", "body": body, "more_body": not self._ended}
            await exchange.departure()
        except ClientLeft:
            pass
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """ASGI's send. Raises RuntimeError for messages out of order, ValueError for headers."""
        exchange = self._exchange
        if exchange.write_paused:
            await exchange.drain()
        kind = message["type"]
        if kind == "http.response.start" and not exchange.began:
            self._begin(message["status"], list(message.get("headers", [])))
        elif kind == "http.response.body" and exchange.began and not exchange.complete:
            body: bytes = message.get("body", b"")
            if message.get("more_body", False):
                exchange.write(body)
            else:
                exchange.end(body)
        else:
            raise RuntimeError(f"'{kind}' was sent out of order")

    def _begin(self, status: int, headers: HeaderList) -> None:
        length: int | None = None
        kept: HeaderList = []
        for name, value in headers:
            if name == b"content-length":
                length = int(value)
            elif name == b"connection":
                self._exchange.keep_alive &= b"close" not in value.lower()
            elif name != b"transfer-encoding":
                kept.append((name, value))
        self._exchange.begin(status, header_lines(kept), length=length)

"""A turn of a WebSocket, as the data plane knows requests: what it answers goes out as messages."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.web.exchange import Exchange
from linarite.web.request_head import RequestHead

if TYPE_CHECKING:
    from linarite.web.sockets.socket import Socket

HANDSHAKE = frozenset(
    (
        b"connection",
        b"content-length",
        b"content-type",
        b"sec-websocket-extensions",
        b"sec-websocket-key",
        b"sec-websocket-protocol",
        b"sec-websocket-version",
        b"transfer-encoding",
        b"upgrade",
    )
)
"""headers of the handshake that say nothing about turns"""
DATA = b"\ndata: "
TOLD_HEADERS = frozenset((b"retry-after", b"retry-after-ms", b"apim-request-id"))


class Turn(Exchange):
    """One turn. What the handshake said of its client holds for it."""

    failed = False
    refused_with = 0
    """the status of a refusal; 0 for an answer that has begun"""

    def __init__(self, websocket: Socket, opened: Exchange, body: bytes, lane: str | None) -> None:
        """`opened` is the handshake; `lane` is what each event repeats as `stream_id`."""
        headers = [each for each in opened.headers if each[0] not in HANDSHAKE]
        target = (opened.path, opened.raw_path, opened.query)
        headers.append((b"content-type", b"application/json"))
        super().__init__(websocket.carrier, RequestHead("POST", target, headers))
        self.arrival = opened.arrival
        self.site = opened.site
        self.server_name = opened.server_name
        self.client = opened.client
        self.certificate = opened.certificate
        self.secure = opened.secure
        self.write_paused = websocket.write_paused
        self.body_complete = True
        self._pieces = [body]
        self._socket = websocket
        self._lane = b"" if lane is None else b',"stream_id":%b}' % msgspec.json.encode(lane)

    def respond(self, status: int, lines: bytes, body: bytes) -> None:
        """A refusal: what is not refused is streamed."""
        self.began = True
        self.failed = True
        self.refused_with = status
        self._tell(msgspec.json.encode(refusal_event(status, lines, body)))
        self._finish()

    def begin(self, status: int, lines: bytes, *, length: int | None = None) -> None:
        """Messages have no head."""
        del status, lines, length
        self.began = True

    def write(self, data: bytes) -> None:
        """Each event of a piece as a message of its own."""
        for frame in data.split(b"\n\n"):
            name, found, event = frame.partition(DATA)
            if found:
                self.failed = self.failed or name in FAILURES
                self._tell(event)

    def end(self, data: bytes = b"") -> None:
        """The last events."""
        self.write(data)
        self._finish()

    def _tell(self, event: bytes) -> None:
        if not self.departed:
            self._socket.send(event[:-1] + self._lane if self._lane else event)


FAILURES = frozenset((b"event: error", b"event: response.failed"))


def refusal_event(status: int, lines: bytes, body: bytes) -> dict[str, Any]:
    """A refusal over HTTP as an event, with the headers that say when it may go better."""
    error: dict[str, Any] = msgspec.json.decode(body).get("error") or {}
    told: dict[str, Any] = {"type": error_type(status)} | error
    told.setdefault("message", HTTPStatus(status).phrase)
    told.setdefault("param", None)
    headers = dict(each.split(b": ", 1) for each in lines.split(b"\r\n") if b": " in each)
    worth = {
        name.decode(): value.decode("latin-1")
        for name, value in headers.items()
        if name in TOLD_HEADERS
    }
    if worth:
        told["headers"] = worth
    return {"type": "error", "status": status, "error": told}


def error_type(status: int) -> str:
    """What kind of error a status is, where the refusal does not say."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "too_many_requests"
    return "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"

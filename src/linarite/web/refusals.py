"""Answers of the server itself: to what never became a request, and to what failed unforeseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from linarite.domain.errors import ConnectionDropped, GatewayError, InternalError
from linarite.web.error_envelope import error_body
from linarite.web.exchange import header_lines, status_line
from linarite.web.ids import new_guid

if TYPE_CHECKING:
    from linarite.domain.errors import LinariteError
    from linarite.web.exchange import Exchange

log = structlog.get_logger("linarite.web")

HEAD_BYTES_MAX = 64 * 1024
HEADERS_MAX = 100


def fail(exchange: Exchange, problem: Exception) -> None:
    """Log what escaped, and say so to the client unless its answer has begun.

    Nothing is said of ConnectionDropped: the connection's end is the answer.
    """
    if isinstance(problem, ConnectionDropped):
        return
    request_id = new_guid()
    log.error("request failed", path=exchange.path, request_id=request_id, exc_info=problem)
    if not exchange.began:
        lines = b"content-type: application/json\r\napim-request-id: %b\r\n" % request_id.encode()
        exchange.respond(500, lines, error_body(InternalError(request_id)))


def refusal(error: LinariteError, date_line: bytes) -> bytes:
    """A whole answer for what never became a request."""
    body = error_body(error)
    request_id = new_guid().encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
        (b"apim-request-id", request_id),
        (b"x-request-id", request_id),
        *((name.encode(), value.encode()) for name, value in error.headers.items()),
    ]
    head = status_line(error.status) + date_line + header_lines(headers)
    return head + b"\r\n" + body


class ParserStopped(Exception):
    """Raised into the parser by its callbacks: what follows is not to be parsed as it stands."""


class Malformed(GatewayError):
    """What came is not HTTP."""

    status = 400


class HeadTooLarge(GatewayError):
    """More header bytes, or more headers, than are read."""

    status = 431


def head_too_large() -> HeadTooLarge:
    """The refusal of such a head."""
    return HeadTooLarge(
        f"The request's headers are too large: at most {HEAD_BYTES_MAX} bytes and {HEADERS_MAX} "
        "headers are read.",
        code="431",
    )

"""Offers of clients to go on with another protocol than HTTP (RFC 9110, 7.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.web.exchange import header_lines

if TYPE_CHECKING:
    import httptools

    from linarite.web.asgi import HeaderList

WEBSOCKET = b"websocket"


def head_without_offer(
    parser: httptools.HttpRequestParser, url: bytes, headers: HeaderList
) -> bytes:
    """A head to be parsed again, as one that offers nothing: an offer may be ignored.

    With the offer the parser takes the body for the other protocol's. Java's own client offers
    HTTP/2 with every plain request. Whoever offers a WebSocket is seen to do so by `Upgrade`, which
    without `Connection` means nothing to the parser.
    """
    line = b"%b %b HTTP/%b\r\n" % (parser.get_method(), url, parser.get_http_version().encode())
    dropped = b"connection" if (b"upgrade", WEBSOCKET) in lowered(headers) else b"upgrade"
    return line + header_lines([each for each in headers if each[0] != dropped]) + b"\r\n"


def lowered(headers: HeaderList) -> HeaderList:
    """The same with values in lower case."""
    return [(name, value.lower()) for name, value in headers]

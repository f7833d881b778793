"""The opening handshake of a WebSocket, as RFC 6455 has it in section 4.2."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING

from linarite.domain.errors import GatewayError
from linarite.web.upgrades import WEBSOCKET

if TYPE_CHECKING:
    from linarite.web.exchange import Exchange

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY_BYTES = 16
VERSION = b"13"


class NoSuchWebSocket(GatewayError):
    """An offer that is not as it must be."""

    control = "request"
    status = 400
    code = "BadRequest"


class WebSocketVersion(GatewayError):
    """An offer of another version of the protocol."""

    control = "request"
    status = 426
    code = "UpgradeRequired"

    def __init__(self) -> None:
        """Say which one is spoken."""
        super().__init__(
            "This server speaks version 13 of the WebSocket protocol.",
            headers={"sec-websocket-version": VERSION.decode(), "upgrade": WEBSOCKET.decode()},
        )


def offers_socket(exchange: Exchange) -> bool:
    """Whether a request, which must be a GET, would rather go on as a WebSocket."""
    return exchange.named.get(b"upgrade", b"").lower() == WEBSOCKET


def accepting_lines(exchange: Exchange) -> bytes:
    """The header lines that take an offer. Raises NoSuchWebSocket, WebSocketVersion.

    No extension is taken: what is compressed could be of any size when it is read.
    """
    if exchange.named.get(b"sec-websocket-version") != VERSION:
        raise WebSocketVersion
    key = exchange.named.get(b"sec-websocket-key", b"")
    if exchange.http_1_0 or not _is_key(key):
        raise NoSuchWebSocket("The WebSocket handshake is not valid: check 'Sec-WebSocket-Key'.")
    accepted = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
    return b"upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: %b\r\n" % accepted


def _is_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False

"""What a TLS handshake has told, for all requests of its connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.client_certificate import ShownCertificate
from linarite.web.client_certificates import shown_certificate

if TYPE_CHECKING:
    import asyncio
    import ssl

    from linarite.web.exchange import Exchange

NAME = "name_asked_for"
"""the attribute of a TLS connection that keeps the name: the library forgets it"""


class Handshake(msgspec.Struct, frozen=True):
    """What is known by it."""

    server_name: str = ""
    """the host that the client asked for (SNI), in lower case"""
    certificate: ShownCertificate | None = None

    def tell(self, exchange: Exchange) -> None:
        """Put it on a request."""
        exchange.secure = True
        if self.server_name:
            exchange.server_name = self.server_name
        if self.certificate is not None:
            exchange.certificate = self.certificate


PLAIN_TLS = Handshake()
"""of most connections by address: all share it"""


def handshake_of(transport: asyncio.BaseTransport, *, asked: bool) -> Handshake | None:
    """What a connection's handshake has told; None without TLS. `asked`: for a certificate."""
    connection: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    if connection is None:
        return None
    certificate = shown_certificate(connection) if asked else None
    name: str = getattr(connection, NAME, "")
    return Handshake(name, certificate) if name or certificate is not None else PLAIN_TLS


def remember_name(connection: ssl.SSLObject | ssl.SSLSocket, name: str) -> None:
    """Keep the name that a client asks for, while the handshake goes on."""
    setattr(connection, NAME, name)

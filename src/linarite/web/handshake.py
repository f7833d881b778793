"""What a TLS handshake has told, for all requests of its connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from linarite.domain.access_errors import CertificateRefused
from linarite.web.client_certificates import ClientChain

if TYPE_CHECKING:
    import asyncio
    import ssl

    from linarite.web.exchange import Exchange

NAME = "name_asked_for"
"""the attribute of a TLS connection that keeps the name: the library forgets it"""


class ClientJudge(Protocol):
    """Judges what clients have shown, by the authorities and lists of this moment."""

    def look(self) -> None:
        """Read what has changed."""
        ...

    def chain(self, connection: ssl.SSLObject) -> ClientChain | None:
        """What a handshake has verified; None where nothing was shown."""
        ...

    def ended(self, chain: ClientChain) -> str:
        """Why a connection that was begun with it may not go on; "" where it may."""
        ...


class Handshake(msgspec.Struct, frozen=True):
    """What is known by it."""

    server_name: str = ""
    """the host that the client asked for (SNI), in lower case"""
    chain: ClientChain | None = None
    """of the client's certificate"""

    def tell(self, exchange: Exchange) -> None:
        """Put it on a request."""
        exchange.secure = True
        if self.server_name:
            exchange.server_name = self.server_name
        if self.chain is not None:
            exchange.certificate = self.chain.shown


PLAIN_TLS = Handshake()
"""of most connections by address: all share it"""


def handshake_of(transport: asyncio.BaseTransport, judge: ClientJudge | None) -> Handshake | None:
    """What a connection's handshake has told; None without TLS.

    `judge` None: no certificate was asked for. Raises CertificateRefused for one that holds no
    more: a session that is taken up again was verified when it was begun.
    """
    connection: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    if connection is None:
        return None
    name: str = getattr(connection, NAME, "")
    chain = judge.chain(connection) if judge is not None else None
    if chain is None or judge is None:
        return Handshake(name) if name else PLAIN_TLS
    if ended := judge.ended(chain):
        raise CertificateRefused(ended)
    return Handshake(name, chain)


def remember_name(connection: ssl.SSLObject | ssl.SSLSocket, name: str) -> None:
    """Keep the name that a client asks for, while the handshake goes on."""
    setattr(connection, NAME, name)

"""The open connections of one listener, and what they have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from linarite.domain.arrival import ANY_WAY
from linarite.domain.errors import ServiceUnavailable
from linarite.web.addresses import PlaceCounts, Ranges, peer_of, place_of
from linarite.web.body_budget import BodyBudget
from linarite.web.forwarded import apply_forwarded

if TYPE_CHECKING:
    import asyncio

    from linarite.domain.arrival import Arrival
    from linarite.web.exchange import Exchange, Handler
    from linarite.web.handshake import ClientJudge
    from linarite.web.options import ConnectionLimits
    from linarite.web.protocol import HttpProtocol

log = structlog.get_logger("linarite.web")


class Connections:
    """What the connections of one listener have in common."""

    def __init__(
        self,
        handler: Handler,
        limits: ConnectionLimits,
        arrival: Arrival = ANY_WAY,
        section: str = "server",
    ) -> None:
        """`section` has the settings: `server`, or `listeners.NAME`. Raises SetupError."""
        self.handler = handler
        self.arrival = arrival
        self.limits = limits
        self.section = section
        self.trusted = Ranges(limits.trusted_proxies, f"{section}.trusted_proxies")
        self.judge: ClientJudge | None = None
        """judges what clients show; None: they are not asked for certificates"""
        self.held = 0
        """connections, those included that are in a handshake"""
        self.open: set[HttpProtocol] = set()
        self.running: set[Exchange] = set()
        """requests that are being answered, and those whose clients have left"""
        self.bodies = BodyBudget(limits.bodies_bytes_max, f"{section}.bodies_bytes_max")
        self.date_line = b""
        self.closing = False
        self._counts = PlaceCounts()

    def enter(self) -> Visit:
        """Count a connection. Raises ServiceUnavailable when there are as many as may be."""
        if self.held >= self.limits.connections_max:
            raise ServiceUnavailable(
                f"{self.limits.connections_max} connections are open: "
                f"{self.section}.connections_max"
            )
        self.held += 1
        return Visit(self)

    def visit(self, peername: object) -> Visit:
        """Count a connection of a socket's peer. Raises ServiceUnavailable, nothing counted."""
        visit = self.enter()
        try:
            visit.belong_to(peer_of(peername))
        except ServiceUnavailable:
            visit.end()
            raise
        return visit

    def enter_place(self, address: str | None) -> str:
        """Count a connection of a client; "" of whom none are counted.

        Raises ServiceUnavailable when that client has as many as one may have.
        """
        most = self.limits.connections_per_address_max
        if not most or address is None or (self.trusted and address in self.trusted):
            return ""
        place = place_of(address)
        if not self._counts.enter(place, most):
            raise ServiceUnavailable(
                f"{most} connections of {place} are open: "
                f"{self.section}.connections_per_address_max"
            )
        return place

    def believes(self, client: tuple[str, int] | None) -> bool:
        """Whether requests of a connection's client may tell for whom they are forwarded.

        Of whom a PROXY header names no address, nothing is known.
        """
        if not self.trusted or (client is None and self.limits.proxy_protocol):
            return False
        return self.trusted.trusts(client[0] if client is not None else None)

    def tell(self, exchange: Exchange, *, forwards: bool) -> None:
        """Tell a request by which way it came, and for whom it is forwarded if that is believed."""
        exchange.bodies = self.bodies
        if self.arrival is not ANY_WAY:
            exchange.arrival = self.arrival
        if forwards:
            apply_forwarded(exchange, self.trusted)

    def leave(self, place: str) -> None:
        """A connection has gone."""
        self.held -= 1
        if place:
            self._counts.leave(place)

    def end_those_refused(self) -> None:
        """Cut connections whose client's certificate has ended, or is revoked by now.

        What is being answered ends with them.
        """
        if self.judge is None:
            return
        self.judge.look()
        for connection in list(self.open):
            handshake = connection.handshake
            if handshake is None or handshake.chain is None:
                continue
            if reason := self.judge.ended(handshake.chain):
                log.info(
                    "connection ended with its client's certificate",
                    listener=self.arrival.listener,
                    reason=reason,
                    thumbprint=handshake.chain.shown.thumbprint,
                    subject=handshake.chain.shown.subject,
                )
                connection.abort()

    def tasks(self) -> set[asyncio.Task[None]]:
        """The tasks that answer requests now."""
        return {exchange.task for exchange in self.running if exchange.task is not None}


class Visit:
    """One connection's place in the counts, and whose it is."""

    __slots__ = ("_place", "_shared", "client")

    def __init__(self, shared: Connections) -> None:
        self._shared: Connections | None = shared
        self._place = ""
        self.client: tuple[str, int] | None = None

    def belong_to(self, client: tuple[str, int] | None) -> None:
        """Say whose it is. Raises ServiceUnavailable when that one has too many."""
        self.client = client
        if self._shared is not None:
            self._place = self._shared.enter_place(client[0] if client is not None else None)

    def end(self) -> None:
        """Give the place back; a second time is nothing."""
        if self._shared is not None:
            self._shared.leave(self._place)
            self._shared = None

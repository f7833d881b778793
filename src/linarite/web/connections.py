"""The open connections of one listener, and what they have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.arrival import ANY_WAY

if TYPE_CHECKING:
    import asyncio

    from linarite.domain.arrival import Arrival
    from linarite.web.exchange import Exchange, Handler
    from linarite.web.protocol import HttpProtocol


class Connections:
    """What the connections of one listener have in common."""

    def __init__(
        self,
        handler: Handler,
        *,
        connections_max: int,
        keep_alive_s: float,
        arrival: Arrival = ANY_WAY,
    ) -> None:
        self.handler = handler
        self.arrival = arrival
        self.connections_max = connections_max
        self.keep_alive_s = keep_alive_s
        self.open: set[HttpProtocol] = set()
        self.running: set[Exchange] = set()
        """requests that are being answered, and those whose clients have left"""
        self.date_line = b""
        self.closing = False

    def tasks(self) -> set[asyncio.Task[None]]:
        """The tasks that answer requests now."""
        return {exchange.task for exchange in self.running if exchange.task is not None}

"""A connection for exchanges that nobody answers over a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from linarite.web.exchange import Exchange, Successor


class Silent:
    """A connection on which nothing is said."""

    def send(self, data: bytes) -> None:
        """Forget it."""

    def stop_reading(self) -> None:
        """Nothing is read anyway."""

    def go_on_reading(self) -> None:
        """Nothing is read anyway."""

    def answered(self, exchange: Exchange) -> None:
        """Nobody waits."""

    def hand_over(self, successor: Successor) -> asyncio.Transport:
        """Nothing follows HTTP here."""
        raise AssertionError(successor)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is lost."""

    def date_line(self) -> bytes:
        """None."""
        return b""

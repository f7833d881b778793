"""All listeners of a server: those of its settings, and those that come and go while it runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from linarite.web.listener import Listener

if TYPE_CHECKING:
    from linarite.domain.arrival import Arrival
    from linarite.web.exchange import Handler
    from linarite.web.options import Server


class Listeners:
    """Listeners by name, all with the same handler behind them."""

    def __init__(self, handler: Handler) -> None:
        """None is open yet."""
        self._handler = handler
        self._open: dict[str, Listener] = {}

    async def open(self, options: Server, arrival: Arrival) -> Listener:
        """Bind and serve under the arrival's name. Raises SetupError when it can't be had.

        A name that is taken is an error of the caller's.
        """
        assert arrival.listener not in self._open, arrival.listener  # noqa: S101 - as said
        listener = Listener(self._handler, options, arrival)
        await listener.open()
        self._open[arrival.listener] = listener
        return listener

    async def close(self, name: str, grace_s: float = 0.0) -> None:
        """End a listener and its connections; running requests get `grace_s`. Unknown: nothing."""
        listener = self._open.pop(name, None)
        if listener is not None:
            await listener.close(grace_s)

    async def close_all(self, grace_s: float) -> None:
        """End all, side by side."""
        await asyncio.gather(*(self.close(name, grace_s) for name in list(self._open)))

"""Whose turn it is: lines of all batches share what an instance answers at the same time."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from linarite.domain.engine import Capabilities


class Turns:
    """Lets as many lines at an instance as keep its slots busy, in the order in which they came.

    One more in four than it has slots waits in its queue, so that no slot is ever idle between
    two lines; more would only wait longer there, where people's requests wait.
    """

    def __init__(self, capabilities_of: Callable[[str], Capabilities | None], most: int) -> None:
        """`most`: at one instance, whatever it can do."""
        self._capabilities_of = capabilities_of
        self._most = most
        self._taken: dict[str, int] = defaultdict(int)
        self._waiting: dict[str, deque[asyncio.Future[None]]] = defaultdict(deque)

    @asynccontextmanager
    async def at(self, instance: str) -> AsyncGenerator[None]:
        """Wait for a turn, and have it meanwhile."""
        await self.take(instance)
        try:
            yield
        finally:
            self.give_back(instance)

    async def take(self, instance: str) -> None:
        """Wait for a turn; `give_back` follows."""
        waiting = self._waiting[instance]
        if self._taken[instance] < self._limit(instance) and not waiting:
            self._taken[instance] += 1
            return
        turn = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back(instance)
            else:
                with suppress(ValueError):  # passed over already
                    waiting.remove(turn)
            raise

    def give_back(self, instance: str) -> None:
        """Hand the turn on."""
        self._taken[instance] -= 1
        waiting = self._waiting[instance]
        while waiting and self._taken[instance] < self._limit(instance):
            turn = waiting.popleft()
            if not turn.done():
                self._taken[instance] += 1
                turn.set_result(None)

    def _limit(self, instance: str) -> int:
        able = self._capabilities_of(instance)
        slots = able.parallel_requests if able is not None else 1
        return max(1, min(self._most, slots + -(-slots // 4)))

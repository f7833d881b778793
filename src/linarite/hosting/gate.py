"""The bounded queue in front of an instance."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from linarite.domain.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.errors import LinariteError


class Gate:
    """Lets `parallel` requests run, keeps at most `queue_max` waiting, first come first served.

    A request that waited `wait_s` is refused: an answer too late helps nobody, and the client
    retries. Not for use from several threads.
    """

    def __init__(self, parallel: int, queue_max: int, wait_s: float) -> None:
        """Open, with nobody inside."""
        self.parallel = parallel
        self.running = 0
        self.left_at = monotonic()
        """when it was last left, or made"""
        self._queue_max = queue_max
        self._wait_s = wait_s
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._empty = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many stand in the queue."""
        return len(self._waiting)

    async def enter(self) -> None:
        """Take a place; pair with `leave`. Raises ServiceUnavailable with Retry-After."""
        if self.running < self.parallel and not self._waiting:
            self.running += 1
            return
        if len(self._waiting) >= self._queue_max:
            raise ServiceUnavailable(
                f"{self.running} requests run and {len(self._waiting)} wait for this model, which "
                "is as many as settings allow: instances.*.queue_max",
                retry_after_s=self._likely_wait_s(),
            )
        await self._queue()

    def leave(self) -> None:
        """Give the place to the next in the queue."""
        self.running -= 1
        self._admit()
        if not self.running:
            self.left_at = monotonic()
            self._empty.set()

    def widen(self, parallel: int) -> None:
        """Change how many may run, once the engine has said what it can take."""
        self.parallel = max(1, parallel)
        self._admit()

    async def until_empty(self, grace_s: float) -> None:
        """Return when nobody runs or waits, or after `grace_s`."""
        self._empty.clear()
        if self.running:
            with suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self._empty.wait()

    async def until_idle_for(self, idle_s: float) -> None:
        """Return when nobody has run or waited for so long."""
        # Slept through rather than told: leaving is the hot path.
        while (left_s := self.left_at + idle_s - monotonic()) > 0 or self.running:  # noqa: ASYNC110
            await asyncio.sleep(max(left_s, idle_s) if self.running else left_s)

    def refuse_waiting(self, refusal: Callable[[], LinariteError]) -> None:
        """Send everybody in the queue away, each with an error of its own."""
        waiting, self._waiting = self._waiting, deque()
        for place in waiting:
            if not place.done():
                place.set_exception(refusal())

    async def _queue(self) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout(self._wait_s):
                await place
        except TimeoutError:
            self._forget(place)
            raise ServiceUnavailable(
                f"The request waited {self._wait_s:g} seconds for a place, which is as long as "
                "settings allow: instances.*.queue_wait_s",
                retry_after_s=self._likely_wait_s(),
            ) from None
        except BaseException:
            self._forget(place)
            raise

    def _forget(self, place: asyncio.Future[None]) -> None:
        """A waiter gives up; if its turn came at that very moment, it passes the turn on."""
        if place.done() and not place.cancelled() and place.exception() is None:
            self.leave()
        elif place in self._waiting:
            self._waiting.remove(place)

    def _admit(self) -> None:
        while self._waiting and self.running < self.parallel:
            place = self._waiting.popleft()
            if not place.done():
                self.running += 1
                place.set_result(None)

    def _likely_wait_s(self) -> float:
        return min(30.0, 1.0 + len(self._waiting) / self.parallel)

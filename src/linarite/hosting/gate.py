"""The bounded queue in front of an instance."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING

from linarite.domain.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.errors import LinariteError


class Gate:
    """Lets `parallel` requests run, keeps at most `queue_max` waiting, first come first served.

    Some places may be kept for those who have reserved: they go before the others and may take
    any place, the others only what is not kept. A request that waited `wait_s` is refused: an
    answer too late helps nobody, and the client retries. Not for use from several threads.
    """

    def __init__(self, parallel: int, queue_max: int, wait_s: float) -> None:
        """Open, with nobody inside."""
        self.parallel = parallel
        self.running = 0
        self.left_at = monotonic()
        """when it was last left, or opened"""
        self._ordinary = 0
        """how many of those who run have not reserved"""
        self._reserved_share = 0.0
        self._ordinary_max = parallel
        self._queue_max = queue_max
        self._wait_s = wait_s
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._waiting_reserved: deque[asyncio.Future[None]] = deque()
        self._empty = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many stand in the queue."""
        return len(self._waiting) + len(self._waiting_reserved)

    def try_enter(self, *, reserved: bool = False) -> bool:
        """Take a place if one is free and nobody waits before; pair with `leave`."""
        if self._free(reserved) and not self._line(reserved):
            self._let_in(reserved)
            return True
        return False

    async def enter(self, *, reserved: bool = False) -> None:
        """Take a place; pair with `leave`. Raises ServiceUnavailable with Retry-After."""
        if self.try_enter(reserved=reserved):
            return
        if self.waiting >= self._queue_max:
            raise ServiceUnavailable(
                f"{self.running} requests run and {self.waiting} wait for this model, which "
                "is as many as settings allow: instances.*.queue_max",
                retry_after_s=self._likely_wait_s(),
            )
        await self._queue(reserved)

    def leave(self, *, reserved: bool = False) -> None:
        """Give the place to the next in the queue."""
        self.running -= 1
        if not reserved:
            self._ordinary -= 1
        self._admit()
        if not self.running:
            self.left_at = monotonic()
            self._empty.set()

    def widen(self, parallel: int) -> None:
        """Open for so many, once the engine has said what it can take."""
        self.left_at = monotonic()
        self.parallel = max(1, parallel)
        self.reserve(self._reserved_share)

    def reserve(self, share: float) -> None:
        """Keep a share of the places; one is always left to the others."""
        self._reserved_share = share
        self._ordinary_max = max(1, self.parallel - ceil(share * self.parallel))
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
        for place in (*self._waiting_reserved, *self._waiting):
            if not place.done():
                place.set_exception(refusal())
        self._waiting_reserved.clear()
        self._waiting.clear()

    async def _queue(self, reserved: bool) -> None:  # noqa: FBT001 - as `enter` has it
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line(reserved).append(place)
        try:
            async with asyncio.timeout(self._wait_s):
                await place
        except TimeoutError:
            self._forget(place, reserved)
            raise ServiceUnavailable(
                f"The request waited {self._wait_s:g} seconds for a place, which is as long as "
                "settings allow: instances.*.queue_wait_s",
                retry_after_s=self._likely_wait_s(),
            ) from None
        except BaseException:
            self._forget(place, reserved)
            raise

    def _forget(self, place: asyncio.Future[None], reserved: bool) -> None:  # noqa: FBT001
        """A waiter gives up; if its turn came at that very moment, it passes the turn on."""
        if place.done() and not place.cancelled() and place.exception() is None:
            self.leave(reserved=reserved)
        elif place in self._line(reserved):
            self._line(reserved).remove(place)

    def _line(self, reserved: bool) -> deque[asyncio.Future[None]]:  # noqa: FBT001
        return self._waiting_reserved if reserved else self._waiting

    def _free(self, reserved: bool) -> bool:  # noqa: FBT001
        return self.running < self.parallel and (reserved or self._ordinary < self._ordinary_max)

    def _let_in(self, reserved: bool) -> None:  # noqa: FBT001
        self.running += 1
        if not reserved:
            self._ordinary += 1

    def _admit(self) -> None:
        for reserved in (True, False):
            line = self._line(reserved)
            while line and self._free(reserved):
                place = line.popleft()
                if not place.done():
                    self._let_in(reserved)
                    place.set_result(None)

    def _likely_wait_s(self) -> float:
        return min(30.0, 1.0 + self.waiting / self.parallel)

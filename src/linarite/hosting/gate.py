"""The bounded queue in front of an instance."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING

from linarite.domain.errors import ServiceUnavailable
from linarite.domain.service_tier import Rank
from linarite.domain.tier_errors import FlexTimedOut, NoFlexCapacity
from linarite.hosting.fair_queue import FairQueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.errors import LinariteError
    from linarite.hosting.fair_queue import Waiter


class Gate:
    """Lets `parallel` requests run and keeps at most `queue_max` waiting, in a fair order.

    Whose turn it is says the `FairQueue`. Some places may be kept for provisioned deployments:
    they may take any place, the others only what is not kept. A request that waited `wait_s` is
    refused: an answer too late helps nobody, and the client retries. Where no more may wait, who
    matters less gives way to a newcomer. Not for use from several threads.
    """

    def __init__(self, parallel: int, queue_max: int, wait_s: float) -> None:
        """Open, with nobody inside."""
        self.parallel = parallel
        self.running = 0
        self.left_at = monotonic()
        """when it was last left, or opened"""
        self._ordinary = 0
        """how many of those who run are not of provisioned deployments"""
        self._reserved_share = 0.0
        self._ordinary_max = parallel
        self._queue_max = queue_max
        self._wait_s = wait_s
        self._queue = FairQueue()
        self._remembers = False
        """somebody waited since it was empty"""
        self._empty = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many stand in the queue."""
        return self._queue.length

    @property
    def waiting_by_class(self) -> dict[str, int]:
        """The same by class of the queue: `provisioned`, `priority`, …."""
        return {rank.name.lower(): self._queue.lengths[rank] for rank in Rank}

    def try_enter(self, rank: Rank = Rank.DEFAULT) -> bool:
        """Take a place if one is free; pair with `leave`.

        No place is ever free while somebody waits who might take it: leaving hands it on.
        """
        if self.running >= self.parallel or (rank and self._ordinary >= self._ordinary_max):
            return False
        self.running += 1
        if rank:
            self._ordinary += 1
        return True

    async def enter(
        self, rank: Rank = Rank.DEFAULT, account: str = "", tokens: int = 1
    ) -> Waiter | None:
        """Take a place, in turn with those who wait; pair with `leave`, which takes what it gives.

        `tokens` is what the request may take at most, as far as one knows. Raises
        ServiceUnavailable with Retry-After; in the class flex NoFlexCapacity and RequestTimedOut.
        """
        if self.try_enter(rank):
            return None
        if self.waiting >= self._queue_max:
            self._make_room(rank, account)
        return await self._wait(rank, account, tokens)

    def leave(
        self, rank: Rank = Rank.DEFAULT, waiter: Waiter | None = None, used: int | None = None
    ) -> None:
        """Give the place to the next in the queue.

        `waiter` is what `enter` gave, `used` the tokens that it took; None where nobody knows.
        """
        self.running -= 1
        if rank:
            self._ordinary -= 1
        if self._remembers:
            if waiter is not None and used is not None:
                self._queue.settle(waiter, used)
            self._admit()
        if not self.running:
            self.left_at = monotonic()
            self._empty.set()
            if self._remembers and not self._queue.length:
                self._remembers = False
                self._queue.clear()

    def widen(self, parallel: int) -> None:
        """Open for so many, once the engine has said what it can take."""
        self.left_at = monotonic()
        self.parallel = max(1, parallel)
        self.reserve(self._reserved_share)

    def reserve(self, share: float) -> None:
        """Keep a share of the places for provisioned deployments; one is always left to others."""
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
        while (left_s := self.left_at + idle_s - monotonic()) > 0 or self.running:  # noqa: ASYNC110 - it waits for time to pass, not for news
            await asyncio.sleep(max(left_s, idle_s) if self.running else left_s)

    def refuse_waiting(self, refusal: Callable[[], LinariteError]) -> None:
        """Send everybody in the queue away, each with an error of its own."""
        for waiter in self._queue.clear():
            if not waiter.place.done():
                waiter.place.set_exception(refusal())

    def _make_room(self, rank: Rank, account: str) -> None:
        """Have somebody give way who matters less than a newcomer, or refuse the newcomer."""
        loser = self._queue.last_to_matter(rank, account) if self._queue_max else None
        if loser is None:
            raise self._full(rank)
        self._queue.remove(loser)
        if not loser.place.done():
            loser.place.set_exception(self._full(loser.rank))

    def _full(self, rank: Rank) -> LinariteError:
        reason = (
            f"{self.running} requests run and {self.waiting} wait for this model, which is as many "
            "as settings allow: instances.*.queue_max"
        )
        refusal = NoFlexCapacity if rank is Rank.FLEX else ServiceUnavailable
        return refusal(reason, self._likely_wait_s())

    async def _wait(self, rank: Rank, account: str, tokens: int) -> Waiter:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = self._queue.add(rank, account, tokens, place)
        self._remembers = True
        try:
            async with asyncio.timeout(self._wait_s):
                await place
        except TimeoutError:
            self._forget(waiter)
            raise self._too_long(rank) from None
        except BaseException:
            self._forget(waiter)
            raise
        return waiter

    def _too_long(self, rank: Rank) -> LinariteError:
        if rank is Rank.FLEX:
            return FlexTimedOut()
        return ServiceUnavailable(
            f"The request waited {self._wait_s:g} seconds for a place, which is as long as "
            "settings allow: instances.*.queue_wait_s",
            retry_after_s=self._likely_wait_s(),
        )

    def _forget(self, waiter: Waiter) -> None:
        """A waiter gives up; if its turn came at that very moment, it passes the turn on."""
        place = waiter.place
        if place.done() and not place.cancelled() and place.exception() is None:
            self.leave(waiter.rank, waiter, 0)
        else:
            self._queue.remove(waiter)

    def _admit(self) -> None:
        """Hand on the places that are free."""
        while self.running < self.parallel and self._queue.length:
            kept = self._ordinary >= self._ordinary_max
            waiter = self._queue.pop(only_provisioned=kept)
            if waiter is None:
                return
            if waiter.place.done():  # it gave up, and has not run since
                self._queue.settle(waiter, 0)
                continue
            self.running += 1
            if waiter.rank:
                self._ordinary += 1
            waiter.place.set_result(None)

    def _likely_wait_s(self) -> float:
        return min(30.0, 1.0 + self.waiting / self.parallel)

"""Counting what was admitted: by windows that slide, by fixed ones, and by a bucket that leaks.

A meter neither reads a clock nor locks: times are seconds of a clock that never goes back, and
everything happens on the event loop.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque

PARTS = 60
"""a sliding window forgets in so many steps"""


class Mark:
    """What one request was charged, where it can be found again."""

    __slots__ = ("amount", "at")

    def __init__(self, at: int, amount: int) -> None:
        self.at = at
        self.amount = amount


class Meter(ABC):
    """What has been admitted lately, and how much more may be."""

    def __init__(self, limit: int, window_s: float) -> None:
        """At most `limit` within any `window_s`; each meter says which windows it looks at."""
        self.limit = limit
        """may be changed at any time: what was admitted before still counts"""
        self.window_s = window_s

    @abstractmethod
    def left(self, now: float) -> int:
        """How much may be admitted now; never below zero."""

    @abstractmethod
    def wait(self, amount: int, now: float) -> float:
        """Seconds until `amount` may be admitted if nobody else comes; 0 now, infinity never."""

    @abstractmethod
    def take(self, amount: int, now: float) -> Mark:
        """Admit it."""

    @abstractmethod
    def correct(self, mark: Mark, amount: int, now: float) -> None:
        """It was `amount` in truth."""


class SlidingWindow(Meter):
    """Every window counts, wherever it begins: no burst over a boundary gets twice the limit.

    An entry is forgotten up to a sixtieth of the window later than it might be, never earlier.
    """

    def __init__(self, limit: int, window_s: float) -> None:
        super().__init__(limit, window_s)
        self._part_s = window_s / PARTS
        self._parts: deque[Mark] = deque()
        """a mark for each part in which anything was admitted, with the sum"""
        self._total = 0

    def left(self, now: float) -> int:
        """See Meter."""
        self._forget(now)
        return max(0, self.limit - self._total)

    def wait(self, amount: int, now: float) -> float:
        """See Meter."""
        self._forget(now)
        if self._total + amount <= self.limit:
            return 0.0
        if amount > self.limit:
            return math.inf
        total = self._total
        for part in self._parts:
            total -= part.amount
            if total + amount <= self.limit:
                return (part.at + PARTS + 1) * self._part_s - now
        raise AssertionError("an empty window admits what is within the limit")

    def take(self, amount: int, now: float) -> Mark:
        """See Meter."""
        at = int(now / self._part_s)
        parts = self._parts
        if not parts or parts[-1].at != at:
            parts.append(Mark(at, 0))
        parts[-1].amount += amount
        self._total += amount
        return Mark(at, amount)

    def correct(self, mark: Mark, amount: int, now: float) -> None:
        """See Meter. What is more than was thought counts where it was taken, or else now."""
        difference = amount - mark.amount
        if not difference:
            return
        self._forget(now)
        for part in reversed(self._parts):
            if part.at == mark.at:
                part.amount += difference
                self._total += difference
                return
            if part.at < mark.at:
                break
        if difference > 0:
            self.take(difference, now)

    def _forget(self, now: float) -> None:
        parts = self._parts
        oldest = int(now / self._part_s) - PARTS
        while parts and parts[0].at < oldest:
            self._total -= parts.popleft().amount


class FixedWindow(Meter):
    """Counts until the window is over, corrects nothing, and begins anew: as Azure does."""

    def __init__(self, limit: int, window_s: float) -> None:
        super().__init__(limit, window_s)
        self._index: int = -1
        self._total: int = 0

    def left(self, now: float) -> int:
        """See Meter."""
        self._turn(now)
        return max(0, self.limit - self._total)

    def wait(self, amount: int, now: float) -> float:
        """See Meter. Azure lets a request pass as long as anything is left."""
        self._turn(now)
        if self._total < self.limit or not amount:
            return 0.0
        return (self._index + 1) * self.window_s - now

    def take(self, amount: int, now: float) -> Mark:
        """See Meter."""
        self._turn(now)
        self._total += amount
        return Mark(self._index, amount)

    def correct(self, mark: Mark, amount: int, now: float) -> None:
        """Nothing: the estimate stays."""

    def _turn(self, now: float) -> None:
        index = int(now / self.window_s)
        if index != self._index:
            self._index = index
            self._total = 0


class LeakyBucket(Meter):
    """Provisioned throughput: full at `limit`, of which it loses all in `window_s`, evenly.

    A request is let in while the bucket is not over its rim, however much it brings: a burst a
    little over 100 % is meant. What one is thought to take fills one bucket at most: who asks for
    billions of tokens and leaves would otherwise close it to all others for years.
    """

    def __init__(self, limit: int, window_s: float) -> None:
        super().__init__(limit, window_s)
        self._level = 0.0
        self._at = 0.0

    def utilization(self, now: float) -> float:
        """How full it is: 1.0 is 100 %."""
        self._leak(now)
        return self._level / self.limit

    def left(self, now: float) -> int:
        """See Meter."""
        self._leak(now)
        return max(0, int(self.limit - self._level))

    def wait(self, amount: int, now: float) -> float:
        """See Meter."""
        del amount
        self._leak(now)
        return max(0.0, (self._level - self.limit) * self.window_s / self.limit)

    def take(self, amount: int, now: float) -> Mark:
        """See Meter."""
        self._leak(now)
        amount = min(amount, self.limit)
        self._level += amount
        return Mark(0, amount)

    def correct(self, mark: Mark, amount: int, now: float) -> None:
        """See Meter."""
        self._leak(now)
        self._level = max(0.0, self._level + amount - mark.amount)

    def _leak(self, now: float) -> None:
        if now > self._at:
            lost = (now - self._at) * self.limit / self.window_s
            self._level = max(0.0, self._level - lost)
            self._at = now

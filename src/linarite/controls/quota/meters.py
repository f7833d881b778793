"""Counting what was charged: a meter for each kind of window.

A meter does not lock: everything happens on the event loop. It is told the time, in seconds of a
clock that never goes back; only days and months (`calendar_window`) read the time of day.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING

from linarite.domain.ledger import SLIDING_S, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.domain.ledger import Bucket

PARTS = 60
"""a sliding window forgets in so many steps"""
MINUTE_S = 60.0
PLACE_WAIT_S = 1.0
"""when to come again for a place that others hold: nobody knows when they leave it"""


Mark = tuple[int, int]
"""where a charge is counted, as its meter names it, and how much: for `correct` to find again"""


class Part:
    """What was charged within a short time, and when the last of it was."""

    __slots__ = ("amount", "at", "last")

    def __init__(self, at: int, amount: int, last: float) -> None:
        self.at = at
        self.amount = amount
        self.last = last


class Meter(ABC):
    """What has been admitted lately, and how much more may be."""

    successor: Meter | None = None
    """the one that counts now, where the window of a bucket was changed"""
    lasting = False
    """whether it is written down before more is admitted"""
    bucket: Bucket | None = None
    """the one that it was last looked up for, whose limit and window are its own"""

    def __init__(self, limit: int, window: Window = Window.MINUTE) -> None:
        """At most `limit` within the window."""
        self.limit = limit
        """may be changed at any time: what was admitted before still counts"""
        self.window = window

    def followed_by(self, other: Meter, now: float) -> Meter:
        """Have another count from now on, which begins with what was admitted here lately.

        What runs meanwhile and turns out to be more counts there too; what turns out to be less is
        forgotten with its minute.
        """
        other.carry(self.admitted(now), now)
        self.successor = other
        return other

    def later(self) -> Iterator[Meter]:
        """Those that have counted in its place since, one after the other."""
        later = self.successor
        while later is not None:
            yield later
            later = later.successor

    def covers(self, amount: int) -> bool:
        """Whether the disk would know of so much more, as far as it is to know."""
        del amount
        return True

    @abstractmethod
    def admitted(self, now: float) -> int:
        """How much was, as far as it still counts; it may be more than the limit."""

    def carry(self, amount: int, now: float) -> None:
        """Begin with what another meter has admitted."""
        if amount > 0:
            self.take(amount, now)

    def left(self, now: float) -> int:
        """How much may be admitted now; below zero only where a meter says so."""
        return max(0, self.limit - self.admitted(now))

    @abstractmethod
    def wait(self, amount: int, now: float) -> float:
        """Seconds until `amount` may be admitted if nobody else comes; 0 now, infinity never."""

    def room(self, amount: int, now: float) -> int | None:
        """What would be left beside `amount`; None where it does not fit."""
        return None if self.wait(amount, now) else max(0, self.left(now) - amount)

    @abstractmethod
    def take(self, amount: int, now: float) -> Mark:
        """Admit it."""

    @abstractmethod
    def correct(self, mark: Mark, amount: int, now: float) -> None:
        """It was `amount` in truth."""

    @abstractmethod
    def idle(self, now: float) -> bool:
        """Whether a new one would admit the same."""


class SlidingWindow(Meter):
    """Every window counts, wherever it begins: no burst over a boundary gets twice the limit.

    What comes within a sixtieth of the window is forgotten together, with the last of it: some of
    it up to so much later than it might be, none earlier. What is told to wait is exact.
    """

    def __init__(self, limit: int, window: Window = Window.MINUTE) -> None:
        super().__init__(limit, window)
        self._window_s = SLIDING_S[window]
        self._part_s = self._window_s / PARTS
        self._parts: deque[Part] = deque()
        """one for each in which anything was admitted, with the sum"""
        self._total = 0

    def admitted(self, now: float) -> int:
        """See Meter."""
        self._forget(now)
        return self._total

    def room(self, amount: int, now: float) -> int | None:
        """See Meter."""
        parts = self._parts
        if parts and parts[0].last <= now - self._window_s:
            self._forget(now)
        left = self.limit - self._total - amount
        return None if left < 0 else left

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
                return min(self._window_s, part.last + self._window_s - now)
        raise AssertionError("an empty window admits what is within the limit")

    def take(self, amount: int, now: float) -> Mark:
        """See Meter."""
        at = int(now / self._part_s)
        parts = self._parts
        if parts and (last := parts[-1]).at == at:
            last.amount += amount
            last.last = now
        else:
            parts.append(Part(at, amount, now))
        self._total += amount
        return at, amount

    def correct(self, mark: Mark, amount: int, now: float) -> None:
        """See Meter. What is more than was thought counts where it was taken, or else now."""
        at, charged = mark
        difference = amount - charged
        if not difference:
            return
        parts = self._parts
        if parts and parts[0].last <= now - self._window_s:
            self._forget(now)
        if parts and (last := parts[-1]).at == at:  # most answers take less than a part
            last.amount += difference
            self._total += difference
            return
        for part in reversed(parts):
            if part.at == at:
                part.amount += difference
                self._total += difference
                return
            if part.at < at:
                break
        if difference > 0:
            self.take(difference, now)

    def idle(self, now: float) -> bool:
        """See Meter."""
        self._forget(now)
        return not self._parts

    def _forget(self, now: float) -> None:
        parts = self._parts
        forgotten = now - self._window_s
        while parts and parts[0].last <= forgotten:
            self._total -= parts.popleft().amount


class FixedWindow(Meter):
    """Counts until the window is over, corrects nothing, and begins anew: as Azure does."""

    def __init__(self, limit: int, window: Window = Window.FIXED_MINUTE) -> None:
        super().__init__(limit, window)
        self._index: int = -1
        self._total: int = 0

    def admitted(self, now: float) -> int:
        """See Meter."""
        self._turn(now)
        return self._total

    def wait(self, amount: int, now: float) -> float:
        """See Meter. Azure lets a request pass as long as anything is left."""
        self._turn(now)
        if self._total < self.limit or not amount:
            return 0.0
        return (self._index + 1) * MINUTE_S - now

    def take(self, amount: int, now: float) -> Mark:
        """See Meter."""
        self._turn(now)
        self._total += amount
        return self._index, amount

    def correct(self, mark: Mark, amount: int, now: float) -> None:
        """Nothing: the estimate stays."""

    def idle(self, now: float) -> bool:
        """See Meter."""
        self._turn(now)
        return not self._total

    def _turn(self, now: float) -> None:
        index = int(now / MINUTE_S)
        if index != self._index:
            self._index = index
            self._total = 0


class LeakyBucket(Meter):
    """Provisioned throughput: full at `limit`, which it loses in a minute, evenly.

    A request is let in while the bucket is not over its rim, however much it brings: a burst a
    little over 100 % is meant. What one is thought to take fills one bucket at most: who asks for
    billions of tokens and leaves would otherwise close it to all others for years.
    """

    def __init__(self, limit: int, window: Window = Window.LEAKY_MINUTE) -> None:
        super().__init__(limit, window)
        self._level = 0.0
        self._at = 0.0

    def admitted(self, now: float) -> int:
        """See Meter."""
        self._leak(now)
        return math.ceil(self._level)

    def left(self, now: float) -> int:
        """To the rim; below zero when it is over it."""
        return self.limit - self.admitted(now)

    def room(self, amount: int, now: float) -> int | None:
        """See Meter. Below zero where it would be over its rim."""
        left = self.left(now)
        return None if self._level > self.limit else left - min(amount, self.limit)

    def wait(self, amount: int, now: float) -> float:
        """See Meter."""
        del amount
        self._leak(now)
        return max(0.0, (self._level - self.limit) * MINUTE_S / self.limit)

    def take(self, amount: int, now: float) -> Mark:
        """See Meter."""
        self._leak(now)
        amount = min(amount, self.limit)
        self._level += amount
        return 0, amount

    def carry(self, amount: int, now: float) -> None:
        """See Meter. As far over the rim as is gone in a minute: so long others remember too."""
        self._leak(now)
        self._level = min(self._level + amount, 2.0 * self.limit)

    def correct(self, mark: Mark, amount: int, now: float) -> None:
        """See Meter."""
        self._leak(now)
        self._level = max(0.0, self._level + amount - mark[1])

    def idle(self, now: float) -> bool:
        """See Meter."""
        self._leak(now)
        return not self._level

    def _leak(self, now: float) -> None:
        if now > self._at:
            lost = (now - self._at) * self.limit / MINUTE_S
            self._level = max(0.0, self._level - lost)
            self._at = now


class Places(Meter):
    """What requests hold while they run."""

    def __init__(self, limit: int, window: Window = Window.HELD) -> None:
        super().__init__(limit, window)
        self._held = 0

    def admitted(self, now: float) -> int:
        """See Meter."""
        del now
        return self._held

    def room(self, amount: int, now: float) -> int | None:
        """See Meter."""
        del now
        left = self.limit - self._held - amount
        return None if left < 0 else left

    def wait(self, amount: int, now: float) -> float:
        """See Meter."""
        del now
        if self._held + amount <= self.limit:
            return 0.0
        return math.inf if amount > self.limit else PLACE_WAIT_S

    def take(self, amount: int, now: float) -> Mark:
        """See Meter."""
        del now
        self._held += amount
        return 0, amount

    def correct(self, mark: Mark, amount: int, now: float) -> None:
        """See Meter."""
        del now
        self._held += amount - mark[1]

    def idle(self, now: float) -> bool:
        """See Meter."""
        del now
        return not self._held


def meter_for(limit: int, window: Window) -> Meter:
    """The meter that counts over that window, but for days and months."""
    return SlidingWindow(limit, window) if window in SLIDING_S else _OTHERS[window](limit, window)


_OTHERS: dict[Window, type[FixedWindow | LeakyBucket | Places]] = {
    Window.FIXED_MINUTE: FixedWindow,
    Window.LEAKY_MINUTE: LeakyBucket,
    Window.HELD: Places,
}

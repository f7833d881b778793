"""The meter of days and months."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from linarite.controls.quota.meters import Mark, Meter
from linarite.domain.calendar_windows import DAY_S, period_end, period_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.ledger import Window

PERIODS_KEPT = 3


class CalendarWindow(Meter):
    """A day or a month, in UTC.

    The last periods are kept: a clock that is set forward and back again finds its day as it was.
    """

    def __init__(self, limit: int, window: Window, time_of_day: Callable[[], float]) -> None:
        """`time_of_day` in seconds since the epoch."""
        super().__init__(limit, window)
        self.time_of_day = time_of_day
        self.totals: dict[int, int] = {}
        """what was charged in each period"""
        self._period = 0
        self._begins = self._ends = 0.0
        """seconds since the epoch between which that is the period"""

    def admitted(self, now: float) -> int:
        """See Meter."""
        del now
        return self.totals.get(self.period(), 0)

    def room(self, amount: int, now: float) -> int | None:
        """See Meter."""
        del now
        left = self.limit - self.totals.get(self.period(), 0) - amount
        return None if left < 0 else left

    def wait(self, amount: int, now: float) -> float:
        """See Meter."""
        del now
        at = self.time_of_day()
        if self.totals.get(period_of(self.window, at), 0) + amount <= self.limit:
            return 0.0
        return math.inf if amount > self.limit else period_end(self.window, at) - at

    def take(self, amount: int, now: float) -> Mark:
        """See Meter."""
        del now
        period, totals = self.period(), self.totals
        if period in totals:
            totals[period] += amount
        else:
            totals[period] = amount
            for oldest in sorted(totals)[:-PERIODS_KEPT]:
                del totals[oldest]
        return Mark(period, amount)

    def correct(self, mark: Mark, amount: int, now: float) -> None:
        """See Meter. It counts in the period in which the request came."""
        del now
        self.totals[mark.at] = max(0, self.totals.get(mark.at, 0) + amount - mark.amount)

    def idle(self, now: float) -> bool:
        """See Meter."""
        del now
        before = self.period() - 1
        return not any(amount for period, amount in self.totals.items() if period >= before)

    def period(self) -> int:
        """That of now."""
        at = self.time_of_day()
        if not self._begins <= at < self._ends:
            self._period = period_of(self.window, at)
            # It holds for its day at the least, and is asked for several times in each request.
            self._begins = at // DAY_S * DAY_S
            self._ends = self._begins + DAY_S
        return self._period

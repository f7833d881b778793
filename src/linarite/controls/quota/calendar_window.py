"""The meter of days and months."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from linarite.controls.quota.meters import Meter
from linarite.domain.calendar_windows import DAY_S, period_end, period_of
from linarite.domain.ledger import LASTING, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.controls.quota.meters import Mark

PERIODS_KEPT = 3


class Calendar:
    """The time of day, read once for all days and months that one request is charged to."""

    def __init__(self, time_of_day: Callable[[], float]) -> None:
        """`time_of_day` in seconds since the epoch."""
        self._time_of_day = time_of_day
        self._begins = self._ends = 0.0
        """seconds since the epoch between which it is the same day"""
        self.at = 0.0
        """when it was looked at last"""
        self.periods: dict[Window, int] = {}
        """the numbers of the day and of the month that it was then"""

    def look(self) -> None:
        """See which day it is."""
        at = self.at = self._time_of_day()
        if not self._begins <= at < self._ends:
            self._begins = at // DAY_S * DAY_S
            self._ends = self._begins + DAY_S
            for window in LASTING:
                self.periods[window] = period_of(window, at)


class CalendarWindow(Meter):
    """A day or a month, in UTC.

    The last periods are kept: a clock that is set forward and back again finds its day as it was.
    """

    def __init__(self, limit: int, window: Window, calendar: Calendar) -> None:
        """Whoever asks it anything has looked at `calendar` just before."""
        super().__init__(limit, window)
        self._calendar = calendar
        self.totals: dict[int, int] = {}
        """what was charged in each period"""

    def admitted(self, now: float) -> int:
        """See Meter."""
        del now
        return self.totals.get(self.period(), 0)

    def room(self, amount: int, now: float) -> int | None:
        """See Meter."""
        del now
        left = self.limit - self.totals.get(self._calendar.periods[self.window], 0) - amount
        return None if left < 0 else left

    def wait(self, amount: int, now: float) -> float:
        """See Meter."""
        del now
        at = self._calendar.at
        if self.totals.get(self.period(), 0) + amount <= self.limit:
            return 0.0
        return math.inf if amount > self.limit else period_end(self.window, at) - at

    def take(self, amount: int, now: float) -> Mark:
        """See Meter."""
        del now
        period, totals = self._calendar.periods[self.window], self.totals
        if period in totals:
            totals[period] += amount
        else:
            totals[period] = amount
            for oldest in sorted(totals)[:-PERIODS_KEPT]:
                del totals[oldest]
        return period, amount

    def correct(self, mark: Mark, amount: int, now: float) -> None:
        """See Meter. It counts in the period in which the request came."""
        del now
        period, charged = mark
        self.totals[period] = max(0, self.totals.get(period, 0) + amount - charged)

    def idle(self, now: float) -> bool:
        """See Meter."""
        del now
        before = self.period() - 1
        return not any(amount for period, amount in self.totals.items() if period >= before)

    def period(self) -> int:
        """That of now."""
        return self._calendar.periods[self.window]

"""Days and months of the calendar, in UTC, as numbers that rise by one."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from linarite.domain.ledger import Window

DAY_S: Final = 86_400
_YEAR_MONTHS: Final = 12


def period_of(window: Window, at: float) -> int:
    """Which day or month `at` (seconds since the epoch) is in."""
    day = int(at // DAY_S)
    return day if window is Window.DAY else _month_of(day)


@lru_cache(maxsize=4)  # asked for several times in each request, nearly always for the same day
def _month_of(day: int) -> int:
    told = time.gmtime(day * DAY_S)
    return told.tm_year * _YEAR_MONTHS + told.tm_mon - 1


def period_end(window: Window, at: float) -> float:
    """When that day or month is over."""
    if window is Window.DAY:
        return (at // DAY_S + 1) * DAY_S
    year, month = divmod(period_of(window, at) + 1, _YEAR_MONTHS)
    return datetime(year, month + 1, 1, tzinfo=UTC).timestamp()

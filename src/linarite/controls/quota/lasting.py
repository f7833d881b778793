"""Days and months that outlive the server: on disk there is always at least what was charged.

Nobody waits for the disk at each request: what is written runs ahead of what is charged, by a
share of the limit. A server that is killed begins with what is written, and so counts up to that
share too much, and never too little; one that is stopped writes what there is.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from linarite.controls.quota.calendar_window import CalendarWindow
from linarite.domain.calendar_windows import DAY_S, period_end
from linarite.domain.errors import ServiceUnavailable
from linarite.domain.ledger import LastingCount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from linarite.controls.quota.calendar_window import Calendar
    from linarite.domain.ledger import LastingCounts, Window

log = structlog.get_logger("linarite.quota")

AHEAD_SHARE = 100
"""written ahead: a hundredth of the limit"""
AMOUNT_MAX = 2**63 - 1
"""what a store can count to"""
KEPT_S = 2 * DAY_S
"""a period is kept on disk for so long after its end: clocks are set back"""


class LastingWindow(CalendarWindow):
    """A day or a month of which the disk knows."""

    lasting = True

    def __init__(self, key: str, limit: int, window: Window, calendar: Calendar) -> None:
        super().__init__(limit, window, calendar)
        self.key = key
        self.written: dict[int, int] = {}
        """by period: up to how much may be charged without another write"""

    def covers(self, amount: int) -> bool:
        """Whether the disk would know of so much more."""
        period = self._calendar.periods[self.window]
        needed = self.totals.get(period, 0) + amount
        written = self.written.get(period, 0)
        return needed <= written or written >= AMOUNT_MAX

    def ahead(self, amount: int) -> LastingCount:
        """What to write before so much more may be charged."""
        period = self.period()
        needed = self.totals.get(period, 0) + amount
        spare = max(amount, self.limit // AHEAD_SHARE)
        return self._count(period, max(needed, min(needed + spare, self.limit)))

    def exact(self) -> list[LastingCount]:
        """What was charged in each period."""
        return [self._count(period, amount) for period, amount in self.totals.items()]

    def _count(self, period: int, amount: int) -> LastingCount:
        over = period_end(self.window, self._calendar.at) + KEPT_S
        return LastingCount(self.key, period, min(amount, AMOUNT_MAX), int(over))


class Journal:
    """Writes for all lasting windows, everything that waits at once."""

    def __init__(self, counts: LastingCounts, time_of_day: Callable[[], float]) -> None:
        self._counts = counts
        self._time_of_day = time_of_day
        self._found: dict[str, list[LastingCount]] = {}
        self._wanted: dict[str, tuple[LastingWindow, LastingCount]] = {}
        self._writing: asyncio.Task[dict[str, Exception]] | None = None
        """tells what could not be written, by key"""

    async def open(self) -> None:
        """Read what there is. Raises ServiceUnavailable."""
        for count in await self._counts.read():
            self._found.setdefault(count.key, []).append(count)

    def restore(self, window: LastingWindow) -> None:
        """Give a window that was just made what it had before the server started."""
        for count in self._found.pop(window.key, ()):
            window.totals[count.period] = window.written[count.period] = count.amount

    async def cover(self, windows: Iterable[tuple[LastingWindow, int]]) -> None:
        """Return once so much more may be charged to each.

        Raises ServiceUnavailable, and whatever kept one of these from being written.
        """
        asked = list(windows)
        for window, amount in asked:
            self._wanted[window.key] = (window, window.ahead(amount))
        if self._writing is not None and not self._writing.done():  # it may lack these
            with suppress(Exception):  # told to those whom it was for
                await asyncio.shield(self._writing)
        if self._wanted:
            if self._writing is None or self._writing.done():
                self._writing = asyncio.create_task(self._write())
            failed = await asyncio.shield(self._writing)
            for window, _ in asked:
                if window.key in failed:
                    raise failed[window.key]

    def follow(self, window: LastingWindow) -> None:
        """Write soon what a request took beyond what was written ahead for it."""
        self._wanted[window.key] = (window, window.ahead(0))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
            self._writing.add_done_callback(_tell)

    async def close(self, windows: Iterable[LastingWindow]) -> None:
        """Write what was charged in truth; what can't be written stays as it is on disk."""
        if self._writing is not None:
            with suppress(Exception):
                await self._writing
        exact = [count for window in windows for count in window.exact()]
        try:
            await self._counts.write(exact, now=self._time_of_day())
        except Exception as problem:  # noqa: BLE001 - nothing is to keep a server from stopping
            log.warning("counts of days and months stay a little too high", why=str(problem))

    async def _write(self) -> dict[str, Exception]:
        """Write all; where one of them is at fault, each by itself. Raises ServiceUnavailable."""
        wanted, self._wanted = list(self._wanted.values()), {}
        try:
            await self._write_all(wanted)
        except ServiceUnavailable:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, it is one count's, and no other's
            return await self._write_apart(wanted)
        return {}

    async def _write_apart(
        self, wanted: Sequence[tuple[LastingWindow, LastingCount]]
    ) -> dict[str, Exception]:
        failed: dict[str, Exception] = {}
        for window, count in wanted:
            try:
                await self._write_all([(window, count)])
            except ServiceUnavailable:
                raise
            except Exception as problem:
                log.exception("a count could not be written by our own fault")
                failed[window.key] = problem
        return failed

    async def _write_all(self, wanted: Sequence[tuple[LastingWindow, LastingCount]]) -> None:
        await self._counts.write([count for _, count in wanted], now=self._time_of_day())
        for window, count in wanted:
            window.written[count.period] = max(window.written.get(count.period, 0), count.amount)


def _tell(written: asyncio.Task[dict[str, Exception]]) -> None:
    problem = None if written.cancelled() else written.exception()
    if problem is not None:
        log.warning("a count could not be written", why=str(problem))

"""The ledger of one server: in its memory, on its event loop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from linarite.controls.quota.calendar_window import CalendarWindow
from linarite.controls.quota.lasting import Journal, LastingWindow
from linarite.controls.quota.meters import meter_for
from linarite.domain.ledger import LASTING, DoesNotFit, Refused, Reservation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.controls.quota.meters import Mark, Meter
    from linarite.domain.ledger import Bucket, Charge, LastingCounts

KEPT_MAX = 1024
"""meters kept before those are forgotten that have nothing to remember"""


class Marked(Reservation):
    """With where each charge is found again."""

    __slots__ = ("marks", "meters")

    def __init__(
        self,
        charges: Sequence[Charge],
        left: Sequence[int],
        meters: Sequence[Meter],
        marks: Sequence[Mark],
    ) -> None:
        self.charges = charges
        self.left = left
        self.meters = meters
        self.marks = marks


class MemoryLedger:
    """See Ledger. It waits for nothing but the disk, where days and months are kept there."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        time_of_day: Callable[[], float] = time.time,
        counts: LastingCounts | None = None,
    ) -> None:
        """`clock` tells seconds and never goes back, whatever happens to the time of day.

        With `counts`, `open` must be awaited before the first request.
        """
        self._clock = clock
        self._time_of_day = time_of_day
        self._journal = None if counts is None else Journal(counts, time_of_day)
        self._meters: dict[str, Meter] = {}
        self._kept_max = KEPT_MAX

    async def open(self) -> None:
        """Read the days and months that are kept. Raises ServiceUnavailable."""
        if self._journal is not None:
            await self._journal.open()

    def reserve_now(self, charges: Sequence[Charge]) -> Reservation | None:
        """See Ledger."""
        now = self._clock()
        if len(self._meters) >= self._kept_max:  # before any is found: all of these are needed
            self._forget_idle(now)
        kept = self._meters
        meters: list[Meter] = []
        left: list[int] = []
        covered = True
        for charge in charges:
            bucket = charge.bucket
            meter = kept.get(bucket.key)
            if meter is None or meter.window is not bucket.window or meter.limit != bucket.limit:
                meter = self._meter(bucket)
            room = meter.room(charge.amount, now)
            if room is None:
                raise self._refusal(charges, now)
            if meter.lasting and not _covers(meter, charge.amount):
                covered = False
            meters.append(meter)
            left.append(room)
        if not covered:
            return None
        marks: list[Mark] = []
        for meter, charge in zip(meters, charges, strict=True):
            meter.open += 1
            marks.append(meter.take(charge.amount, now))
        return Marked(charges, left, meters, marks)

    async def reserve(self, charges: Sequence[Charge]) -> Reservation:
        """See Ledger."""
        while (reserved := self.reserve_now(charges)) is None:
            assert self._journal is not None  # noqa: S101 - nothing else makes one wait
            await self._journal.cover(
                (meter, charge.amount)
                for charge in charges
                if isinstance(meter := self._meter(charge.bucket), LastingWindow)
                and not meter.covers(charge.amount)
            )
        return reserved

    def settle(self, reservation: Reservation, amounts: Sequence[int]) -> None:
        """See Ledger."""
        assert isinstance(reservation, Marked)  # noqa: S101 - made above
        now = self._clock()
        for meter, mark, amount in zip(reservation.meters, reservation.marks, amounts, strict=True):
            meter.open -= 1
            if meter.successor is not None:
                _close_later(meter)
                _count_later(meter, amount - mark.amount, now)
            if mark.amount != amount:
                meter.correct(mark, amount, now)
                if meter.lasting:
                    self._follow(meter)

    async def correct(self, reservation: Reservation, amounts: Sequence[int]) -> None:
        """See Ledger."""
        assert isinstance(reservation, Marked)  # noqa: S101 - made above
        now = self._clock()
        for meter, mark, amount in zip(reservation.meters, reservation.marks, amounts, strict=True):
            if mark.amount != amount:
                _count_later(meter, amount - mark.amount, now)
                meter.correct(mark, amount, now)
                mark.amount = amount
                if meter.lasting:
                    self._follow(meter)

    async def left(self, buckets: Sequence[Bucket]) -> list[int]:
        """See Ledger."""
        now = self._clock()
        if len(self._meters) >= self._kept_max:
            self._forget_idle(now)
        meters = [self._meter(bucket) for bucket in buckets]
        return [meter.limit - meter.admitted(now) for meter in meters]

    async def close(self) -> None:
        """See Ledger."""
        if self._journal is not None:
            await self._journal.close(
                meter for meter in self._meters.values() if isinstance(meter, LastingWindow)
            )

    def _meter(self, bucket: Bucket) -> Meter:
        found = self._meters.get(bucket.key)
        if found is None:
            found = self._meters[bucket.key] = self._new_meter(bucket)
        elif found.window is not bucket.window:  # a deployment's SKU was changed
            found = self._meters[bucket.key] = found.followed_by(
                self._new_meter(bucket), self._clock()
            )
        else:
            found.limit = bucket.limit
        return found

    def _new_meter(self, bucket: Bucket) -> Meter:
        if bucket.window not in LASTING:
            return meter_for(bucket.limit, bucket.window)
        if self._journal is None:
            return CalendarWindow(bucket.limit, bucket.window, self._time_of_day)
        kept = LastingWindow(bucket.key, bucket.limit, bucket.window, self._time_of_day)
        self._journal.restore(kept)
        return kept

    def _follow(self, meter: Meter) -> None:
        """Have the disk know of what turned out to be more than was written ahead."""
        if self._journal is not None and isinstance(meter, LastingWindow) and not meter.covers(0):
            self._journal.follow(meter)

    def _forget_idle(self, now: float) -> None:
        """Deployments and people come and go: those that are gone take no memory for ever.

        Where something is yet to be settled it stays: an answer may take longer than its minute.
        """
        self._meters = {
            key: meter for key, meter in self._meters.items() if meter.open or not meter.idle(now)
        }
        self._kept_max = max(KEPT_MAX, 2 * len(self._meters))

    def _refusal(self, charges: Sequence[Charge], now: float) -> DoesNotFit:
        """Names the bucket that takes longest: waiting for another would be in vain."""
        meters = [self._meter(charge.bucket) for charge in charges]
        left = [meter.left(now) for meter in meters]
        waits = [meter.wait(each.amount, now) for meter, each in zip(meters, charges, strict=True)]
        index = max(range(len(waits)), key=waits.__getitem__)
        bucket, amount = charges[index].bucket, charges[index].amount
        return DoesNotFit(Refused(bucket, amount, max(0, left[index]), waits[index]), left)


def _covers(meter: Meter, amount: int) -> bool:
    return not isinstance(meter, LastingWindow) or meter.covers(amount)


def _close_later(meter: Meter) -> None:
    """One reservation less is open on those that have counted in its place since."""
    later = meter.successor
    while later is not None:
        later.open -= 1
        later = later.successor


def _count_later(meter: Meter, more: int, now: float) -> None:
    """On those that have counted in its place since: what is more than was thought counts now."""
    later = meter.successor
    while later is not None and more > 0:
        later.take(more, now)
        later = later.successor

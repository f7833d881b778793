"""The ledger of one server: in its memory, on its event loop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from linarite.controls.quota.calendar_window import Calendar, CalendarWindow
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
        self._calendar = Calendar(time_of_day)
        self._journal = None if counts is None else Journal(counts, time_of_day)
        self._meters: dict[str, Meter] = {}
        self._open: set[Marked] = set()
        """what is yet to be settled"""
        self._kept_max = KEPT_MAX

    async def open(self) -> None:
        """Read the days and months that are kept. Raises ServiceUnavailable."""
        if self._journal is not None:
            await self._journal.open()

    def reserve_now(self, charges: Sequence[Charge]) -> Reservation | None:
        """See Ledger."""
        now = self._clock()
        self._calendar.look()
        if len(self._meters) >= self._kept_max:  # before any is found: all of these are needed
            self._forget_idle(now)
        kept = self._meters
        meters: list[Meter] = []
        left: list[int] = []
        covered = True
        for charge in charges:
            bucket, amount = charge.bucket, charge.amount
            meter = kept.get(bucket.key)
            if meter is None or meter.bucket is not bucket:
                meter = self._meter(bucket)
            room = meter.room(amount, now)
            if room is None:
                raise self._refusal(charges, now)
            if meter.lasting and not meter.covers(amount):
                covered = False
            meters.append(meter)
            left.append(room)
        if not covered:
            return None
        marks = [
            meter.take(charge.amount, now) for meter, charge in zip(meters, charges, strict=True)
        ]
        reservation = Marked(charges, left, meters, marks)
        self._open.add(reservation)
        return reservation

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
        self._open.discard(reservation)
        now = self._clock()
        self._calendar.look()
        for meter, mark, amount in zip(reservation.meters, reservation.marks, amounts, strict=True):
            if mark[1] != amount:
                if meter.successor is not None:
                    _count_later(meter, amount - mark[1], now)
                meter.correct(mark, amount, now)
                if meter.lasting and not meter.covers(0):
                    self._follow(meter)

    async def correct(self, reservation: Reservation, amounts: Sequence[int]) -> None:
        """See Ledger."""
        assert isinstance(reservation, Marked)  # noqa: S101 - made above
        self.settle(reservation, amounts)
        self._open.add(reservation)
        reservation.marks = [
            (at, amount) for (at, _), amount in zip(reservation.marks, amounts, strict=True)
        ]

    async def left(self, buckets: Sequence[Bucket]) -> list[int]:
        """See Ledger."""
        now = self._clock()
        self._calendar.look()
        if len(self._meters) >= self._kept_max:
            self._forget_idle(now)
        meters = [self._meter(bucket) for bucket in buckets]
        return [meter.limit - meter.admitted(now) for meter in meters]

    async def close(self) -> None:
        """See Ledger."""
        if self._journal is not None:
            self._calendar.look()
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
        found.bucket = bucket
        return found

    def _new_meter(self, bucket: Bucket) -> Meter:
        if bucket.window not in LASTING:
            return meter_for(bucket.limit, bucket.window)
        if self._journal is None:
            return CalendarWindow(bucket.limit, bucket.window, self._calendar)
        kept = LastingWindow(bucket.key, bucket.limit, bucket.window, self._calendar)
        self._journal.restore(kept)
        return kept

    def _follow(self, meter: Meter) -> None:
        """Have the disk know of what turned out to be more than was written ahead."""
        if self._journal is not None and isinstance(meter, LastingWindow):
            self._journal.follow(meter)

    def _forget_idle(self, now: float) -> None:
        """Deployments and people come and go: those that are gone take no memory for ever.

        Where something is yet to be settled it stays: an answer may take longer than its minute.
        """
        held = {
            later
            for each in self._open
            for meter in each.meters
            for later in (meter, *meter.later())
        }
        self._meters = {
            key: meter
            for key, meter in self._meters.items()
            if meter in held or not meter.idle(now)
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


def _count_later(meter: Meter, more: int, now: float) -> None:
    """On those that have counted in its place since: what is more than was thought counts now."""
    if more > 0:
        for later in meter.later():
            later.take(more, now)

"""The ledger of one server: in its memory, on its event loop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from linarite.controls.quota.meters import meter_for
from linarite.domain.ledger import DoesNotFit, Refused, Reservation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.controls.quota.meters import Mark, Meter
    from linarite.domain.ledger import Bucket, Charge

KEPT_MAX = 1024
"""meters kept before those are forgotten that have nothing to remember"""


class Marked(Reservation):
    """With where each charge is found again."""

    __slots__ = ("marks",)

    def __init__(
        self,
        charges: Sequence[Charge],
        left: Sequence[int],
        marks: Sequence[tuple[Meter, Mark]],
    ) -> None:
        self.charges = charges
        self.left = left
        self.marks = marks


class MemoryLedger:
    """See Ledger. It never waits for anything."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        time_of_day: Callable[[], float] = time.time,
    ) -> None:
        """`clock` tells seconds and never goes back, whatever happens to the time of day."""
        self._clock = clock
        self._time_of_day = time_of_day
        self._meters: dict[str, Meter] = {}
        self._kept_max = KEPT_MAX

    def reserve_now(self, charges: Sequence[Charge]) -> Reservation:
        """See Ledger."""
        now = self._clock()
        found: list[Meter] = []
        for charge in charges:
            meter = self._meter(charge.bucket)
            found.append(meter)
            if meter.wait(charge.amount, now):
                raise self._refusal(charges, now)
        left: list[int] = []
        marks: list[tuple[Meter, Mark]] = []
        for meter, charge in zip(found, charges, strict=True):
            marks.append((meter, meter.take(charge.amount, now)))
            left.append(meter.left(now))
        return Marked(charges, left, marks)

    async def reserve(self, charges: Sequence[Charge]) -> Reservation:
        """See Ledger."""
        return self.reserve_now(charges)

    def settle(self, reservation: Reservation, amounts: Sequence[int]) -> None:
        """See Ledger."""
        assert isinstance(reservation, Marked)  # noqa: S101 - made above
        now = self._clock()
        for (meter, mark), amount in zip(reservation.marks, amounts, strict=True):
            if mark.amount != amount:
                meter.correct(mark, amount, now)

    async def left(self, buckets: Sequence[Bucket]) -> list[int]:
        """See Ledger."""
        now = self._clock()
        return [self._meter(bucket).left(now) for bucket in buckets]

    async def close(self) -> None:
        """See Ledger."""

    def _meter(self, bucket: Bucket) -> Meter:
        found = self._meters.get(bucket.key)
        if found is None or found.window is not bucket.window:
            self._forget_idle()
            found = meter_for(bucket.limit, bucket.window, self._time_of_day)
            self._meters[bucket.key] = found
        else:
            found.limit = bucket.limit
        return found

    def _forget_idle(self) -> None:
        """Deployments and people come and go: those that are gone take no memory for ever."""
        if len(self._meters) >= self._kept_max:
            now = self._clock()
            self._meters = {
                key: meter for key, meter in self._meters.items() if not meter.idle(now)
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

"""A ledger whose counts are looked at: what it settles and refuses is told to the thresholds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from linarite.domain.ledger import DoesNotFit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controls.usage_limits.thresholds import ThresholdWatch
    from linarite.domain.ledger import Bucket, Charge, Ledger, Refused, Reservation


class WatchedLedger:
    """Another ledger, and a watch over it. See `Ledger` for what each method does."""

    def __init__(self, ledger: Ledger, watch: ThresholdWatch) -> None:
        self._ledger = ledger
        self._watch = watch

    def reserve_now(self, charges: Sequence[Charge]) -> Reservation | None:
        """See Ledger."""
        try:
            return self._ledger.reserve_now(charges)
        except DoesNotFit as problem:
            self._refused(problem.refused)
            raise

    async def reserve(self, charges: Sequence[Charge]) -> Reservation:
        """See Ledger."""
        try:
            return await self._ledger.reserve(charges)
        except DoesNotFit as problem:
            self._refused(problem.refused)
            raise

    def _refused(self, refused: Refused) -> None:
        """Told, unless the request alone is more than the limit: that says nothing of its use."""
        if not math.isinf(refused.wait_s):
            self._watch.refused(refused.bucket, refused.left)

    def settle(self, reservation: Reservation, amounts: Sequence[int]) -> None:
        """See Ledger."""
        self._ledger.settle(reservation, amounts)
        self._watch.settled(reservation.charges, reservation.left, amounts)

    async def correct(self, reservation: Reservation, amounts: Sequence[int]) -> None:
        """See Ledger."""
        await self._ledger.correct(reservation, amounts)
        self._watch.settled(reservation.charges, reservation.left, amounts)

    async def left(self, buckets: Sequence[Bucket]) -> list[int]:
        """See Ledger."""
        return await self._ledger.left(buckets)

    async def close(self) -> None:
        """See Ledger."""
        await self._ledger.close()

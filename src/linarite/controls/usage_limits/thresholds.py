"""When so much of a limit is used that somebody should know, and when it begins to refuse."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.ledger import LASTING, Window
from linarite.domain.usage_limits import Bound, Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.domain.ledger import Bucket, Charge

WATCHED_MAX = 100_000
"""buckets; they are known anew within half a minute when so many are there"""
WHOLE = 100


class Crossing(msgspec.Struct, frozen=True):
    """Something worth telling about a limit, once in each of its windows."""

    subject: Subject
    bound: Bound
    percent: int
    """the one that was reached; 0: a request was refused"""
    used: int
    period: str
    """the window: `2026-01`, `2026-01-31`, or the minute, in UTC"""


class ThresholdWatch:
    """Looks at each count as it is settled. On the hot path: a fraction of a microsecond."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        """`now` in seconds since the epoch."""
        self.tell: Callable[[Crossing], None] = lambda _: None
        """called with each; must neither block nor raise"""
        self._now = now
        self._known: dict[str, tuple[Subject, Bound]] = {}
        self._warning: dict[str, tuple[Subject, Bound]] = {}
        """of these, those of which somebody wants to know before they refuse"""
        self._told: dict[str, tuple[str, int]] = {}
        """bucket → period, and the highest percentage told in it"""
        self._refusing: dict[str, str] = {}
        """bucket → the period in which it was told that it refuses"""

    def bucket(self, subject: Subject, bound: Bound) -> Bucket:
        """A subject's bucket, watched from now on."""
        bucket = subject.bucket(bound)
        if subject.limit.warn_at or bucket.window in LASTING:
            for kept in (self._known, self._warning, self._told, self._refusing):
                if len(kept) >= WATCHED_MAX:
                    kept.clear()
            self._known[bucket.key] = (subject, bound)
            if subject.limit.warn_at:
                self._warning[bucket.key] = (subject, bound)
            else:  # they may have been taken back
                self._warning.pop(bucket.key, None)
        return bucket

    def settled(
        self, charges: Sequence[Charge], left: Sequence[int], amounts: Sequence[int]
    ) -> None:
        """A request is over; as in the ledger's `settle`, `left` as its reservation had it."""
        warning = self._warning
        if not warning:
            return
        for charge, rest, amount in zip(charges, left, amounts, strict=True):
            known = warning.get(charge.bucket.key)
            if known is not None:
                used = charge.bucket.limit - rest - charge.amount + max(amount, 0)
                if used * WHOLE >= known[0].limit.warn_at[0] * charge.bucket.limit:
                    self._reached(charge.bucket, known, used)

    def refused(self, bucket: Bucket, left: int) -> None:
        """A request did not fit into a bucket; told of days and months."""
        known = self._known.get(bucket.key)
        if known is None or bucket.window not in LASTING:
            return
        period = self._period(bucket.window)
        if self._refusing.get(bucket.key) != period:
            self._refusing[bucket.key] = period
            self.tell(Crossing(*known, 0, bucket.limit - left, period))

    def _reached(self, bucket: Bucket, known: tuple[Subject, Bound], used: int) -> None:
        subject, bound = known
        period = self._period(bucket.window)
        last, told = self._told.get(bucket.key, ("", 0))
        if last != period:
            told = 0
        percent = max(each for each in subject.limit.warn_at if used * WHOLE >= each * bucket.limit)
        if percent > told:
            self._told[bucket.key] = (period, percent)
            self.tell(Crossing(subject, bound, percent, used, period))

    def _period(self, window: Window) -> str:
        parts = {Window.MONTH: "%Y-%m", Window.DAY: "%Y-%m-%d"}
        return time.strftime(parts.get(window, "%Y-%m-%dT%H:%MZ"), time.gmtime(self._now()))

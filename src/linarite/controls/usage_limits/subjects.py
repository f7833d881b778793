"""Those whom limits count apart, up to a number: nobody fills the memory by inventing names."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from linarite.domain.ledger import Window
from linarite.domain.usage_limits import Subject, UsageLimit

if TYPE_CHECKING:
    from collections.abc import Callable

SUBJECTS_MAX = 10_000
"""of one limit, that are counted apart"""
OTHERS = "*others"
"""whom those are counted under that come when so many are: together, so that none is unlimited"""
DAY_S = 86_400.0
COUNTED_S = {Window.DAY: DAY_S, Window.MONTH: 31 * DAY_S}
"""how long something may stay counted, where it is longer than a few minutes"""
BRIEFLY_S = 300.0
SCANNED_S = 60.0
"""where all are known, one limit's are looked through so often for those that are gone"""
NAME_MAX = 256
"""characters of a name that are compared"""


class SubjectBook:
    """Who was met under each limit. It outlives the facts that are read anew."""

    def __init__(
        self, *, subjects_max: int = SUBJECTS_MAX, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` tells seconds and never goes back."""
        self._max = subjects_max
        self._clock = clock
        self._seen: dict[str, dict[str, float]] = {}
        """limit → subject → when it was met last"""
        self._scanned: dict[str, float] = {}
        """limit → when it was looked through last"""

    def subject(self, limit: UsageLimit, name: str) -> Subject:
        """The one of that name, or the one for all others where there are too many."""
        name = name[:NAME_MAX]
        now = self._clock()
        key = limit.id.lower()
        seen = self._seen.setdefault(key, {})
        if name not in seen and len(seen) >= self._max:
            if now >= self._scanned.get(key, -math.inf) + SCANNED_S:
                self._scanned[key] = now
                _forget_idle(limit, seen, now)
            if len(seen) >= self._max:
                return Subject(limit, OTHERS)
        seen[name] = now
        return Subject(limit, name)

    def known(self, limit: UsageLimit) -> list[Subject]:
        """Those that were met, and the one that the limit names."""
        names = dict.fromkeys([limit.subject] if limit.subject else [])
        names |= dict.fromkeys(self._seen.get(limit.id.lower(), ()))
        if len(names) >= self._max:
            names[OTHERS] = None
        return [Subject(limit, name) for name in names]

    def forget(self, limit_id: str) -> None:
        """The limit is gone."""
        self._seen.pop(limit_id.lower(), None)
        self._scanned.pop(limit_id.lower(), None)


def _forget_idle(limit: UsageLimit, seen: dict[str, float], now: float) -> None:
    """Whoever came last before the longest window has nothing counted any more."""
    longest = max(COUNTED_S.get(each.measure.window, BRIEFLY_S) for each in limit.bounds)
    for name in [name for name, at in seen.items() if at < now - longest]:
        del seen[name]

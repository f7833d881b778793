"""The ledger's time, as one server knows it: the store's, checked by a clock that never jumps."""

from __future__ import annotations

import time

NEAR_S = 0.05
"""a reply that came so soon tells the time well"""


def _steady_s() -> float:
    """Also counts while the machine sleeps, where the system can tell."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class LedgerClock:
    """Milliseconds."""

    def __init__(self) -> None:
        self.generation = 0
        self._ahead_ms: float | None = None

    def expected(self) -> int:
        """The ledger's time now; -1 where nobody has told it yet."""
        return -1 if self._ahead_ms is None else round(_steady_s() * 1000 + self._ahead_ms)

    def hear(self, now: int, generation: int, took_s: float) -> None:
        """A reply tells it."""
        ahead_ms = now - _steady_s() * 1000
        known = self._ahead_ms
        if known is None or generation != self.generation or took_s < NEAR_S or ahead_ms > known:
            self._ahead_ms = ahead_ms
        self.generation = generation

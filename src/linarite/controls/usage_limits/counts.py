"""What is used of a limit, as the ledger has it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from linarite.domain.calendar_windows import period_end
from linarite.domain.ledger import LASTING
from linarite.domain.usage_limits import Standing, Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.controls.usage_limits.subjects import SubjectBook
    from linarite.domain.ledger import Ledger, Window
    from linarite.domain.usage_limits import Bound, UsageLimit

AT_ONCE = 500
"""buckets asked for together"""


class LedgerCounts:
    """See LimitCounts. It knows the subjects that this server has met, and those that are named."""

    def __init__(
        self, ledger: Ledger, subjects: SubjectBook, *, now: Callable[[], float] = time.time
    ) -> None:
        """`now` in seconds since the epoch."""
        self._ledger = ledger
        self._subjects = subjects
        self._now = now

    async def standing(self, limit: UsageLimit) -> list[Standing]:
        """See LimitCounts. Raises LedgerUnavailable."""
        wanted = [(each, bound) for each in self._subjects.known(limit) for bound in limit.bounds]
        found: list[Standing] = []
        for at in range(0, len(wanted), AT_ONCE):
            found += await self._of(wanted[at : at + AT_ONCE])
        return found

    async def _of(self, wanted: list[tuple[Subject, Bound]]) -> list[Standing]:
        left = await self._ledger.left([each.bucket(bound) for each, bound in wanted])
        return [
            Standing(each.name, bound, bound.amount - rest, self._ends(bound.measure.window))
            for (each, bound), rest in zip(wanted, left, strict=True)
        ]

    def _ends(self, window: Window) -> str:
        if window not in LASTING:
            return ""
        end = datetime.fromtimestamp(period_end(window, self._now()), UTC)
        return end.strftime("%Y-%m-%dT%H:%M:%SZ")

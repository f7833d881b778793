"""Counts of days and months in memory, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.ledger import LastingCount


class MemoryLastingCounts:
    """See LastingCounts."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], LastingCount] = {}

    async def read(self) -> list[LastingCount]:
        """See LastingCounts."""
        return list(self._kept.values())

    async def write(self, counts: Sequence[LastingCount], *, now: float) -> None:
        """See LastingCounts."""
        self._kept = {place: each for place, each in self._kept.items() if each.over_at > now}
        self._kept.update({(each.key, each.period): each for each in counts})

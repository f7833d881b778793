"""Grains in a dictionary."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from linarite.domain.azure_metrics.grains import HOUR_S, MINUTE_S, Grain, Tally
from linarite.storage.retention import Retention

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.azure_metrics.grains import GrainQuery, Series


class MemoryMetricStore:
    """`MetricStore` without a file: gone with the process."""

    def __init__(self, retention: Retention | None = None) -> None:
        self._retention = retention or Retention()
        self._tallies: dict[tuple[int, int, Series], Tally] = {}
        """by span, moment and series"""

    async def add(self, grains: Sequence[Grain]) -> None:
        """Count in what came in these minutes, and in their hours."""
        for grain in grains:
            for span_s in (MINUTE_S, HOUR_S):
                key = (span_s, grain.at_s // span_s * span_s, grain.series)
                self._tallies.setdefault(key, Tally()).add(grain.tally)

    async def read(self, query: GrainQuery) -> list[Grain]:
        """Those that begin in the time asked for, the oldest first."""
        found = [
            Grain(at_s, series, deepcopy(tally))
            for (span_s, at_s, series), tally in self._tallies.items()
            if span_s == query.span_s
            and series.account_key == query.account_key
            and query.since_s <= at_s < query.until_s
        ]
        return sorted(found, key=lambda grain: grain.at_s)

    async def tidy(self, now_s: float) -> int:
        """Forget what is past its time, and the oldest minutes where there are too many."""
        oldest = {MINUTE_S: 0.0, HOUR_S: 0.0}
        if self._retention.age_s is not None:
            oldest = dict.fromkeys(oldest, now_s - self._retention.age_s)
        if self._retention.rows is not None:
            minutes = sorted(at_s for span_s, at_s, _ in self._tallies if span_s == MINUTE_S)
            beyond = len(minutes) - self._retention.rows
            if beyond > 0:
                oldest[MINUTE_S] = max(oldest[MINUTE_S], minutes[beyond])
        kept = {key: tally for key, tally in self._tallies.items() if key[1] >= int(oldest[key[0]])}
        gone = len(self._tallies) - len(kept)
        self._tallies = kept
        return gone

    async def close(self) -> None:
        """Nothing is held."""

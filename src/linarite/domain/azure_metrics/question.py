"""From grains to the time series of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.azure_metrics.catalogue import DIMENSIONS
from linarite.domain.azure_metrics.filters import EVERYTHING, Filter
from linarite.domain.azure_metrics.grains import HOUR_S, MINUTE_S, GrainQuery, Spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from linarite.domain.azure_metrics.catalogue import MetricDefinition
    from linarite.domain.azure_metrics.grains import Grain, MetricReader, Series

BY_NAME = {name.lower(): value for name, value in DIMENSIONS.items()}


class Window(msgspec.Struct, frozen=True):
    """The time a question is about, cut into steps of one length from its beginning on."""

    since_s: int
    """a whole minute"""
    until_s: int
    """not included"""
    step_s: int

    @property
    def steps(self) -> int:
        """How many there are; the last may be cut short."""
        return -(-(self.until_s - self.since_s) // self.step_s)

    def reads(self, account_key: str) -> list[GrainQuery]:
        """What must be read: hours where a whole one lies in a step, minutes for the rest."""
        whole_hours = self.step_s % HOUR_S == 0
        first_hour = -(-self.since_s // HOUR_S) * HOUR_S
        end_hour = self.until_s // HOUR_S * HOUR_S
        if not whole_hours or end_hour <= first_hour:
            return [GrainQuery(account_key, self.since_s, self.until_s, MINUTE_S)]
        if self.since_s == first_hour:
            hours = [GrainQuery(account_key, first_hour, end_hour, HOUR_S)]
            return [*hours, GrainQuery(account_key, end_hour, self.until_s, MINUTE_S)]
        if self.step_s == HOUR_S:
            return [GrainQuery(account_key, self.since_s, self.until_s, MINUTE_S)]
        return list(self._mixed(account_key))

    def _mixed(self, account_key: str) -> Iterable[GrainQuery]:
        """Of each step its whole hours, and the minutes before and after them."""
        for begin in range(self.since_s, self.until_s, self.step_s):
            end = min(begin + self.step_s, self.until_s)
            first, last = -(-begin // HOUR_S) * HOUR_S, end // HOUR_S * HOUR_S
            if last <= first:
                yield GrainQuery(account_key, begin, end, MINUTE_S)
                continue
            yield GrainQuery(account_key, begin, first, MINUTE_S)
            yield GrainQuery(account_key, first, last, HOUR_S)
            yield GrainQuery(account_key, last, end, MINUTE_S)


class TimeSeries(msgspec.Struct, frozen=True):
    """One line of a chart."""

    values: tuple[str, ...]
    """of the dimensions that series are split by, in their order"""
    points: dict[int, Spread]
    """by the number of the step; steps in which nothing was measured are not there"""

    def whole(self) -> Spread:
        """All points together."""
        added = Spread()
        for point in self.points.values():
            added.add(point)
        return added


async def grains_in(
    reader: MetricReader, account_keys: Iterable[str], window: Window
) -> list[Grain]:
    """What is known of these accounts in a window. Raises ServiceUnavailable."""
    return [
        grain
        for account_key in account_keys
        for query in window.reads(account_key)
        if query.since_s < query.until_s
        for grain in await reader.read(query)
    ]


def time_series(
    metric: MetricDefinition,
    grains: Iterable[Grain],
    window: Window,
    *,
    wanted: Filter = EVERYTHING,
    split_by: Sequence[str] = (),
) -> list[TimeSeries]:
    """A metric's values, a series for each combination of values that `split_by` has.

    `split_by` are names of dimensions in lower case. None where nothing was measured.
    """
    found: dict[tuple[str, ...], dict[int, Spread]] = {}
    known: dict[Series, tuple[str, ...] | None] = {}
    for grain in grains:
        series = grain.series
        if series not in known:
            known[series] = _place_of(series, wanted, split_by)
        place = known[series]
        value = metric.value(series, grain.tally) if place is not None else None
        if place is None or value is None:
            continue
        step = (grain.at_s - window.since_s) // window.step_s
        found.setdefault(place, {}).setdefault(step, Spread()).add(value)
    return [TimeSeries(values=place, points=points) for place, points in found.items()]


def _place_of(series: Series, wanted: Filter, split_by: Sequence[str]) -> tuple[str, ...] | None:
    """Which line a series belongs to; None when it is not wanted."""
    if not wanted.wants(lambda name: dimension_of(series, name)):
        return None
    return tuple(dimension_of(series, name) for name in split_by)


def dimension_of(series: Series, name: str) -> str:
    """A dimension's value, by its name in lower case; "" for one that there is not."""
    if name == RESOURCE_ID:
        return series.account_key
    value = BY_NAME.get(name)
    return value(series) if value is not None else ""


RESOURCE_ID = "microsoft.resourceid"
"""the dimension by which questions about several resources tell them apart"""


def aggregated(spread: Spread | None, aggregation: str, *, empty: float | None) -> float | None:
    """One number of a spread, by Azure Monitor's word for it; `empty` where nothing was measured.

    `aggregation` is in lower case: `total`, `count`, `average`, `minimum`, `maximum`.
    """
    if spread is None or not spread.count:
        return empty
    if aggregation == "average":
        return spread.total / spread.count
    return {
        "total": spread.total,
        "count": float(spread.count),
        "minimum": spread.least,
        "maximum": spread.most,
    }[aggregation]

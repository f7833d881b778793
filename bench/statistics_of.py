"""Medians, percentiles and slopes of what rounds measured, and how far to trust them."""

from __future__ import annotations

import math
from statistics import linear_regression, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["median_bounds", "median_of", "percentile", "ratio", "slope"]

DOUBT = 0.05
"""how often what is measured may lie outside of its bounds"""


def median_of(values: Iterable[float]) -> float:
    """The median; nan when there is nothing."""
    known = [value for value in values if not math.isnan(value)]
    return median(known) if known else math.nan


def median_bounds(values: Sequence[float]) -> tuple[float, float]:
    """Between which the true median lies, in 19 of 20 cases; nan for fewer than six values.

    Whatever their distribution: each is as likely above the median as below it, so that the k-th
    from an end is beyond it as seldom as fewer than k heads come in as many throws.
    """
    ordered, count = sorted(values), len(values)
    beyond, outside = 0, 2 / 2**count
    while outside <= DOUBT:
        beyond += 1
        outside += 2 * math.comb(count, beyond) / 2**count
    if not beyond:
        return math.nan, math.nan
    return ordered[beyond - 1], ordered[-beyond]


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie; nan when there is nothing."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def ratio(of: float, to: float) -> float:
    """Of / to; nan where that makes no sense."""
    return of / to if to else math.nan


def slope(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Least squares: the slope, and its standard error (nan under three points)."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    line = linear_regression(xs, ys)
    degrees = len(points) - 2
    if degrees < 1:
        return line.slope, math.nan
    residue = sum((y - line.intercept - line.slope * x) ** 2 for x, y in points)
    middle = sum(xs) / len(xs)
    spread = sum((x - middle) ** 2 for x in xs)
    return line.slope, math.sqrt(residue / degrees / spread)

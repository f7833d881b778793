"""Whether a rule's condition is met, and for which values of its dimensions."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.azure_metrics.catalogue import METRICS
from linarite.domain.azure_metrics.filters import Filter
from linarite.domain.azure_metrics.question import aggregated, time_series

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.domain.alerts import AlertDimension, AlertRule, Criterion
    from linarite.domain.azure_metrics.filters import Values
    from linarite.domain.azure_metrics.grains import Grain
    from linarite.domain.azure_metrics.question import Window

COMPARED: dict[str, Callable[[float, float], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqual": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqual": operator.le,
}
COUNTED = ("total", "count")
"""aggregations of which nothing measured means none"""
MET_MAX = 1_000
"""combinations of values that one rule tells apart"""


class Met(msgspec.Struct, frozen=True):
    """A combination of values for which every condition is met."""

    dimensions: dict[str, str]
    values: list[float]
    """of each condition's metric, in their order"""


def met_by(rule: AlertRule, grains: Sequence[Grain], window: Window) -> list[Met]:
    """All combinations; one without dimensions for a rule that has none."""
    found = [Met({}, [])]
    for criterion in rule.criteria:
        rows = _rows(criterion, grains, window)
        found = [
            Met(one.dimensions | dimensions, [*one.values, value])
            for one in found
            for dimensions, value in rows
            if all(one.dimensions.get(name, said) == said for name, said in dimensions.items())
        ][:MET_MAX]
    return found


def _rows(
    criterion: Criterion, grains: Sequence[Grain], window: Window
) -> list[tuple[dict[str, str], float]]:
    """The values of one condition's metric that meet it."""
    metric = METRICS[criterion.metric_name.lower()]
    names = [each.name for each in criterion.dimensions]
    wanted = Filter(tuple(names), lambda values: _wants(criterion.dimensions, values))
    aggregation = criterion.time_aggregation.lower()
    lowered = [name.lower() for name in names]
    series = time_series(metric, grains, window, wanted=wanted, split_by=lowered)
    empty = 0.0 if aggregation in COUNTED else None
    rows: list[tuple[dict[str, str], float | None]] = [
        (
            dict(zip(names, each.values, strict=True)),
            aggregated(each.whole(), aggregation, empty=empty),
        )
        for each in series
    ]
    if not rows and not names:
        rows = [({}, empty)]
    compared = COMPARED[criterion.operator]
    return [
        (dimensions, value)
        for dimensions, value in rows
        if value is not None and compared(value, criterion.threshold)
    ]


def _wants(dimensions: Sequence[AlertDimension], values: Values) -> bool:
    return all(_takes(each, values(each.name.lower())) for each in dimensions)


def _takes(dimension: AlertDimension, value: str) -> bool:
    if not value:  # it has no such dimension, which is no value
        return False
    if dimension.operator == "StartsWith":
        return any(value.lower().startswith(each.lower()) for each in dimension.values)
    named = "*" in dimension.values or value.lower() in map(str.lower, dimension.values)
    return named is (dimension.operator == "Include")

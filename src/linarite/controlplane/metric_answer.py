"""The body of an answer about metrics, in the shape that Azure Monitor has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from linarite.domain.azure_metrics.grains import MINUTE_S
from linarite.domain.azure_metrics.question import TimeSeries, aggregated, time_series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controlplane.metric_question import Question
    from linarite.domain.azure_metrics.catalogue import MetricDefinition
    from linarite.domain.azure_metrics.grains import Grain

COUNTED = frozenset(("Total", "Count"))
"""what is 0, and not unknown, where nothing was counted"""


def stamp(at_s: float) -> str:
    """A moment as Azure Monitor writes it."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cost_of(question: Question) -> int:
    """What the answer took, relative to others: minutes of metrics that were looked at."""
    minutes = (question.window.until_s - question.window.since_s) // MINUTE_S
    return max(minutes - 1, 0) * len(question.metrics)


def metrics_of(
    question: Question, scope: str, grains: Sequence[Grain], ids: dict[str, str]
) -> list[dict[str, Any]]:
    """`value`: each metric with its series.

    `scope` is the resource or subscription that was asked about; `ids` are the ids of resources
    by their lower-cased form, for series by resource. Takes its time: call it from a thread.
    """
    return [_metric(question, metric, scope, grains, ids) for metric in question.metrics]


def _metric(
    question: Question,
    metric: MetricDefinition,
    scope: str,
    grains: Sequence[Grain],
    ids: dict[str, str],
) -> dict[str, Any]:
    found = time_series(
        metric, grains, question.window, wanted=question.wanted, split_by=question.split_by
    )
    return {
        "id": f"{scope}/providers/Microsoft.Insights/metrics/{metric.name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": metric.name, "localizedValue": metric.title},
        "displayDescription": metric.description,
        "unit": metric.unit,
        "timeseries": [
            _series(question, metric, each, ids) for each in _chosen(question, metric, found)
        ],
        "errorCode": "Success",
    }


def _chosen(
    question: Question, metric: MetricDefinition, found: list[TimeSeries]
) -> list[TimeSeries]:
    """The first `top` series; one that is empty where nothing is split and nothing was measured."""
    if not question.split_by:
        return found or [TimeSeries(values=(), points={})]
    if question.metadata_only:
        return sorted(found, key=lambda each: each.values)
    order = question.order
    by = order.aggregation if order is not None else metric.aggregations[0].lower()

    def size(each: TimeSeries) -> float:
        return aggregated(each.whole(), by, empty=0.0) or 0.0

    descending = order is None or order.descending
    return sorted(sorted(found, key=lambda each: each.values), key=size, reverse=descending)[
        : question.top
    ]


def _series(
    question: Question, metric: MetricDefinition, found: TimeSeries, ids: dict[str, str]
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "metadatavalues": [
            {
                "name": {"value": name, "localizedValue": name},
                "value": ids.get(value, value),
            }
            for name, value in zip(question.split_by, found.values, strict=True)
        ]
    }
    if question.metadata_only:
        return body
    window = question.window
    asked = question.aggregations or metric.aggregations[:1]
    body["data"] = [
        {
            "timeStamp": stamp(window.since_s + step * window.step_s),
            **_point(metric, asked, found, step),
        }
        for step in range(window.steps)
    ]
    return body


def _point(
    metric: MetricDefinition, asked: Sequence[str], found: TimeSeries, step: int
) -> dict[str, float]:
    spread = found.points.get(step)
    values: dict[str, float] = {}
    for aggregation in asked:
        if aggregation not in metric.aggregations and aggregation in {"Minimum", "Maximum"}:
            continue  # of what is only summed up, no single value is known
        empty = 0.0 if aggregation in COUNTED and metric.unit == "Count" else None
        value = aggregated(spread, aggregation.lower(), empty=empty)
        if value is not None:
            values[aggregation.lower()] = value
    return values

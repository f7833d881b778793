"""Metrics as Azure exports them: a record for each metric and minute in which it was measured.

Source: learn.microsoft.com, "Diagnostic settings in Azure Monitor": what has dimensions is told
added up over all their values. Metrics that Azure's own table marks as not exportable are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.diagnostics.records import azure_time
from linarite.domain.azure_metrics.catalogue import METRICS
from linarite.domain.azure_metrics.grains import MINUTE_S, GrainQuery
from linarite.domain.azure_metrics.question import Window, time_series
from linarite.domain.diagnostics import ALL_METRICS, DiagnosticRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.azure_metrics.grains import Grain, MetricReader, Spread

SECOND_NS = 1_000_000_000
NOT_EXPORTED = frozenset(
    (
        "AzureOpenAIAvailabilityRate",
        "AzureOpenAIContextTokensCacheMatchRate",
        "AzureOpenAIProvisionedManagedUtilization",
        "AzureOpenAIProvisionedManagedUtilizationV2",
    )
)
EXPORTED = tuple(metric for metric in METRICS.values() if metric.name not in NOT_EXPORTED)


async def records_of(
    reader: MetricReader, account_id: str, minutes: range
) -> list[DiagnosticRecord]:
    """The records of an account's minutes, in their order. Raises ServiceUnavailable."""
    since_s, until_s = minutes.start * MINUTE_S, minutes.stop * MINUTE_S
    grains = await reader.read(GrainQuery(account_id.lower(), since_s, until_s, MINUTE_S))
    return of_grains(grains, account_id, Window(since_s, until_s, MINUTE_S))


def of_grains(grains: Sequence[Grain], account_id: str, window: Window) -> list[DiagnosticRecord]:
    """One for each metric and minute, over all dimensions."""
    if not grains:
        return []
    found: list[DiagnosticRecord] = []
    for metric in EXPORTED:
        for series in time_series(metric, grains, window):
            found += [
                _record(account_id, metric.name, window.since_s + step * MINUTE_S, spread)
                for step, spread in series.points.items()
                if spread.count
            ]
    return sorted(found, key=lambda each: each.at_ns)


def _record(account_id: str, name: str, at_s: int, spread: Spread) -> DiagnosticRecord:
    record_id = f"metric/{at_s}/{name}"
    return DiagnosticRecord(
        id=record_id,
        category=ALL_METRICS,
        resource_id=account_id,
        at_ns=at_s * SECOND_NS,
        failed=False,
        body={
            "count": spread.count,
            "total": spread.total,
            "minimum": spread.least,
            "maximum": spread.most,
            "average": spread.total / spread.count,
            "resourceId": account_id.upper(),
            "time": azure_time(at_s * SECOND_NS),
            "metricName": name,
            "timeGrain": "PT1M",
            "linariteRecordId": record_id,
        },
    )

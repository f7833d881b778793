"""Which metrics there are, and in which namespace.

Source: learn.microsoft.com, "Metric Definitions - List", "- List At Subscription Scope" and
"Metric Namespaces - List".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controlplane.metric_question import INTERVALS, region_of, require_namespace
from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import account_of, require_subscription
from linarite.domain.azure_metrics.catalogue import METRICS, NAMESPACE

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.azure_metrics.catalogue import MetricDefinition

RETENTION = "P93D"
AGGREGATIONS = ("None", "Average", "Minimum", "Maximum", "Total", "Count")


async def of_account(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Those of an account."""
    account = await account_of(surface, target)
    require_namespace(request.query.get("metricnamespace", ""))
    value = [shown(metric, account.id) for metric in METRICS.values()]
    return Answer(200, {"value": value})


async def of_subscription(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Those that all accounts of a region have."""
    subscription = require_subscription(surface, target)
    region_of(request.query)  # must be there; every region has the same
    require_namespace(request.query.get("metricnamespace", ""))
    value = [shown(metric, subscription) for metric in METRICS.values()]
    return Answer(200, {"value": value})


async def namespaces(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The one there is."""
    del request
    account = await account_of(surface, target)
    name = NAMESPACE.replace("/", "-")
    value = [
        {
            "id": f"{account.id}/providers/microsoft.insights/metricNamespaces/{name}",
            "type": "Microsoft.Insights/metricNamespaces",
            "name": name,
            "classification": "Platform",
            "properties": {"metricNamespaceName": NAMESPACE},
        }
    ]
    return Answer(200, {"value": value})


def shown(metric: MetricDefinition, scope: str) -> dict[str, Any]:
    """A metric as ARM shows it."""
    return {
        "id": f"{scope}/providers/microsoft.insights/metricdefinitions/{metric.name}",
        "resourceId": scope,
        "namespace": NAMESPACE,
        "category": metric.category,
        "name": {"value": metric.name, "localizedValue": metric.title},
        "displayDescription": metric.description,
        "isDimensionRequired": False,
        "unit": metric.unit,
        "primaryAggregationType": metric.aggregations[0],
        "supportedAggregationTypes": list(AGGREGATIONS),
        "metricAvailabilities": [
            {"timeGrain": grain, "retention": RETENTION} for grain in INTERVALS
        ],
        "dimensions": [{"value": name, "localizedValue": name} for name in metric.dimensions],
    }

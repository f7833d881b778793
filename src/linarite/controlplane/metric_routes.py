"""The rows of what is measured: Azure Monitor's metrics, and usage with its cost."""

from __future__ import annotations

from linarite.controlplane.api_versions import COST_MANAGEMENT, METRIC_NAMESPACES, METRICS
from linarite.controlplane.paths import ACCOUNT, SUBSCRIPTION
from linarite.controlplane.resource_type import Action
from linarite.controlplane.resources.cost_queries import actions as costs
from linarite.controlplane.resources.metric_definitions import reads as definitions
from linarite.controlplane.resources.metrics import batch
from linarite.controlplane.resources.metrics import reads as metrics
from linarite.controlplane.router import SCOPE

INSIGHTS = "providers/Microsoft.Insights"
READS_METRICS = "Microsoft.Insights/metrics/read"
READS_DEFINITIONS = "Microsoft.Insights/metricDefinitions/read"
BATCH_AUDIENCE = "https://metrics.monitor.azure.com"
"""whom clients of Azure ask a token for when they ask about several resources"""

METRIC_ACTIONS = (
    Action(
        method="POST",
        template=f"/{SCOPE}/providers/{costs.TYPE}",
        versions=COST_MANAGEMENT,
        type=costs.TYPE,
        permission=f"{costs.TYPE}/read",
        act=costs.query_usage,
        reads=True,
    ),
    Action(
        method="GET",
        template=f"{ACCOUNT}/{INSIGHTS}/metrics",
        versions=METRICS,
        type="Microsoft.Insights/metrics",
        permission=READS_METRICS,
        act=metrics.of_account,
    ),
    Action(
        method="GET",
        template=f"{SUBSCRIPTION}/{INSIGHTS}/metrics",
        versions=METRICS,
        type="Microsoft.Insights/metrics",
        permission=READS_METRICS,
        act=metrics.of_subscription,
    ),
    Action(
        method="POST",
        template=f"{SUBSCRIPTION}/{INSIGHTS}/metrics",
        versions=METRICS,
        type="Microsoft.Insights/metrics",
        permission=READS_METRICS,
        act=metrics.of_subscription,
        reads=True,
    ),
    Action(
        method="POST",
        template=f"{SUBSCRIPTION}/metrics:getBatch",
        versions=METRICS,
        type="Microsoft.Insights/metrics",
        permission=READS_METRICS,
        act=batch.of_resources,
        entry="part",
        reads=True,
        audience=BATCH_AUDIENCE,
    ),
    Action(
        method="GET",
        template=f"{ACCOUNT}/{INSIGHTS}/metricDefinitions",
        versions=METRICS,
        type="Microsoft.Insights/metricDefinitions",
        permission=READS_DEFINITIONS,
        act=definitions.of_account,
    ),
    Action(
        method="GET",
        template=f"{SUBSCRIPTION}/{INSIGHTS}/metricDefinitions",
        versions=METRICS,
        type="Microsoft.Insights/metricDefinitions",
        permission=READS_DEFINITIONS,
        act=definitions.of_subscription,
    ),
    Action(
        method="GET",
        template=f"{ACCOUNT}/{INSIGHTS}/metricNamespaces",
        versions=METRIC_NAMESPACES,
        type="Microsoft.Insights/metricNamespaces",
        permission="Microsoft.Insights/metricNamespaces/read",
        act=definitions.namespaces,
    ),
)

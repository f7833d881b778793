"""The rows of what is measured: Azure Monitor's metrics, usage with its cost, and budgets."""

from __future__ import annotations

from linarite.controlplane.api_versions import (
    CONSUMPTION,
    COST_MANAGEMENT,
    METRIC_NAMESPACES,
    METRICS,
)
from linarite.controlplane.metric_question import READS_METRICS
from linarite.controlplane.paths import ACCOUNT, SUBSCRIPTION, WITHOUT_PATCH
from linarite.controlplane.resource_type import Action, ResourceType, reading
from linarite.controlplane.resources.budgets import rules as budgets
from linarite.controlplane.resources.cost_queries import actions as costs
from linarite.controlplane.resources.metric_definitions import reads as definitions
from linarite.controlplane.resources.metrics import batch
from linarite.controlplane.resources.metrics import reads as metrics
from linarite.controlplane.router import SCOPE
from linarite.domain.budgets import BUDGET_TYPE

INSIGHTS = "providers/Microsoft.Insights"
METRICS_TYPE = "Microsoft.Insights/metrics"
DEFINITIONS_TYPE = "Microsoft.Insights/metricDefinitions"
NAMESPACES_TYPE = "Microsoft.Insights/metricNamespaces"
BATCH_AUDIENCE = "https://metrics.monitor.azure.com"
"""whom clients of Azure ask a token for when they ask about several resources"""

COST_TYPES: tuple[ResourceType, ...] = (
    ResourceType(
        type=BUDGET_TYPE,
        template=f"/{SCOPE}/providers/{BUDGET_TYPE}/{{budget}}",
        versions=CONSUMPTION,
        verbs=WITHOUT_PATCH,
        here_only=True,
        etag_word="eTag",
        name_pattern=budgets.NAME,
        sent_properties=budgets.SentBudget,
        read_only=budgets.READ_ONLY,
        linked=budgets.linked,
        gather=budgets.gather,
        complete=budgets.complete,
        admit=budgets.admit,
        show=budgets.show,
        written=budgets.written,
        partial="of subscriptions and resource groups; contactGroups are told, contactEmails and "
        "contactRoles are kept and told nothing",
    ),
)
METRIC_ACTIONS: tuple[Action, ...] = (
    Action(
        method="POST",
        template=f"/{SCOPE}/providers/{costs.TYPE}",
        versions=COST_MANAGEMENT,
        type=costs.TYPE,
        permission=f"{costs.TYPE}/read",
        act=costs.query_usage,
        reads=True,
    ),
    reading(f"{ACCOUNT}/{INSIGHTS}/metrics", METRICS, METRICS_TYPE, metrics.of_account),
    reading(f"{SUBSCRIPTION}/{INSIGHTS}/metrics", METRICS, METRICS_TYPE, metrics.of_subscription),
    Action(
        method="POST",
        template=f"{SUBSCRIPTION}/{INSIGHTS}/metrics",
        versions=METRICS,
        type=METRICS_TYPE,
        permission=READS_METRICS,
        act=metrics.of_subscription,
        reads=True,
    ),
    Action(
        method="POST",
        template=f"{SUBSCRIPTION}/metrics:getBatch",
        versions=METRICS,
        type=METRICS_TYPE,
        permission=READS_METRICS,
        act=batch.of_resources,
        entry="part",
        reads=True,
        audience=BATCH_AUDIENCE,
    ),
    reading(
        f"{ACCOUNT}/{INSIGHTS}/metricDefinitions",
        METRICS,
        DEFINITIONS_TYPE,
        definitions.of_account,
    ),
    reading(
        f"{SUBSCRIPTION}/{INSIGHTS}/metricDefinitions",
        METRICS,
        DEFINITIONS_TYPE,
        definitions.of_subscription,
    ),
    reading(
        f"{ACCOUNT}/{INSIGHTS}/metricNamespaces",
        METRIC_NAMESPACES,
        NAMESPACES_TYPE,
        definitions.namespaces,
    ),
)

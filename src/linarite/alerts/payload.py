"""What is posted when an alert fires or is resolved.

Sources: learn.microsoft.com, "Common alert schema"; "Webhook for metric alerts", for receivers
that do not ask for the common one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.alerts.evaluation import Met
from linarite.domain.alerts import AlertRule, AlertState
from linarite.domain.arm_id import resource_group_of, segments_of, subscription_of
from linarite.domain.azure_metrics.catalogue import NAMESPACE
from linarite.domain.resource import ACCOUNT_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.domain.alerts import Criterion

CONDITION_TYPE = "SingleResourceMultipleMetricCriteria"


class Told(msgspec.Struct, frozen=True):
    """What an evaluation found."""

    rule: AlertRule
    state: AlertState
    met: Met | None
    """None when it is resolved"""
    since: str
    until: str
    """the window, ISO 8601"""


def body_of(told: Told, properties: Mapping[str, str], *, common: bool) -> str:
    """The JSON that a receiver gets; `properties` are those that the rule adds."""
    body = _common(told, properties) if common else _of_metric_alert(told, properties)
    return msgspec.json.encode(body).decode()


def _common(told: Told, properties: Mapping[str, str]) -> dict[str, Any]:
    rule, state = told.rule, told.state
    essentials = {
        "alertId": f"/subscriptions/{subscription_of(rule.id)}/providers"
        f"/Microsoft.AlertsManagement/alerts/{state.alert_id}",
        "alertRule": rule.name,
        "alertRuleID": rule.id,
        "severity": f"Sev{rule.severity}",
        "signalType": "Metric",
        "monitorCondition": "Resolved" if state.resolved_at else "Fired",
        "monitoringService": "Platform",
        "alertTargetIDs": [rule.account_id.lower()],
        "configurationItems": [segments_of(rule.account_id)[-1]],
        "originAlertId": state.alert_id,
        "firedDateTime": state.fired_at,
        "description": rule.description,
        "essentialsVersion": "1.0",
        "alertContextVersion": "1.0",
    }
    if state.resolved_at:
        essentials["resolvedDateTime"] = state.resolved_at
    context = {
        "properties": dict(properties) or None,
        "conditionType": CONDITION_TYPE,
        "condition": _condition(told),
    }
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": essentials,
            "alertContext": context,
            "customProperties": dict(properties) or None,
        },
    }


def _of_metric_alert(told: Told, properties: Mapping[str, str]) -> dict[str, Any]:
    rule, state = told.rule, told.state
    return {
        "schemaId": "AzureMonitorMetricAlert",
        "data": {
            "version": "2.0",
            "properties": dict(properties) or None,
            "status": "Deactivated" if state.resolved_at else "Activated",
            "context": {
                "timestamp": state.resolved_at or state.fired_at,
                "id": rule.id,
                "name": rule.name,
                "description": rule.description,
                "conditionType": CONDITION_TYPE,
                "severity": str(rule.severity),
                "condition": _condition(told),
                "subscriptionId": subscription_of(rule.account_id),
                "resourceGroupName": resource_group_of(rule.account_id),
                "resourceName": segments_of(rule.account_id)[-1],
                "resourceType": ACCOUNT_TYPE,
                "resourceId": rule.account_id,
                "portalLink": "",
            },
        },
    }


def _condition(told: Told) -> dict[str, Any]:
    values = told.met.values if told.met is not None else [None] * len(told.rule.criteria)
    return {
        "windowSize": told.rule.window,
        "allOf": [
            _criterion(each, told.state.dimensions, value)
            for each, value in zip(told.rule.criteria, values, strict=True)
        ],
        "windowStartTime": told.since,
        "windowEndTime": told.until,
    }


def _criterion(
    criterion: Criterion, dimensions: Mapping[str, str], value: float | None
) -> dict[str, Any]:
    named = [each.name for each in criterion.dimensions if each.name in dimensions]
    return {
        "metricName": criterion.metric_name,
        "metricNamespace": criterion.metric_namespace or NAMESPACE,
        "operator": criterion.operator,
        "threshold": f"{criterion.threshold:g}",
        "timeAggregation": criterion.time_aggregation,
        "dimensions": [{"name": name, "value": dimensions[name]} for name in named],
        "metricValue": value,
        "webTestName": None,
    }

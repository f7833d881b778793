"""azure-mgmt-monitor: action groups and metric alert rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.monitor import MonitorManagementClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.arm.conftest import Managed, Sdk

ACCOUNT = {"location": "local", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {}}


@pytest.fixture(scope="module")
def monitor(managed: Managed) -> Iterator[Sdk]:
    """azure-mgmt-monitor."""
    with managed.client(MonitorManagementClient) as client:
        yield client


def group_of_webhooks(uri: str = "https://hooks.example.com/x") -> dict[str, Any]:
    """An action group with one receiver."""
    return {
        "location": "Global",
        "group_short_name": "team",
        "enabled": True,
        "webhook_receivers": [{"name": "ops", "service_uri": uri, "use_common_alert_schema": True}],
        "email_receivers": [{"name": "mail", "email_address": "ops@example.com"}],
    }


def rule(account: str, group: str, **criterion: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """More than ten calls refused with 429 in five minutes."""
    condition = {
        "criterionType": "StaticThresholdCriterion",
        "name": "cond0",
        "metricName": "AzureOpenAIRequests",
        "operator": "GreaterThan",
        "threshold": 10,
        "timeAggregation": "Total",
        "dimensions": [{"name": "StatusCode", "operator": "Include", "values": ["429"]}],
    }
    return {
        "location": "global",
        "properties": {
            "severity": 3,
            "enabled": True,
            "scopes": [account],
            "evaluationFrequency": "PT1M",
            "windowSize": "PT5M",
            "criteria": {
                "odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
                "allOf": [condition | criterion],
            },
            "actions": [{"actionGroupId": group}],
        },
    }


def test_rules_and_groups_live(managed: Managed, monitor: Sdk, cognitive: Sdk, group: str) -> None:
    """Made, listed, read with their status, deleted; a group's secret is told to who may."""
    account = cognitive.accounts.begin_create(group, "alerted", ACCOUNT).result()
    made = monitor.action_groups.create_or_update(group, "team", group_of_webhooks())
    assert made.webhook_receivers[0].service_uri == "https://hooks.example.com/x"
    assert made.email_receivers[0].status == "Disabled"
    told = managed.ask("POST", f"{made.id}/listSigningSecret?api-version=2026-11-01").json()
    assert told["signingSecret"].startswith("whsec_")
    again = monitor.action_groups.create_or_update(group, "team", group_of_webhooks())
    assert "sealed" not in str(again.as_dict())
    same = managed.ask("POST", f"{made.id}/listSigningSecret?api-version=2026-11-01").json()
    assert same == told
    kept = monitor.metric_alerts.create_or_update(group, "throttled", rule(account.id, made.id))
    assert kept.auto_mitigate is True
    assert kept.criteria.all_of[0].metric_name == "AzureOpenAIRequests"
    assert [each.name for each in monitor.metric_alerts.list_by_resource_group(group)] == [
        "throttled"
    ]
    status = monitor.metric_alerts_status.list(group, "throttled")
    assert [each.properties.status for each in status.value] == ["Healthy"]
    assert "team" in [each.name for each in monitor.action_groups.list_by_subscription_id()]
    monitor.metric_alerts.delete(group, "throttled")
    monitor.action_groups.delete(group, "team")
    assert list(monitor.metric_alerts.list_by_resource_group(group)) == []


@pytest.mark.parametrize(
    ("criterion", "told"),
    [
        ({"metricName": "Nothing"}, "There is no metric 'Nothing'"),
        ({"dimensions": [{"name": "Colour", "operator": "Include", "values": ["*"]}]}, "Colour"),
        ({"operator": "Near"}, "criteria are wrong"),
    ],
)
def test_what_cannot_be_watched_is_refused(
    monitor: Sdk, cognitive: Sdk, group: str, criterion: dict[str, Any], told: str
) -> None:
    """With a word about what there is."""
    account = cognitive.accounts.begin_create(group, "alerted", ACCOUNT).result()
    team = monitor.action_groups.create_or_update(group, "team", group_of_webhooks())
    with pytest.raises(HttpResponseError, match=told):
        monitor.metric_alerts.create_or_update(group, "r", rule(account.id, team.id, **criterion))


def test_no_receiver_is_where_no_url_leads(monitor: Sdk, group: str) -> None:
    """Refused when it is written."""
    with pytest.raises(HttpResponseError, match="serviceUri"):
        monitor.action_groups.create_or_update(group, "team", group_of_webhooks("ftp://x"))

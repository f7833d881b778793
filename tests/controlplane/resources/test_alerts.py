"""Metric alert rules and action groups: who may write them, and what they may be."""

from __future__ import annotations

import re
from typing import Any

import pytest

from linarite.controlplane.api_versions import ACTION_GROUPS, METRIC_ALERTS
from linarite.controlplane.resources.action_groups.rules import NAME
from linarite.domain.alerts import ACTION_GROUP_TYPE, CRITERIA, METRIC_ALERT_TYPE
from tests.controlplane.people import CONTRIBUTOR, READER, assign, person
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, GROUP, Rig

pytestmark = pytest.mark.anyio

ALPHA = f"{ACCOUNTS}/alpha"
OTHER = GROUP.replace("/rg", "/other")
RULE = f"{OTHER}/providers/{METRIC_ALERT_TYPE}/busy?api-version={METRIC_ALERTS[0]}"
TEAM = f"{OTHER}/providers/{ACTION_GROUP_TYPE}/team"
THEIRS = f"{GROUP}/providers/{ACTION_GROUP_TYPE}/theirs"


def at(group: str) -> str:
    """The address of a group, or of a list of them."""
    return f"{group}?api-version={ACTION_GROUPS[0]}"


def rule(account: str, *groups: str) -> dict[str, Any]:
    """A rule that can be."""
    criterion = {
        "name": "many",
        "metricName": "AzureOpenAIRequests",
        "operator": "GreaterThan",
        "threshold": 10,
        "timeAggregation": "Total",
        "criterionType": "StaticThresholdCriterion",
    }
    properties = {
        "severity": 2,
        "scopes": [account],
        "evaluationFrequency": "PT1M",
        "windowSize": "PT5M",
        "criteria": {"odata.type": CRITERIA, "allOf": [criterion]},
        "actions": [{"actionGroupId": each} for each in groups],
    }
    return {"location": "global", "properties": properties}


def webhooks(count: int = 1, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A group with so many webhooks."""
    receivers = [
        {"name": f"hook{number}", "serviceUri": "https://hooks.example.com/x"}
        for number in range(count)
    ]
    properties = {"groupShortName": "team", "webhookReceivers": receivers}
    return {"location": "global", "properties": properties | more}


async def sited() -> Rig:
    """An account and a group of one team's; another team's group of resources beside them."""
    rig = await Rig().with_group()
    for path, body in (
        (ALPHA, ACCOUNT),
        (OTHER, {"location": "local"}),
        (at(THEIRS), webhooks()),
        (at(TEAM), webhooks()),
    ):
        answer = await rig.ask("PUT", path, body)
        assert answer.status < 300, answer
    await assign(rig, CONTRIBUTOR, "mallory", OTHER)
    return rig


async def test_a_rule_takes_the_right_to_what_it_reads_and_tells() -> None:
    """Of an account and of action groups; what is absent is refused as what is there."""
    rig = await sited()

    async def refused(*said: str) -> str:
        answer = await rig.ask("PUT", RULE, rule(*said), caller=person("mallory"))
        assert (answer.status, answer.body["code"]) == (403, "LinkedAuthorizationFailed"), answer
        return str(answer.body["message"])

    told = await refused(ALPHA, TEAM)
    assert "Microsoft.Insights/metrics/read" in told
    assert (await refused(f"{ALPHA}-absent", TEAM)).replace("-absent", "") == told
    await assign(rig, READER, "mallory", ALPHA)
    told = await refused(ALPHA, TEAM, THEIRS)
    assert "actionGroups/read" in told
    assert (await refused(ALPHA, f"{THEIRS}-absent")).replace("-absent", "") == told
    answer = await rig.ask("PUT", RULE, rule(ALPHA, TEAM), caller=person("mallory"))
    assert answer.status == 200, answer
    change = {"properties": rule(ALPHA, THEIRS)["properties"]}
    answer = await rig.ask("PATCH", RULE, change, caller=person("mallory"))
    assert (answer.status, answer.body["code"]) == (403, "LinkedAuthorizationFailed"), answer


async def test_a_rule_tells_few_groups() -> None:
    """Five, as on Azure."""
    rig = await sited()
    assert (await rig.ask("PUT", RULE, rule(ALPHA, *[TEAM] * 5))).status == 200
    answer = await rig.ask("PUT", RULE, rule(ALPHA, *[TEAM] * 6))
    assert (answer.status, answer.body["target"]) == (400, "properties.actions"), answer


@pytest.mark.parametrize(
    "body",
    [
        webhooks(emailReceivers=["a"]),
        webhooks(smsReceivers=7),
        webhooks(voiceReceivers=[{}] * 11),
        webhooks(11),
    ],
    ids=["text", "a number", "many", "many webhooks"],
)
async def test_receivers_are_objects_and_few(body: dict[str, Any]) -> None:
    """What could not be shown is not kept."""
    rig = await sited()
    answer = await rig.ask("PUT", at(TEAM), body)
    assert answer.status == 400, answer
    answer = await rig.ask("GET", at(TEAM.rpartition("/")[0]))
    assert [each["name"] for each in answer.body["value"]] == ["team"]


@pytest.mark.parametrize(("name", "can_be"), [("team", True), ("team#x", False), ("#", False)])
async def test_a_group_is_named_without_a_hash(name: str, *, can_be: bool) -> None:
    """Which would end its name where its receivers are found."""
    assert bool(re.fullmatch(NAME, name)) is can_be

"""`az policy` works unchanged: definitions, assignments, exemptions, compliance."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.contract.az.conftest import SUBSCRIPTION, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.az.conftest import Az

DEPLOYMENTS = "Microsoft.CognitiveServices/accounts/deployments"
GROUP = ("--resource-group", "linarite")
RULE = {
    "if": {
        "allOf": [
            {"field": "type", "equals": DEPLOYMENTS},
            {"field": f"{DEPLOYMENTS}/model.name", "notIn": "[parameters('allowed')]"},
        ]
    },
    "then": {"effect": "deny"},
}


def test_only_approved_models_are_deployed(az: Az, tmp_path: Path) -> None:
    """As az makes it from files; what was there does not comply until it is exempt."""
    rules, params = tmp_path / "rules.json", tmp_path / "params.json"
    rules.write_text(json.dumps(RULE))
    params.write_text(json.dumps({"allowed": {"type": "Array"}}))
    made = az(
        *("policy", "definition", "create", "--name", "approved", "--mode", "All"),
        *("--rules", str(rules), "--params", str(params)),
    )
    assert (made["policyType"], made["policyRule"]) == ("Custom", RULE)
    names = [each["name"] for each in az("policy", "definition", "list")]
    assert {"approved", "71ef260a-8f18-47b7-abcb-62d0673d94dc"} <= set(names)
    assert az("policy", "definition", "show", "--name", names[0])["name"] == names[0]
    assigned = az(
        *("policy", "assignment", "create", "--name", "only", "--policy", "approved", *GROUP),
        *("--params", json.dumps({"allowed": {"value": ["o1"]}})),
    )
    assert assigned["scope"] == f"/subscriptions/{SUBSCRIPTION}/resourceGroups/linarite"
    with pytest.raises(Refused, match="RequestDisallowedByPolicy"):
        az(
            *("cognitiveservices", "account", "deployment", "create", "--name", "linarite", *GROUP),
            *("--deployment-name", "new", "--model-format", "OpenAI", "--model-name", "gpt-4o"),
            *("--model-version", "2024-11-20", "--sku-name", "Standard", "--sku-capacity", "1"),
        )
    states = az("policy", "state", "list", *GROUP)
    assert {each["complianceState"] for each in states} == {"NonCompliant"}
    counts = az("policy", "state", "summarize", *GROUP)["results"]
    assert counts["nonCompliantResources"] == len(states)
    az("policy", "state", "trigger-scan", *GROUP)
    az(
        *("policy", "exemption", "create", "--name", "free", "--exemption-category", "Waiver"),
        *("--policy-assignment", assigned["id"], *GROUP),
    )
    states = az("policy", "state", "list", *GROUP)
    assert {each["complianceState"] for each in states} == {"Exempt"}
    listed = az("policy", "exemption", "list", *GROUP)
    assert [each["name"] for each in listed] == ["free"]
    az("policy", "exemption", "delete", "--name", "free", *GROUP)
    quiet = ("--enforcement-mode", "DoNotEnforce")
    changed = az("policy", "assignment", "update", "--name", "only", *GROUP, *quiet)
    assert changed["enforcementMode"] == "DoNotEnforce"
    assert [each["name"] for each in az("policy", "assignment", "list", *GROUP)] == ["only"]
    with pytest.raises(Refused, match="PolicyDefinitionInUse"):
        az("policy", "definition", "delete", "--name", "approved")
    az("policy", "assignment", "delete", "--name", "only", *GROUP)
    az("policy", "definition", "delete", "--name", "approved")
    assert "approved" not in [each["name"] for each in az("policy", "definition", "list")]


def test_a_wrong_rule_is_told_with_its_place(az: Az) -> None:
    """And a misspelt alias with the right one."""
    rule = {"if": {"field": f"{DEPLOYMENTS}/model.nam", "equals": "x"}, "then": {"effect": "deny"}}
    create = ("policy", "definition", "create", "--name", "wrong")
    with pytest.raises(Refused, match=rf"'{DEPLOYMENTS}/model.name'.*policyRule.if.field"):
        az(*create, "--rules", json.dumps(rule))

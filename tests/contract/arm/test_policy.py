"""Azure Policy over HTTP: refusals with all they tell, templates, compliance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.resource.deployments import DeploymentsMgmtClient

from tests.contract.arm.conftest import SUBSCRIPTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.arm.conftest import Managed, Sdk

AUTHORIZATION = "providers/Microsoft.Authorization"
ACCOUNTS = "Microsoft.CognitiveServices/accounts"
KEYS_OFF = f"/{AUTHORIZATION}/policyDefinitions/14de9e63-1b31-492e-a5a3-c3f7fd57f555"
APPROVED = f"/{AUTHORIZATION}/policyDefinitions/11a121a7-e000-4000-8000-000000000001"
POLICY = {"api-version": "2025-11-01"}
ACCOUNT: dict[str, Any] = {"location": "local", "kind": "OpenAI", "sku": {"name": "S0"}}


@pytest.fixture
def assigned(managed: Managed, group: str) -> Iterator[str]:
    """A group in which only o1 may be deployed and accounts have no keys."""
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"
    values = {"allowedModels": {"value": ["o1"]}}
    for name, definition, parameters in [("only", APPROVED, values), ("off", KEYS_OFF, {})]:
        path = f"{scope}/{AUTHORIZATION}/policyAssignments/{name}"
        body = {"properties": {"policyDefinitionId": definition, "parameters": parameters}}
        made = managed.ask("PUT", path, params=POLICY, json=body)
        assert made.status_code == 201, made.text
    yield group
    managed.ask("DELETE", f"{scope}/{AUTHORIZATION}/policyAssignments/only", params=POLICY)


def test_a_refusal_tells_which_policy_and_why(cognitive: Sdk, assigned: str) -> None:
    """As the official client reads it, from the body that Azure sends."""
    made = cognitive.accounts.begin_create(assigned, "governed", ACCOUNT).result()
    assert made.properties.disable_local_auth is True
    model = {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}
    body = {"sku": {"name": "Standard", "capacity": 1}, "properties": {"model": model}}
    with pytest.raises(HttpResponseError) as refused:
        cognitive.deployments.begin_create_or_update(assigned, "governed", "new", body)
    error: Sdk = refused.value.error
    assert (refused.value.status_code, error.code) == (403, "RequestDisallowedByPolicy")
    (told,) = error.additional_info
    assert told.type == "PolicyViolation"
    info = told.info
    assert info["policyDefinitionName"] == APPROVED.rpartition("/")[2]
    assert info["policyAssignmentName"] == "only"
    assert info["policyAssignmentScope"].endswith(f"/resourceGroups/{assigned}")
    assert info["policyDefinitionEffect"] == "deny"
    counted = info["evaluationDetails"]["evaluatedExpressions"][-1]
    assert counted["expressionKind"] == "Count"
    assert (counted["operator"], counted["result"]) == ("Equals", "True")


def test_templates_are_told_before_anything_is_written(managed: Managed, assigned: str) -> None:
    """By validate and what-if, with what policies would change."""
    template: dict[str, Any] = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [
            ACCOUNT | {"type": ACCOUNTS, "apiVersion": "2025-09-01", "name": "planned"},
            {
                "type": f"{ACCOUNTS}/deployments",
                "apiVersion": "2025-09-01",
                "name": "planned/chat",
                "sku": {"name": "Standard", "capacity": 1},
                "properties": {
                    "model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}
                },
                "dependsOn": [f"[resourceId('{ACCOUNTS}', 'planned')]"],
            },
        ],
    }
    body: dict[str, Any] = {"properties": {"mode": "Incremental", "template": template}}
    with managed.client(DeploymentsMgmtClient) as client:
        with pytest.raises(HttpResponseError) as refused:
            client.deployments.begin_validate(assigned, "first", body).result()
        answered: Sdk = refused.value.response
        (detail,) = answered.json()["error"]["details"]
        assert detail["code"] == "RequestDisallowedByPolicy"
        assert detail["additionalInfo"][0]["info"]["policyAssignmentName"] == "only"
        template["resources"].pop()
        foreseen = client.deployments.begin_what_if(assigned, "first", body).result()
    (change,) = [each for each in foreseen.changes if each.change_type == "Create"]
    assert change.after["properties"]["disableLocalAuth"] is True


def test_compliance_is_asked_at_a_resource(managed: Managed, cognitive: Sdk, group: str) -> None:
    """Of what was there before the policy."""
    account = cognitive.accounts.begin_create(group, "before", ACCOUNT).result()
    path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/{AUTHORIZATION}"
    body = {"properties": {"policyDefinitionId": KEYS_OFF}}
    path = f"{path}/policyAssignments/off"
    assert managed.ask("PUT", path, params=POLICY, json=body).status_code == 201
    states = f"{account.id}/providers/Microsoft.PolicyInsights/policyStates/latest"
    version = {"api-version": "2024-10-01"}
    (state,) = managed.ask("POST", f"{states}/queryResults", params=version).json()["value"]
    assert state["complianceState"] == "NonCompliant"
    assert state["policyDefinitionAction"] == "modify"
    cognitive.accounts.begin_update(group, "before", {"tags": {"seen": "yes"}}).result()
    (state,) = managed.ask("POST", f"{states}/queryResults", params=version).json()["value"]
    assert state["complianceState"] == "Compliant"

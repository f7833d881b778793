"""ARM templates, deployed by the official client to a running server."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.resource.deployments import DeploymentsMgmtClient

from tests.contract.arm.conftest import SUBSCRIPTION
from tests.contract.arm.test_lifecycle import chat_through

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.arm.conftest import Managed, Sdk

QUICKSTART = Path(__file__).parent / "templates" / "azure_openai.json"
ACCOUNTS = "Microsoft.CognitiveServices/accounts"
SECRET = "correct-horse-battery-staple"


@pytest.fixture(scope="session")
def templates(managed: Managed) -> Iterator[Sdk]:
    """azure-mgmt-resource-deployments."""
    with managed.client(DeploymentsMgmtClient) as client:
        yield client


def quickstart() -> dict[str, Any]:
    """The template that all tests begin with."""
    return json.loads(QUICKSTART.read_text())


def asked(template: dict[str, Any], **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The body of a request to deploy."""
    given = {name: {"value": value} for name, value in parameters.items()}
    return {"properties": {"mode": "Incremental", "template": template, "parameters": given}}


def template(*resources: dict[str, Any], **sections: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A template of some resources."""
    return {
        "$schema": quickstart()["$schema"],
        "contentVersion": "1.0.0.0",
        "resources": [*resources],
        **sections,
    }


def account(name: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The declaration of an account."""
    return {
        "type": ACCOUNTS,
        "apiVersion": "2025-06-01",
        "name": name,
        "location": "[resourceGroup().location]",
        "kind": "OpenAI",
        "sku": {"name": "S0"},
        "properties": properties,
    }


def details_of(refusal: pytest.ExceptionInfo[HttpResponseError]) -> list[tuple[str, str, str]]:
    """Code, target and message of everything that a refusal tells."""
    error = refusal.value.error
    assert error is not None
    return [(one.code or "", one.target or "", one.message or "") for one in error.details or []]


def test_quickstart_deploys_answers_and_applies_again(
    managed: Managed, templates: Sdk, cognitive: Sdk, group: str
) -> None:
    """A template makes what chat needs; applied again it changes nothing."""
    body = asked(quickstart(), adminPassword=SECRET)
    made = templates.deployments.begin_create_or_update(group, "quickstart", body).result()
    assert made.properties.provisioning_state == "Succeeded"
    outputs = made.properties.outputs
    name = outputs["name"]["value"]
    assert outputs["key"] == {"type": "SecureString"}
    assert made.properties.parameters["adminPassword"] == {"type": "SecureString"}
    keys = cognitive.accounts.list_keys(group, name)
    assert chat_through(managed, outputs["endpoint"]["value"], keys.key1, "chat")
    before = [*cognitive.deployments.list(group, name)]
    assert [(one.name, one.sku.capacity) for one in before] == [("chat", 10), ("search", 5)]

    operations = [*templates.deployment_operations.list(group, "quickstart")]
    assert [one.properties.provisioning_state for one in operations] == ["Succeeded"] * 4
    assert [one.properties.status_code for one in operations] == ["Created"] * 3 + ["OK"]
    assert operations[0].properties.target_resource.resource_type == ACCOUNTS
    one = templates.deployment_operations.get(group, "quickstart", operations[0].operation_id)
    assert one.properties.target_resource.id == operations[0].properties.target_resource.id

    account_before = cognitive.accounts.get(group, name)
    again = templates.deployments.begin_create_or_update(group, "quickstart", body).result()
    assert again.properties.provisioning_state == "Succeeded"
    assert [one.etag for one in cognitive.deployments.list(group, name)] == [
        one.etag for one in before
    ]
    assert cognitive.accounts.get(group, name).etag == account_before.etag

    exported = templates.deployments.export_template(group, "quickstart")
    assert exported.template == quickstart()
    assert [one.name for one in templates.deployments.list_by_resource_group(group)] == [
        "quickstart"
    ]
    assert SECRET not in str([one.as_dict() for one in operations]) + str(again.as_dict())


def test_deployment_may_have_a_name_in_any_letters(templates: Sdk, group: str) -> None:
    """The link to follow it by stands in a header, where only ASCII may."""
    name = "Bücher-日本"
    made = templates.deployments.begin_create_or_update(group, name, asked(template())).result()
    assert (made.name, made.properties.provisioning_state) == (name, "Succeeded")


def module_in_a_group() -> dict[str, Any]:
    """A template for a subscription: a group, and a module in it with symbolic names."""
    module = template(
        languageVersion="2.0",
        parameters={"name": {"type": "string"}, "tags": {"type": "object", "nullable": True}},
        outputs={
            "id": {"type": "string", "value": "[resourceId('" + ACCOUNTS + "', 'symbolic')]"},
            "endpoint": {"type": "string", "value": "[reference('account').endpoint]"},
        },
    )
    module["resources"] = {
        "account": {**account("[parameters('name')]"), "tags": "[parameters('tags')]"},
        "chat": {
            "type": f"{ACCOUNTS}/deployments",
            "apiVersion": "2025-06-01",
            "name": "[format('{0}/{1}', parameters('name'), 'chat')]",
            "sku": {"name": "GlobalStandard", "capacity": 1},
            "properties": {
                "model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}
            },
            "dependsOn": ["account"],
        },
    }
    return template(
        {
            "type": "Microsoft.Resources/resourceGroups",
            "apiVersion": "2024-11-01",
            "name": "[parameters('group')]",
            "location": "[deployment().location]",
        },
        {
            "type": "Microsoft.Resources/deployments",
            "apiVersion": "2025-04-01",
            "name": "module",
            "resourceGroup": "[parameters('group')]",
            "properties": {
                "mode": "Incremental",
                "expressionEvaluationOptions": {"scope": "inner"},
                "parameters": {"name": {"value": "symbolic"}},
                "template": module,
            },
            "dependsOn": [
                (
                    "[subscriptionResourceId('Microsoft.Resources/resourceGroups', "
                    "parameters('group'))]"
                )
            ],
        },
        parameters={"group": {"type": "string"}},
        outputs={
            "endpoint": {"type": "string", "value": "[reference('module').outputs.endpoint.value]"}
        },
    )


def test_modules_as_bicep_compiles_them(templates: Sdk, cognitive: Sdk) -> None:
    """A module in a group of the same template is checked and deployed; its outputs come out."""
    whole = module_in_a_group()
    body = {"location": "local", **asked(whole, group="rg-of-template")}
    checked = templates.deployments.begin_validate_at_subscription_scope("whole", body).result()
    assert checked.error is None
    made = templates.deployments.begin_create_or_update_at_subscription_scope(
        "whole", body
    ).result()
    assert made.properties.provisioning_state == "Succeeded"
    endpoint = cognitive.accounts.get("rg-of-template", "symbolic").properties.endpoint
    assert made.properties.outputs["endpoint"]["value"] == endpoint
    inner = templates.deployments.get("rg-of-template", "module")
    assert inner.properties.provisioning_state == "Succeeded"
    assert inner.properties.outputs["id"]["value"].endswith("/accounts/symbolic")
    names = [one.name for one in templates.deployments.list_at_subscription_scope()]
    assert names == ["whole"]


def test_what_if_sees_what_the_template_itself_makes(templates: Sdk) -> None:
    """What comes first in a template is there, on trial, for what comes after."""
    whole = module_in_a_group()
    whole["resources"][1]["properties"]["parameters"]["name"]["value"] = "on-trial"
    body = {"location": "local", **asked(whole, group="rg-not-there")}
    answer = templates.deployments.begin_what_if_at_subscription_scope("x", body).result()
    created = {
        one.resource_id.rpartition("/")[2]: one
        for one in answer.properties.changes
        if one.change_type == "Create"
    }
    assert set(created) == {"rg-not-there", "on-trial", "chat"}
    assert created["on-trial"].after["properties"]["endpoint"].endswith("/on-trial/")
    assert not [one for one in answer.properties.changes if one.change_type == "Unsupported"]


def test_policies_siblings_and_a_full_quota(templates: Sdk, cognitive: Sdk, group: str) -> None:
    """Deployments use a policy and each other; unchanged, they need no quota that is gone."""

    def deployment(
        name: str,
        capacity: int,
        sku: str = "GlobalBatch",
        **properties: Any,  # noqa: ANN401 - any JSON
    ) -> dict[str, Any]:
        model = {"format": "OpenAI", "name": "text-embedding-3-small"}
        return {
            "type": f"{ACCOUNTS}/deployments",
            "apiVersion": "2025-06-01",
            "name": f"full/{name}",
            "sku": {"name": sku, "capacity": capacity},
            "properties": {"model": model, "raiPolicyName": "strict", **properties},
            "dependsOn": [f"[resourceId('{ACCOUNTS}/raiPolicies', 'full', 'strict')]"],
        }

    policy = {
        "type": f"{ACCOUNTS}/raiPolicies",
        "apiVersion": "2025-06-01",
        "name": "full/strict",
        "properties": {"basePolicyName": "Microsoft.DefaultV2", "mode": "Blocking"},
        "dependsOn": ["full"],
    }
    body = asked(
        template(
            account("full"),
            policy,
            deployment("spills", 1, "GlobalProvisionedManaged", spilloverDeploymentName="takes"),
            deployment("takes", 1, "GlobalStandard"),
            deployment("half", 400),
            deployment("rest", 600),
        )
    )
    body["properties"]["template"]["resources"][2]["dependsOn"].append("takes")
    templates.deployments.begin_create_or_update(group, "full", body).result()
    before = [one.etag for one in cognitive.deployments.list(group, "full")]
    templates.deployments.begin_create_or_update(group, "full", body).result()
    assert [one.etag for one in cognitive.deployments.list(group, "full")] == before
    body["properties"]["template"]["resources"].append(deployment("more", 1))
    with pytest.raises(HttpResponseError) as refusal:
        templates.deployments.begin_create_or_update(group, "full", body).result()
    assert [code for code, _, _ in details_of(refusal)] == ["InsufficientQuota"]


def test_everything_wrong_is_told_before_anything_is_written(
    templates: Sdk, cognitive: Sdk, group: str
) -> None:
    """Unknown types, unknown versions and refused properties come together; nothing is written."""
    body = asked(
        template(
            account("fine"),
            {**account("wrong", networkAcls={"ipRules": [{"value": "nowhere"}]}), "kind": "Odd"},
            {**account("past"), "apiVersion": "2020-02-02"},
            {
                "type": "Microsoft.Network/loadBalancers",
                "apiVersion": "2024-05-01",
                "name": "endpoint",
                "properties": {},
            },
        )
    )
    with pytest.raises(HttpResponseError) as refusal:
        templates.deployments.begin_create_or_update(group, "wrong", body).result()
    assert refusal.value.status_code == 400
    assert refusal.value.error is not None
    assert refusal.value.error.code == "InvalidTemplateDeployment"
    told = details_of(refusal)
    assert [code for code, _, _ in told] == [
        "InvalidApiSetId",
        "InvalidIpRule",
        "NoRegisteredProviderFound",
        "InvalidResourceType",
    ]
    assert "This server does not have it" in told[-1][2]
    names = [target.rpartition("/")[2] for _, target, _ in told]
    assert names == ["wrong", "wrong", "past", "endpoint"]
    assert "(at 'properties.networkAcls.ipRules[0].value')" in told[1][2]
    assert [*cognitive.accounts.list_by_resource_group(group)] == []
    with pytest.raises(ResourceNotFoundError) as missing:
        templates.deployments.get(group, "wrong")
    assert missing.value.error is not None
    assert missing.value.error.code == "DeploymentNotFound"
    with pytest.raises(HttpResponseError) as invalid:
        templates.deployments.begin_validate(group, "wrong", body).result()
    assert len(details_of(invalid)) == 4


def test_mistakes_in_the_template_have_arms_code(templates: Sdk, group: str) -> None:
    """A template that cannot be read is InvalidTemplate, with every parameter's problem."""
    body = asked(quickstart(), sku="S1", extra=1, deployments="none")
    with pytest.raises(HttpResponseError) as refusal:
        templates.deployments.begin_create_or_update(group, "x", body).result()
    assert refusal.value.error is not None
    assert refusal.value.error.code == "InvalidTemplate"
    assert len(details_of(refusal)) == 3


def test_failure_on_the_way_is_told_with_its_details(
    templates: Sdk, cognitive: Sdk, group: str
) -> None:
    """What fails is named, what depends on it is left out, everything else is done."""
    body = asked(
        template(
            account("first"),
            account(
                "stops", note="[concat(listKeys('first', '2025-06-01').key1, fail('no luck'))]"
            ),
            {**account("after"), "dependsOn": ["stops"]},
            account("beside"),
        )
    )
    with pytest.raises(HttpResponseError) as failure:
        templates.deployments.begin_create_or_update(group, "half", body).result()
    error = failure.value.error
    assert error is not None
    assert error.code == "DeploymentFailed"
    assert [(code, message) for code, _, message in details_of(failure)] == [
        ("InvalidTemplate", "no luck")
    ]
    assert details_of(failure)[0][1].endswith("/accounts/stops")
    kept = templates.deployments.get(group, "half")
    assert kept.properties.provisioning_state == "Failed"
    assert kept.properties.error.code == "DeploymentFailed"
    names = [one.name for one in cognitive.accounts.list_by_resource_group(group)]
    assert names == ["beside", "first"]
    failed = [
        one.properties
        for one in templates.deployment_operations.list(group, "half")
        if one.properties.provisioning_state == "Failed"
    ]
    assert [one.status_message.error.message for one in failed] == ["no luck"]


def test_what_if_tells_every_change(templates: Sdk, cognitive: Sdk, group: str) -> None:
    """Create, Modify with its properties, NoChange and Ignore; and nothing is written."""
    cognitive.accounts.begin_create(
        group, "beside", {"location": "local", "kind": "OpenAI", "sku": {"name": "S0"}}
    ).result()
    start = template(account("same"), {**account("other"), "tags": {"a": "1"}})
    templates.deployments.begin_create_or_update(group, "start", asked(start)).result()
    after = template(account("same"), {**account("other"), "tags": {"a": "2"}}, account("new"))
    answer = templates.deployments.begin_what_if(group, "next", asked(after)).result()
    assert answer.status == "Succeeded"
    found = {one.resource_id.rpartition("/")[2]: one for one in answer.properties.changes}
    assert {name: one.change_type for name, one in found.items()} == {
        "beside": "Ignore",
        "new": "Create",
        "other": "Modify",
        "same": "NoChange",
    }
    (delta,) = found["other"].delta
    assert (delta.path, delta.property_change_type) == ("tags.a", "Modify")
    assert (delta.before, delta.after) == ("1", "2")
    assert found["new"].after["properties"]["publicNetworkAccess"] == "Enabled"
    names = [one.name for one in cognitive.accounts.list_by_resource_group(group)]
    assert names == ["beside", "other", "same"]


def test_secrets_are_told_nowhere(templates: Sdk, group: str) -> None:
    """Neither what-if nor an error before or on the way shows a secure parameter's value."""
    secure = {"secret": {"type": "secureString"}}
    shown = template(
        {**account("tagged"), "tags": {"t": "[format('x-{0}', parameters('secret'))]"}},
        parameters=secure,
    )
    body = asked(shown, secret=SECRET)
    (change,) = templates.deployments.begin_what_if(group, "x", body).result().properties.changes
    assert change.after["tags"] == {"t": "x-*******"}
    early = template(account("[fail(parameters('secret'))]"), parameters=secure)
    late = template(
        account("first"),
        account("late", x="[if(empty(listKeys('first').key1), '', fail(parameters('secret')))]"),
        parameters=secure,
    )
    for wrong in (early, late):
        with pytest.raises(HttpResponseError) as refusal:
            templates.deployments.begin_create_or_update(
                group, "x", asked(wrong, secret=SECRET)
            ).result()
        assert "*******" in str(refusal.value)
        assert SECRET not in str(refusal.value)
    kept = templates.deployments.get(group, "x").as_dict()
    operations = [one.as_dict() for one in templates.deployment_operations.list(group, "x")]
    assert SECRET not in f"{kept}{operations}"


def test_subscription_needs_a_location(templates: Sdk) -> None:
    """A deployment at a subscription says where its record lies; names are of ARM's letters."""
    for name, code in (("fine", "InvalidDeployment"), ("wrong!", "InvalidDeploymentName")):
        with pytest.raises(HttpResponseError) as refusal:
            templates.deployments.begin_create_or_update_at_subscription_scope(
                name, asked(template())
            ).result()
        assert refusal.value.error is not None
        assert refusal.value.error.code == code


def test_templates_at_the_same_time_wait_for_each_other(
    templates: Sdk, cognitive: Sdk, group: str
) -> None:
    """More of them than the worker takes jobs, all on one account: each gets its turn."""
    cognitive.accounts.begin_create(
        group, "shared", {"location": "local", "kind": "OpenAI", "sku": {"name": "S0"}}
    ).result()
    names = [f"d{number}" for number in range(6)]
    pollers = [
        templates.deployments.begin_create_or_update(
            group,
            name,
            asked(
                template(
                    {
                        "type": f"{ACCOUNTS}/deployments",
                        "apiVersion": "2025-06-01",
                        "name": f"shared/{name}",
                        "sku": {"name": "Standard", "capacity": 1},
                        "properties": {"model": {"format": "OpenAI", "name": "gpt-4o"}},
                    }
                )
            ),
        )
        for name in names
    ]
    states = [poller.result().properties.provisioning_state for poller in pollers]
    assert states == ["Succeeded"] * 6
    assert [one.name for one in cognitive.deployments.list(group, "shared")] == names


def test_running_deployment_is_canceled(templates: Sdk, cognitive: Sdk, group: str) -> None:
    """A canceled deployment stops where it is; while it runs, its name is taken."""
    policy = {
        "type": f"{ACCOUNTS}/raiPolicies",
        "apiVersion": "2025-06-01",
        "name": "[format('many/policy-{0}', copyIndex())]",
        "copy": {"name": "each", "count": 600},
        "properties": {"basePolicyName": "Microsoft.DefaultV2", "mode": "Blocking"},
    }
    body = asked(template(account("many"), policy))
    poller = templates.deployments.begin_create_or_update(group, "many", body)
    with pytest.raises(HttpResponseError) as taken:
        templates.deployments.begin_create_or_update(group, "many", body)
    assert taken.value.error is not None
    assert taken.value.error.code == "DeploymentActive"
    templates.deployments.cancel(group, "many")
    with pytest.raises(HttpResponseError):
        poller.result()
    kept = templates.deployments.get(group, "many")
    assert kept.properties.provisioning_state == "Canceled"
    made = [one.name for one in cognitive.rai_policies.list(group, "many")]
    assert len([name for name in made if name.startswith("policy-")]) < 600


def test_deployment_is_forgotten_and_what_it_made_stays(
    templates: Sdk, cognitive: Sdk, group: str
) -> None:
    """Deleting a deployment deletes its record alone; an ended one cannot be canceled."""
    templates.deployments.begin_create_or_update(
        group, "short", asked(template(account("stays")))
    ).result()
    assert templates.deployments.check_existence(group, "short")
    with pytest.raises(HttpResponseError) as refusal:
        templates.deployments.cancel(group, "short")
    assert refusal.value.status_code == 409
    templates.deployments.begin_delete(group, "short").result()
    assert not templates.deployments.check_existence(group, "short")
    assert cognitive.accounts.get(group, "stays").name == "stays"


def test_azs_body_is_read(managed: Managed, group: str) -> None:
    """`az` sends the template file as it is, comments too, behind a name without quotes."""
    path = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Resources"
        "/deployments/az/validate?api-version=2025-04-01"
    )
    text = json.dumps(template(account("by-az"))).replace(
        '"resources"', '// what follows is made\n"resources"'
    )
    with httpx.Client(
        base_url=managed.server.endpoint,
        verify=ssl.create_default_context(cafile=managed.authority),
        headers={"authorization": f"Bearer {managed.key}", "content-type": "application/json"},
    ) as client:
        answer = client.post(
            path, content=f'{{"properties": {{"mode": "Incremental", template:{text}}}}}'
        )
    assert answer.status_code == 200, answer.text
    assert answer.json()["properties"]["provisioningState"] == "Succeeded"

"""azure-cli works unchanged but for the cloud that it is told."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.contract.az.conftest import SUBSCRIPTION, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.az.conftest import Az, Cloud

GROUP = "az-group"
ACCOUNT = ("--name", "az-account", "--resource-group", GROUP)
BUSY = {"Accepted", "Creating"}
READY_S = 60.0
USER_ROLE = "Cognitive Services OpenAI User"


@pytest.fixture(scope="module", autouse=True)
def group(az: Az) -> Iterator[None]:
    """A group with an account and a deployment, made and removed by az."""
    az("group", "create", "--name", GROUP, "--location", "local")
    made = az(
        *("cognitiveservices", "account", "create", *ACCOUNT, "--kind", "OpenAI", "--sku", "S0"),
        *("--location", "local", "--custom-domain", "az-account", "--yes"),
    )
    assert made["properties"]["provisioningState"] == "Succeeded"
    deploy(az, "chat")
    yield
    az("group", "delete", "--name", GROUP, "--yes")
    assert az("group", "exists", "--name", GROUP) is False


def deploy(az: Az, name: str, sku: str = "GlobalStandard") -> None:
    """`az cognitiveservices account deployment create`, which does not wait, until it is done."""
    az(
        *("cognitiveservices", "account", "deployment", "create", *ACCOUNT),
        *("--deployment-name", name, "--model-format", "OpenAI", "--model-name", "gpt-4o"),
        *("--model-version", "2024-11-20", "--sku-name", sku, "--sku-capacity", "1"),
    )
    show = ("cognitiveservices", "account", "deployment", "show", *ACCOUNT)
    deadline = time.monotonic() + READY_S
    while (
        state := az(*show, "--deployment-name", name)["properties"]["provisioningState"]
    ) in BUSY:
        assert time.monotonic() < deadline, state
        time.sleep(0.1)
    assert state == "Succeeded"


def test_who_is_signed_in(az: Az, cloud: Cloud) -> None:
    """The subscription and tenant are the server's; tokens are given out for its audiences."""
    shown = az("account", "show")
    assert (shown["id"], shown["tenantId"]) == (SUBSCRIPTION, cloud.tenant)
    assert shown["user"]["type"] == "servicePrincipal"
    token = az("account", "get-access-token", "--resource", "https://cognitiveservices.azure.com")
    assert token["tokenType"] == "Bearer"
    assert token["accessToken"].count(".") == 2


def test_an_account_is_listed_shown_and_changed(az: Az) -> None:
    """With its keys, its network rules and its identity."""
    listed = az("cognitiveservices", "account", "list", "--resource-group", GROUP)
    assert [each["name"] for each in listed] == ["az-account"]
    az("cognitiveservices", "account", "update", *ACCOUNT, "--tags", "team=blue")
    shown = az("cognitiveservices", "account", "show", *ACCOUNT)
    assert shown["tags"] == {"team": "blue"}
    before = az("cognitiveservices", "account", "keys", "list", *ACCOUNT)
    after = az(
        *("cognitiveservices", "account", "keys", "regenerate", *ACCOUNT, "--key-name", "key2")
    )
    assert (before["key1"] == after["key1"], before["key2"] == after["key2"]) == (True, False)
    rule = ("cognitiveservices", "account", "network-rule")
    az(*rule, "add", *ACCOUNT, "--ip-address", "203.0.113.0/24")
    assert az(*rule, "list", *ACCOUNT)["ipRules"] == [{"value": "203.0.113.0/24"}]
    az(*rule, "remove", *ACCOUNT, "--ip-address", "203.0.113.0/24")
    identity = az("cognitiveservices", "account", "identity", "assign", *ACCOUNT)
    assert identity["type"] == "SystemAssigned"
    assert identity["principalId"]
    az("cognitiveservices", "account", "identity", "remove", *ACCOUNT)


def test_a_deleted_account_comes_back_or_is_purged(az: Az) -> None:
    """Soft delete, as az knows it."""
    account = ("--name", "az-deleted", "--resource-group", GROUP)
    create = ("cognitiveservices", "account", "create", *account, "--kind", "OpenAI")
    az(*create, "--sku", "S0", "--location", "local", "--custom-domain", "az-deleted", "--yes")
    az("cognitiveservices", "account", "delete", *account)
    deleted = az("cognitiveservices", "account", "list-deleted")
    assert "az-deleted" in [each["name"] for each in deleted]
    az("cognitiveservices", "account", "recover", *account, "--location", "local")
    assert az("cognitiveservices", "account", "show", *account)["name"] == "az-deleted"
    az("cognitiveservices", "account", "delete", *account)
    az("cognitiveservices", "account", "purge", *account, "--location", "local")
    deleted = az("cognitiveservices", "account", "list-deleted")
    assert "az-deleted" not in [each["name"] for each in deleted]


def test_deployments(az: Az) -> None:
    """Made, listed, deleted."""
    deploy(az, "second")
    command = ("cognitiveservices", "account", "deployment")
    assert {each["name"] for each in az(*command, "list", *ACCOUNT)} == {"chat", "second"}
    az(*command, "delete", *ACCOUNT, "--deployment-name", "second")
    assert [each["name"] for each in az(*command, "list", *ACCOUNT)] == ["chat"]


def test_a_deployments_tier_and_spillover(az: Az) -> None:
    """`az resource update` sets the properties that az has no flags for; what can't be is told."""
    deploy(az, "ptu", "GlobalProvisionedManaged")
    shown = az(
        *("cognitiveservices", "account", "deployment", "show", *ACCOUNT),
        *("--deployment-name", "ptu"),
    )
    path = shown["id"]
    update = ("resource", "update", "--api-version", "2025-09-01", "--ids")
    az(*update, path, "--set", "properties.spilloverDeploymentName=chat")
    spills = az("resource", "show", "--api-version", "2025-09-01", "--ids", path)
    assert spills["properties"]["spilloverDeploymentName"] == "chat"
    chat = f"{path.rpartition('/')[0]}/chat"
    fast = az(*update, chat, "--set", "properties.serviceTier=Priority")
    assert fast["properties"]["serviceTier"] == "Priority"
    with pytest.raises(Refused, match="Only provisioned deployments spill over"):
        az(*update, chat, "--set", "properties.spilloverDeploymentName=ptu")
    az(*update, chat, "--set", "properties.serviceTier=Default")
    az(
        *("cognitiveservices", "account", "deployment", "delete", *ACCOUNT),
        *("--deployment-name", "ptu"),
    )


def test_what_can_be_had(az: Az) -> None:
    """Models and usages of a location, models of an account."""
    models = az("cognitiveservices", "model", "list", "--location", "local")
    assert "gpt-4o" in [each["model"]["name"] for each in models]
    usages = az("cognitiveservices", "usage", "list", "--location", "local")
    assert any(each["name"]["value"].startswith("OpenAI.GlobalStandard") for each in usages)
    assert az("cognitiveservices", "account", "list-models", *ACCOUNT)


def test_roles(az: Az, cloud: Cloud) -> None:
    """Assigned to somebody the directory knows, listed, and taken away."""
    client_id, _, object_id = cloud.principal("application")
    scope = az("cognitiveservices", "account", "show", *ACCOUNT)["id"]
    command = ("role", "assignment")
    made = az(*(*command, "create", "--assignee", client_id, "--role", USER_ROLE, "--scope", scope))
    assert made["properties"]["principalId"] == object_id
    listed = az(*command, "list", "--assignee", client_id, "--scope", scope)
    assert [each["roleDefinitionName"] for each in listed] == [USER_ROLE]
    az(*command, "delete", "--assignee", client_id, "--role", USER_ROLE, "--scope", scope)
    assert az(*command, "list", "--assignee", client_id, "--scope", scope) == []


def test_templates(az: Az, tmp_path: Path) -> None:
    """What-if tells, deployment does, and the second time there is nothing to do."""
    template = tmp_path / "template.json"
    resource = {
        "type": "Microsoft.CognitiveServices/accounts",
        "apiVersion": "2025-06-01",
        "name": "az-template",
        "location": "[resourceGroup().location]",
        "kind": "OpenAI",
        "sku": {"name": "S0"},
        "properties": {"customSubDomainName": "az-template"},
    }
    document = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [resource],
        "outputs": {
            "endpoint": {
                "type": "string",
                "value": "[reference('az-template').endpoint]",
            }
        },
    }
    template.write_text(json.dumps(document))
    command = ("deployment", "group")
    given = ("--resource-group", GROUP, "--template-file", str(template))
    foreseen = az(*command, "what-if", *given, "--no-pretty-print")
    assert [
        each["changeType"] for each in foreseen["changes"] if "az-template" in each["resourceId"]
    ]
    done = az(*command, "create", *given, "--name", "from-az")
    assert done["properties"]["provisioningState"] == "Succeeded"
    assert done["properties"]["outputs"]["endpoint"]["value"]
    again = az(*command, "what-if", *given, "--no-pretty-print")
    kinds = changes_of(again)
    assert kinds <= {"NoChange", "Ignore"}


def test_anything_else_goes_by_rest(az: Az) -> None:
    """With the signed-in identity."""
    told = az("rest", "--uri", f"/subscriptions/{SUBSCRIPTION}/locations?api-version=2022-12-01")
    assert [each["name"] for each in told["value"]] == ["local"]


def test_refusals_are_told_by_az(az: Az) -> None:
    """In ARM's words."""
    with pytest.raises(Refused, match="ResourceNotFound"):
        az("cognitiveservices", "account", "show", "--name", "none", "--resource-group", GROUP)
    with pytest.raises(Refused, match="could not be found"):
        az("group", "show", "--name", "no-such-group")


def changes_of(what_if: dict[str, list[dict[str, str]]]) -> set[str]:
    """What is foreseen for the template's account."""
    changes = what_if["changes"]
    return {each["changeType"] for each in changes if "az-template" in each["resourceId"]}

"""What the newest pre-release of azure-mgmt-cognitiveservices does with a server, printed as JSON.

Runs in an environment of its own (`requirements/preview.txt`), not under pytest. Where it is and
what opens it comes in the variables ENDPOINT, KEY and CA_FILE.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any, TypeAlias

from azure.core import MatchConditions
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient, __version__

if TYPE_CHECKING:
    from collections.abc import Callable

Sdk: TypeAlias = Any
"""the client: tests are checked against the stable package, which has other types"""
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = "linarite"
ACCOUNT = "previewed"
PROJECT = "p1"
AT = (GROUP, ACCOUNT)


class KeyCredential:
    """The management key as azure-core wants credentials."""

    def get_token(self, *_: str, **__: object) -> AccessToken:
        """A token that is the key."""
        return AccessToken(os.environ["KEY"], int(time.time()) + 3600)


def main() -> None:
    """Do everything, and print what came of it."""
    client: Sdk = CognitiveServicesManagementClient(
        KeyCredential(),
        SUBSCRIPTION,
        base_url=os.environ["ENDPOINT"],
        credential_scopes=["https://management.azure.com/.default"],
        connection_verify=os.environ["CA_FILE"],
        retry_total=0,
        polling_interval=1,
    )
    told = {"version": __version__}
    for part in (accounts, connections, networks, agents, guardrails, subscriptions, refusals):
        told |= part(client)
    print(json.dumps(told))


def accounts(client: Sdk) -> dict[str, Any]:
    """An account, a project and a deployment, made by long-running operations."""
    client.accounts.begin_create(
        *AT,
        {
            "location": "local",
            "kind": "AIServices",
            "sku": {"name": "S0"},
            "properties": {"allowProjectManagement": True},
        },
    ).result()
    client.projects.begin_create(*AT, PROJECT, {"location": "local", "properties": {}}).result()
    deployment = client.deployments.begin_create_or_update(
        *AT,
        "chat",
        {
            "sku": {"name": "GlobalStandard", "capacity": 5},
            "properties": {"model": {"format": "OpenAI", "name": "gpt-4o"}},
        },
    ).result()
    return {
        "deployment": deployment.properties.provisioning_state,
        "compliance": client.accounts.evaluate_deployment_policies(
            *AT, {"deployments": [{"name": "chat", "properties": {"model": {"name": "gpt-4o"}}}]}
        )
        .results["chat"]
        .evaluation_outcome,
        "skus": [each.sku.name for each in client.deployments.list_skus(*AT, "chat")],
    }


def connections(client: Sdk) -> dict[str, Any]:
    """A connection, and capability hosts of account and project over it."""
    made = client.account_connections.create(
        *AT,
        "search",
        {
            "properties": {
                "authType": "ApiKey",
                "category": "CognitiveSearch",
                "target": "https://search.example",
                "credentials": {"key": "nobody-sees-this"},
            }
        },
    )
    hosts = client.project_capability_hosts
    hosts.begin_create_or_update(
        *AT, PROJECT, "agents", {"properties": {"vectorStoreConnections": ["search"]}}
    ).result()
    listed = [host.name for host in hosts.list(*AT, PROJECT)]
    hosts.begin_delete(*AT, PROJECT, "agents").result()
    return {
        "connection": [made.properties.auth_type, made.properties.credentials],
        "hosts": listed,
        "hostsAfter": [host.name for host in hosts.list(*AT, PROJECT)],
    }


def networks(client: Sdk) -> dict[str, Any]:
    """A managed network and a rule of it."""
    settings, rules = client.managed_network_settings, client.outbound_rule
    network = settings.begin_put(
        *AT,
        "default",
        {"properties": {"managedNetwork": {"isolationMode": "AllowOnlyApprovedOutbound"}}},
    ).result()
    rules.begin_create_or_update(
        *AT,
        "default",
        "packages",
        {"properties": {"type": "FQDN", "destination": "packages.example"}},
    ).result()
    listed = [rule.properties.destination for rule in rules.list(*AT, "default")]
    rules.begin_delete(*AT, "default", "packages").result()
    return {
        "isolation": network.properties.managed_network.isolation_mode,
        "rules": listed,
        "rulesAfter": len(list(rules.list(*AT, "default"))),
    }


def agents(client: Sdk) -> dict[str, Any]:
    """An application, switched off and on, and a deployment of its agents."""
    applications, deployments = client.agent_applications, client.agent_deployments
    applications.begin_create_or_update(
        *AT, PROJECT, "app", {"properties": {"agents": [{"agentName": "helper"}]}}
    ).result()
    applications.disable(*AT, PROJECT, "app")
    disabled = applications.get(*AT, PROJECT, "app").properties.is_enabled
    applications.enable(*AT, PROJECT, "app")
    deployed = deployments.begin_create_or_update(
        *AT, PROJECT, "app", "one", {"properties": {"deploymentType": "Hosted"}}
    ).result()
    return {
        "enabled": [disabled, applications.get(*AT, PROJECT, "app").properties.is_enabled],
        "agents": [
            each.properties.agent_name
            for each in applications.list_agents(*AT, PROJECT, "app").value
        ],
        "agentDeployment": [deployed.properties.deployment_type, deployed.properties.state],
    }


def guardrails(client: Sdk) -> dict[str, Any]:
    """Policies, labels, bindings and budgets, with etags where the version has them."""
    rego = client.rai_regos.create_or_update(*AT, "r", {"properties": {"rego": "package p"}})
    client.rai_tool_labels.create_or_update(
        *AT, "l", {"properties": {"toolConnectionName": "search"}}
    )
    client.rai_tool_labels.begin_delete(*AT, "l").result()
    account = client.accounts.get(*AT)
    client.rai_bindings.create_or_update(
        *AT,
        "b",
        {"properties": {"boundResourceId": account.id, "targetPolicyName": "Microsoft.Default"}},
    )
    rule = {
        "name": "monthly",
        "counterKey": {"type": "Account"},
        "unit": "Usd",
        "amount": 10.5,
        "period": "Month",
    }
    client.cost_controls.create_or_update(*AT, "c", {"properties": {"rules": [rule]}})
    cost = client.cost_controls.update(*AT, "c", {"properties": {"displayName": "Team"}})
    unchanged = {"etag": rego.etag, "match_condition": MatchConditions.IfNotModified}
    replaced = client.rai_regos.create_or_update(
        *AT, "r", {"properties": {"rego": "package q"}}, **unchanged
    )
    return {
        "stale": refused(lambda: client.rai_regos.delete(*AT, "r", **unchanged)),
        "rego": [rego.properties.encoding, replaced.properties.rego],
        "cost": [cost.properties.display_name, cost.properties.rules[0].amount],
        "bindings": [each.properties.target_policy_name for each in client.rai_bindings.list(*AT)],
        "policies": sorted(each.name for each in client.rai_policies.list(*AT)),
    }


def subscriptions(client: Sdk) -> dict[str, Any]:
    """What belongs to the whole subscription."""
    policy = client.subscription_rai_policy.create_or_update(
        "strict", {"properties": {"basePolicyName": "Microsoft.DefaultV2"}}
    )
    client.rai_external_safety_provider.create_or_update(
        "mine", {"properties": {"url": "https://filter.example"}}
    )
    providers = [each.name for each in client.rai_external_safety_providers.list()]
    client.rai_external_safety_provider.begin_delete("mine").result()
    client.subscription_rai_policy.begin_delete("strict").result()
    operations = {each.name for each in client.operations.list()}
    return {
        "subscriptionPolicy": policy.properties.base_policy_name,
        "providers": providers,
        "operation": "Microsoft.CognitiveServices/accounts/costControls/write" in operations,
        "perimeters": len(list(client.network_security_perimeter_configurations.list(*AT))),
        "tiers": len(list(client.commitment_tiers.list("local"))),
    }


def refusals(client: Sdk) -> dict[str, Any]:
    """How errors arrive, and the end of what was made."""
    told = {
        "unknown": refused(lambda: client.cost_controls.get(*AT, "nothing")),
        "wrong": refused(
            lambda: client.cost_controls.create_or_update(*AT, "c2", {"properties": {}})
        ),
    }
    client.deployments.begin_delete(*AT, "chat").result()
    client.accounts.begin_delete(*AT).result()
    client.deleted_accounts.begin_purge("local", GROUP, ACCOUNT).result()
    return told


def refused(act: Callable[[], object]) -> list[object]:
    """Status and code of an act that must fail."""
    try:
        act()
    except HttpResponseError as refusal:
        return [refusal.status_code, refusal.error.code if refusal.error else None]
    return []


if __name__ == "__main__":
    main()

"""What can be looked up: models, SKUs, usages, capacities, availability, providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.cognitiveservices.models import (
    DeploymentModel,
    ModelCapacityCalculatorWorkload,
    ModelCapacityCalculatorWorkloadRequestParam,
)

if TYPE_CHECKING:
    from tests.contract.arm.conftest import Managed, Sdk

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"


def test_models_and_their_skus(cognitive: Sdk) -> None:
    """Models of the region and of the account are those that can be deployed."""
    listed = {(m.model.name, m.model.version) for m in cognitive.models.list("local")}
    assert ("gpt-4o", "2024-11-20") in listed
    of_account = {m.name: m for m in cognitive.accounts.list_models("linarite", "linarite")}
    assert of_account["gpt-4o"].is_default_version
    assert of_account["gpt-4o"].capabilities["chatCompletion"] == "true"
    names = {sku.usage_name for sku in of_account["gpt-4o"].skus}
    assert "OpenAI.GlobalStandard.gpt-4o" in names
    scalable = cognitive.deployments.list_skus("linarite", "linarite", "gpt-4o")
    most = {each.sku.name: each.capacity.maximum for each in scalable}["GlobalStandard"]
    own = cognitive.deployments.get("linarite", "linarite", "gpt-4o").sku.capacity
    assert most == 1000 - used(cognitive) + own


def test_usages_count_what_is_deployed(cognitive: Sdk) -> None:
    """The declared deployment's capacity is taken from its pool, and less is left."""
    usages = {usage.name.value: usage for usage in cognitive.usages.list("local")}
    taken = used(cognitive)
    assert taken >= 100
    assert usages["OpenAI.GlobalStandard.gpt-4o"].current_value == taken
    assert usages["OpenAI.GlobalStandard.gpt-4o"].limit == 1000
    left = {
        each.properties.sku_name: each.properties.available_capacity
        for each in cognitive.location_based_model_capacities.list(
            "local", "OpenAI", "gpt-4o", "2024-11-20"
        )
    }
    assert left["GlobalStandard"] == 1000 - taken
    assert left["Standard"] == 1000
    own = cognitive.accounts.list_usages("linarite", "linarite").value
    assert "OpenAI.GlobalStandard.gpt-4o" in {usage.name.value for usage in own}


def used(cognitive: Sdk) -> int:
    """What all deployments there are, other tests' too, take of the pool of gpt-4o."""
    return sum(
        each.sku.capacity
        for account in cognitive.accounts.list()
        for each in cognitive.deployments.list(account.id.split("/")[4], account.name)
        if (each.sku.name, each.properties.model.name) == ("GlobalStandard", "gpt-4o")
    )


def test_availability(cognitive: Sdk) -> None:
    """A taken subdomain is told as taken, a free one as free; S0 can be had."""
    kind = "Microsoft.CognitiveServices/accounts"
    taken = cognitive.check_domain_availability("Linarite", kind, "OpenAI")
    assert not taken.is_subdomain_available
    assert "already used" in taken.reason
    free = cognitive.check_domain_availability("nobodys", kind)
    assert free.is_subdomain_available
    skus = cognitive.check_sku_availability("local", ["S0", "F0"], "OpenAI", kind)
    assert {each.sku_name: each.sku_available for each in skus.value} == {"S0": True, "F0": False}
    assert {sku.kind for sku in cognitive.resource_skus.list()} == {"OpenAI", "AIServices"}


def test_capacity_of_a_workload(cognitive: Sdk) -> None:
    """100 calls a minute of 900 and 100 tokens are 100 units of 1,000 tokens."""
    model = DeploymentModel(format="OpenAI", name="gpt-4o", version="2024-11-20")
    calls = ModelCapacityCalculatorWorkloadRequestParam(
        avg_prompt_tokens=900, avg_generated_tokens=100
    )
    workload = ModelCapacityCalculatorWorkload(request_per_minute=100, request_parameters=calls)
    answer = cognitive.calculate_model_capacity(model, "Standard", [workload])
    assert answer.estimated_capacity.value == 100
    with pytest.raises(HttpResponseError, match="InvalidSkuName"):
        cognitive.calculate_model_capacity(model, "Provisioned", [workload])
    reserved = cognitive.calculate_model_capacity(model, "ProvisionedManaged", [workload])
    assert reserved.estimated_capacity.value == 1667  # 100,000 tokens a minute at 1 a second each


def test_quota_is_a_pool(managed: Managed, cognitive: Sdk, group: str) -> None:
    """More than is left is refused in Azure's words; what is deleted is free again at once."""
    account = {"location": "local", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {}}
    cognitive.accounts.begin_create(group, "thirsty", account).result()

    def wish(capacity: int) -> dict[str, object]:
        model = {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}
        return {
            "sku": {"name": "DataZoneStandard", "capacity": capacity},
            "properties": {"model": model},
        }

    def create(name: str, capacity: int) -> None:
        cognitive.deployments.begin_create_or_update(
            group, "thirsty", name, wish(capacity)
        ).result()

    create("first", 700)
    with pytest.raises(HttpResponseError) as refused:
        create("second", 400)
    assert refused.value.status_code == 400
    assert "InsufficientQuota" in str(refused.value)
    assert "require 400 new capacity" in str(refused.value)
    assert "available capacity 300" in str(refused.value)
    create("second", 300)
    create("second", 300)  # unchanged: nothing new is asked for
    cognitive.deployments.begin_delete(group, "thirsty", "first").result()
    create("third", 700)
    assert managed.ask("GET", f"{SUBSCRIPTION}/providers").status_code == 400


def test_providers_and_generic_lists(resources: Sdk, group: str, cognitive: Sdk) -> None:
    """Providers list types and versions; the generic list finds accounts by type."""
    provider = resources.providers.get("microsoft.cognitiveservices")
    assert provider.registration_state == "Registered"
    types = {each.resource_type: each for each in provider.resource_types}
    assert "2025-09-01" in types["accounts"].api_versions
    assert "accounts/deployments" in types
    assert "Microsoft.Resources" in {each.namespace for each in resources.providers.list()}
    account = {"location": "local", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {}}
    cognitive.accounts.begin_create(group, "findable", account).result()
    found = resources.resources.list_by_resource_group(
        group, filter="resourceType eq 'Microsoft.CognitiveServices/accounts'"
    )
    assert [each.name for each in found] == ["findable"]
    assert "findable" in {each.name for each in resources.resources.list()}
    assert "Microsoft.CognitiveServices/accounts/listKeys/action" in {
        each.name for each in cognitive.operations.list()
    }


def test_tenants_subscriptions_and_the_cloud(managed: Managed) -> None:
    """What az asks first: the cloud without a credential, tenants and subscriptions with one."""
    bare = managed.ask(
        "GET", "/metadata/endpoints?api-version=2022-09-01", headers={"authorization": ""}
    )
    assert bare.status_code == 200
    assert bare.json()["resourceManager"] == f"{managed.server.endpoint}/"
    assert isinstance(managed.ask("GET", "/metadata/endpoints?api-version=2019-05-01").json(), list)
    tenants = managed.ask("GET", "/tenants?api-version=2022-12-01").json()["value"]
    listed = managed.ask("GET", "/subscriptions?api-version=2022-12-01").json()["value"]
    assert listed[0]["tenantId"] == tenants[0]["tenantId"]
    places = managed.ask("GET", f"{SUBSCRIPTION}/locations?api-version=2022-12-01").json()["value"]
    assert [place["name"] for place in places] == ["local"]
    unknown = managed.ask(
        "GET", "/subscriptions/11111111-0000-0000-0000-000000000001?api-version=2022-12-01"
    )
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "SubscriptionNotFound")


def test_content_policies_and_blocklists(cognitive: Sdk, group: str) -> None:
    """Policies and blocklists are kept; a policy that a deployment uses stays."""
    account = {"location": "local", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {}}
    cognitive.accounts.begin_create(group, "careful", account).result()
    assert {p.name for p in cognitive.rai_policies.list(group, "careful")} == {
        "Microsoft.Default",
        "Microsoft.DefaultV2",
    }
    cognitive.rai_blocklists.create_or_update(
        group, "careful", "words", {"properties": {"description": "mine"}}
    )
    cognitive.rai_blocklist_items.batch_add(
        group,
        "careful",
        "words",
        [{"name": "one", "properties": {"pattern": "a"}}, {"name": "two", "properties": {}}][:1],
    )
    items = list(cognitive.rai_blocklist_items.list(group, "careful", "words"))
    assert [(item.name, item.properties.pattern) for item in items] == [("one", "a")]
    policy = {
        "properties": {
            "basePolicyName": "Microsoft.DefaultV2",
            "mode": "Blocking",
            "contentFilters": [
                {
                    "name": "Hate",
                    "enabled": True,
                    "blocking": True,
                    "severityThreshold": "High",
                    "source": "Prompt",
                }
            ],
            "customBlocklists": [{"blocklistName": "words", "blocking": True, "source": "Prompt"}],
        }
    }
    made = cognitive.rai_policies.create_or_update(group, "careful", "mild", policy)
    assert made.properties.type == "UserManaged"
    with pytest.raises(HttpResponseError, match="RaiPolicyIsSystemManaged"):
        cognitive.rai_policies.create_or_update(group, "careful", "Microsoft.Default", policy)
    deployment = {
        "sku": {"name": "Standard", "capacity": 1},
        "properties": {"model": {"name": "gpt-4o"}, "raiPolicyName": "mild"},
    }
    cognitive.deployments.begin_create_or_update(group, "careful", "chat", deployment).result()
    with pytest.raises(HttpResponseError, match="RaiPolicyInUse"):
        cognitive.rai_policies.begin_delete(group, "careful", "mild")
    cognitive.deployments.begin_delete(group, "careful", "chat").result()
    cognitive.rai_policies.begin_delete(group, "careful", "mild").result()
    cognitive.rai_blocklist_items.batch_delete(group, "careful", "words", ["one"])
    assert not list(cognitive.rai_blocklist_items.list(group, "careful", "words"))
    filters = {each.properties.name for each in cognitive.rai_content_filters.list("local")}
    assert {"Hate", "Jailbreak"} <= filters


def test_quota_tier_and_projects(cognitive: Sdk, group: str) -> None:
    """The tier's policy can be set; projects live in accounts that allow them."""
    assert cognitive.quota_tiers.get("default").properties.current_tier_name == "Settings"
    changed = cognitive.quota_tiers.update(
        "default", {"properties": {"tierUpgradePolicy": "OnceUpgradeIsAvailable"}}
    )
    assert changed.properties.tier_upgrade_policy == "OnceUpgradeIsAvailable"
    account = {
        "location": "local",
        "kind": "AIServices",
        "sku": {"name": "S0"},
        "identity": {"type": "SystemAssigned"},
        "properties": {"allowProjectManagement": True},
    }
    cognitive.accounts.begin_create(group, "foundry", account).result()
    project = cognitive.projects.begin_create(
        group, "foundry", "team", {"location": "local", "properties": {"displayName": "Team"}}
    ).result()
    assert project.properties.display_name == "Team"
    assert project.properties.provisioning_state == "Succeeded"
    assert [each.name for each in cognitive.projects.list(group, "foundry")] == ["team"]
    links = cognitive.private_link_resources.list(group, "foundry").value
    assert links[0].properties.group_id == "account"

"""Connections, capability hosts, plans and scopes, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.cognitiveservices.models import (
    ApiKeyAuthConnectionProperties,
    CapabilityHost,
    CapabilityHostProperties,
    ConnectionApiKey,
    ConnectionPropertiesV2BasicResource,
    ConnectionUpdateContent,
)

if TYPE_CHECKING:
    from tests.contract.arm.conftest import Managed, Sdk

ACCOUNT = {
    "location": "local",
    "kind": "AIServices",
    "sku": {"name": "S0"},
    "properties": {"allowProjectManagement": True},
}


def test_a_connection_and_a_capability_host_over_it(
    managed: Managed, cognitive: Sdk, group: str
) -> None:
    """Made, listed, changed, deleted; the key comes back in no answer and is in no file."""
    cognitive.accounts.begin_create(group, "parts", ACCOUNT).result()
    key = "search-key-in-no-file"
    connection = ConnectionPropertiesV2BasicResource(
        properties=ApiKeyAuthConnectionProperties(
            category="CognitiveSearch",
            target="https://search.example",
            credentials=ConnectionApiKey(key=key),
        )
    )
    made = cognitive.account_connections.create(group, "parts", "search", connection)
    assert isinstance(made.properties, ApiKeyAuthConnectionProperties)
    assert made.properties.credentials is None
    narrowed = cognitive.account_connections.list(group, "parts", category="CognitiveSearch")
    assert [each.name for each in narrowed] == ["search"]
    assert not list(cognitive.account_connections.list(group, "parts", category="Git"))
    update = ConnectionUpdateContent(
        properties=ApiKeyAuthConnectionProperties(target="https://other.example")
    )
    changed = cognitive.account_connections.update(group, "parts", "search", update)
    assert changed.properties.target == "https://other.example"
    host = CapabilityHost(properties=CapabilityHostProperties(vector_store_connections=["search"]))
    hosts = cognitive.account_capability_hosts
    there = hosts.begin_create_or_update(group, "parts", "agents", host).result()
    assert there.properties.provisioning_state == "Succeeded"
    hosts.begin_delete(group, "parts", "agents").result()
    with pytest.raises(ResourceNotFoundError):
        hosts.get(group, "parts", "agents")
    home = managed.server.home
    written = [file for file in home.rglob("*") if file.is_file()]
    assert written
    assert not [file for file in written if key.encode() in file.read_bytes()]
    cognitive.account_connections.delete(group, "parts", "search")


def test_plans_scopes_settings_and_topics(cognitive: Sdk, group: str) -> None:
    """What the stable client can do with each of them."""
    cognitive.accounts.begin_create(group, "kept", ACCOUNT | {"location": "local"}).result()
    plan = cognitive.commitment_plans.begin_create_or_update_plan(
        group, "plan", {"location": "local", "kind": "SpeechServices", "properties": {}}
    ).result()
    assert [each.id for each in cognitive.commitment_plans.list_plans_by_subscription()] == [
        plan.id
    ]
    account = cognitive.accounts.get(group, "kept")
    cognitive.commitment_plans.begin_create_or_update_association(
        group, "plan", "a", {"properties": {"accountId": account.id}}
    ).result()
    cognitive.commitment_plans.begin_delete_plan(group, "plan").result()
    with pytest.raises(HttpResponseError, match="keyVaultUri"):
        cognitive.encryption_scopes.create_or_update(group, "kept", "scope", {"properties": {}})
    cognitive.defender_for_ai_settings.create_or_update(group, "kept", "Default", {})
    watched = cognitive.defender_for_ai_settings.update(
        group, "kept", "Default", {"properties": {"state": "Enabled"}}
    )
    assert watched.state == "Enabled"
    cognitive.rai_topics.create_or_update(
        group, "kept", "topic", {"properties": {"topicName": "Secrets"}}
    )
    cognitive.rai_topics.begin_delete(group, "kept", "topic").result()
    assert not list(cognitive.rai_topics.list(group, "kept"))
    assert not list(cognitive.commitment_tiers.list("local"))
    assert not list(cognitive.network_security_perimeter_configurations.list(group, "kept"))

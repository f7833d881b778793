"""Accounts and deployments from their creation to their end, by the official clients."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import HttpResponseError, ODataV4Format, ResourceNotFoundError
from openai import AuthenticationError, AzureOpenAI, DefaultHttpxClient

if TYPE_CHECKING:
    from tests.contract.arm.conftest import Managed, Sdk

ACCOUNT = {
    "location": "local",
    "kind": "OpenAI",
    "sku": {"name": "S0"},
    "properties": {"customSubDomainName": "made-by-arm"},
}
DEPLOYMENT = {
    "sku": {"name": "Standard", "capacity": 10},
    "properties": {"model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}},
}


def chat_through(managed: Managed, endpoint: str, key: str, deployment: str) -> str:
    """Ask the deployment something, through the official client."""
    trust = DefaultHttpxClient(verify=ssl.create_default_context(cafile=managed.authority))
    with AzureOpenAI(
        azure_endpoint=endpoint,
        api_key=key,
        api_version="2024-10-21",
        max_retries=0,
        http_client=trust,
    ) as client:
        answer = client.chat.completions.create(
            model=deployment, messages=[{"role": "user", "content": "Hello"}]
        )
    return answer.choices[0].message.content or ""


def error_of(refused: HttpResponseError) -> ODataV4Format:
    """What the SDK has read of the error envelope."""
    assert refused.error is not None
    return refused.error


def test_what_is_created_answers_chat(managed: Managed, cognitive: Sdk, group: str) -> None:
    """An account and a deployment made through ARM serve chat until they are deleted."""
    account = cognitive.accounts.begin_create(group, "first", ACCOUNT).result()
    assert account.properties.provisioning_state == "Succeeded"
    assert account.system_data.created_by_type == "Key"
    made = cognitive.deployments.begin_create_or_update(group, "first", "chat", DEPLOYMENT).result()
    assert made.properties.provisioning_state == "Succeeded"
    assert [(limit.key, limit.count) for limit in made.properties.rate_limits] == [
        ("request", 10),
        ("token", 10_000),
    ]
    keys = cognitive.accounts.list_keys(group, "first")
    assert chat_through(managed, account.properties.endpoint, keys.key1, "chat")

    fresh = cognitive.accounts.regenerate_key(group, "first", "Key1")
    assert fresh.key1 != keys.key1
    assert fresh.key2 == keys.key2
    with pytest.raises(AuthenticationError):
        chat_through(managed, account.properties.endpoint, keys.key1, "chat")
    assert chat_through(managed, account.properties.endpoint, fresh.key1, "chat")

    cognitive.deployments.begin_delete(group, "first", "chat").result()
    with pytest.raises(ResourceNotFoundError):
        cognitive.deployments.get(group, "first", "chat")
    cognitive.accounts.begin_delete(group, "first").result()
    with pytest.raises(AuthenticationError):
        chat_through(managed, account.properties.endpoint, fresh.key1, "chat")


def test_resource_groups_come_and_go(resources: Sdk) -> None:
    """A group is made, found, changed, listed and deleted."""
    made = resources.resource_groups.create_or_update(
        "come-and-go", {"location": "local", "tags": {"a": "1"}}
    )
    assert made.properties.provisioning_state == "Succeeded"
    assert resources.resource_groups.check_existence("COME-and-go")
    assert not resources.resource_groups.check_existence("never-was")
    changed = resources.resource_groups.update("come-and-go", {"tags": {"b": "2"}})
    assert changed.tags == {"b": "2"}
    assert "come-and-go" in [each.name for each in resources.resource_groups.list()]
    resources.resource_groups.begin_delete("come-and-go").result()
    with pytest.raises(ResourceNotFoundError) as gone:
        resources.resource_groups.get("come-and-go")
    assert error_of(gone.value).code == "ResourceGroupNotFound"


def test_ids_ignore_case_and_keep_it(cognitive: Sdk, group: str) -> None:
    """Any spelling finds a resource; it shows the spelling in which it was made."""
    cognitive.accounts.begin_create(group, "MixedCase", {**ACCOUNT, "properties": {}}).result()
    found = cognitive.accounts.get(group.upper(), "mixedcase")
    assert found.name == "MixedCase"
    assert f"/resourceGroups/{group}/" in found.id
    again = cognitive.accounts.begin_create(group, "MIXEDCASE", {**ACCOUNT, "properties": {}})
    assert again.result().id == found.id
    assert len(list(cognitive.accounts.list_by_resource_group(group))) == 1


def test_a_patch_changes_only_what_it_names(cognitive: Sdk, group: str) -> None:
    """Tags are replaced, properties merged."""
    cognitive.accounts.begin_create(group, "patched", {**ACCOUNT, "tags": {"a": "1"}}).result()
    cognitive.accounts.begin_update(
        group, "patched", {"properties": {"disableLocalAuth": True}}
    ).result()
    changed = cognitive.accounts.begin_update(group, "patched", {"tags": {"b": "2"}}).result()
    assert changed.tags == {"b": "2"}
    assert changed.properties.disable_local_auth is True
    assert changed.properties.custom_sub_domain_name == "made-by-arm"
    with pytest.raises(HttpResponseError) as refused:
        cognitive.accounts.list_keys(group, "patched")
    assert "disableLocalAuth" in refused.value.message
    with pytest.raises(HttpResponseError, match="disableLocalAuth"):
        cognitive.accounts.regenerate_key(group, "patched", "Key1")


def test_what_settings_declare_stays(cognitive: Sdk) -> None:
    """Declared deployments are shown; a change that settings decide is refused and names them."""
    declared = cognitive.deployments.get("linarite", "linarite", "gpt-4o")
    assert declared.sku.capacity == 100
    assert (
        cognitive.deployments.begin_create_or_update("linarite", "linarite", "gpt-4o", declared)
        .result()
        .etag
        == declared.etag
    )
    declared.sku.capacity = 5
    with pytest.raises(HttpResponseError) as refused:
        cognitive.deployments.begin_create_or_update("linarite", "linarite", "gpt-4o", declared)
    assert refused.value.status_code == 409
    assert error_of(refused.value).code == "DeclaredBySettings"
    assert "[[deployments]]" in str(error_of(refused.value).message)
    with pytest.raises(HttpResponseError, match=r"\[account\]"):
        cognitive.accounts.begin_delete("linarite", "linarite")

"""A deleted account can be recovered or purged, and its name is reserved meanwhile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.contract.arm.test_lifecycle import chat_through

if TYPE_CHECKING:
    from tests.contract.arm.conftest import Managed, Sdk

ACCOUNT = {
    "location": "local",
    "kind": "OpenAI",
    "sku": {"name": "S0"},
    "tags": {"kept": "yes"},
    "properties": {"customSubDomainName": "comes-back"},
}
DEPLOYMENT = {
    "sku": {"name": "Standard", "capacity": 10},
    "properties": {"model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}},
}


def state_of(cognitive: Sdk, group: str) -> str:
    """The deployment's provisioningState: after a recovery it is brought up again."""
    found = cognitive.deployments.get(group, "comes-back", "chat")
    return str(found.properties.provisioning_state)


def test_an_account_is_deleted_recovered_and_purged(
    managed: Managed, cognitive: Sdk, group: str
) -> None:
    """What lay in the account comes back with its keys; a purged one is gone."""
    made = cognitive.accounts.begin_create(group, "comes-back", ACCOUNT).result()
    cognitive.deployments.begin_create_or_update(group, "comes-back", "chat", DEPLOYMENT).result()
    keys = cognitive.accounts.list_keys(group, "comes-back")
    cognitive.accounts.begin_delete(group, "comes-back").result()
    with pytest.raises(ResourceNotFoundError):
        cognitive.accounts.get(group, "comes-back")

    deleted = cognitive.deleted_accounts.get("local", group, "comes-back")
    assert deleted.properties.scheduled_purge_date > deleted.properties.deletion_date
    assert "comes-back" in {each.name for each in cognitive.deleted_accounts.list()}
    assert not cognitive.check_domain_availability(
        "comes-back", "Microsoft.CognitiveServices/accounts"
    ).is_subdomain_available
    with pytest.raises(HttpResponseError, match="FlagMustBeSetForRestore"):
        cognitive.accounts.begin_create(group, "comes-back", ACCOUNT)

    back = cognitive.accounts.begin_create(
        group, "comes-back", {"location": "local", "properties": {"restore": True}}
    ).result()
    assert (back.id, back.kind, back.tags) == (made.id, "OpenAI", {"kept": "yes"})
    assert back.properties.restore is None
    deployment = DEPLOYMENT | {"tags": {"waits": "for the other operation"}}
    deadline = time.monotonic() + 60
    while state_of(cognitive, group) != "Succeeded":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    cognitive.deployments.begin_create_or_update(group, "comes-back", "chat", deployment).result()
    assert cognitive.accounts.list_keys(group, "comes-back").key1 == keys.key1
    assert chat_through(managed, back.properties.endpoint, keys.key1, "chat")
    with pytest.raises(ResourceNotFoundError):
        cognitive.deleted_accounts.get("local", group, "comes-back")

    cognitive.accounts.begin_delete(group, "comes-back").result()
    cognitive.deleted_accounts.begin_purge("local", group, "comes-back").result()
    with pytest.raises(HttpResponseError, match="CanNotRestoreANonExistingResource"):
        cognitive.accounts.begin_create(
            group,
            "comes-back",
            {"location": "local", "kind": "OpenAI", "sku": {"name": "S0"}}
            | {"properties": {"restore": True}},
        )
    cognitive.accounts.begin_create(group, "comes-back", ACCOUNT).result()
    assert cognitive.accounts.list_keys(group, "comes-back").key1 != keys.key1
    assert not list(cognitive.deployments.list(group, "comes-back"))

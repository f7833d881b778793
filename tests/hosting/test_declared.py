"""What settings declare, and what becomes of it in the resource store."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from linarite.domain.resource import Resource
from linarite.hosting.declared import DEPLOYMENT_TYPE, account_id, declare
from linarite.hosting.options import AccountSettings, DeploymentSettings
from linarite.storage.memory.resources import MemoryResourceStore
from tests.dataplane.rig import foreign_account_id, put_foreign_account

pytestmark = pytest.mark.anyio

ACCOUNT = AccountSettings()
ONE = DeploymentSettings(name="one", model="gpt-4o", model_version="2024-11-20", instance="i")
TWO = DeploymentSettings(name="Two", model="phi", instance="j", sku="Standard", capacity=7)


async def everything(store: MemoryResourceStore) -> dict[str, Resource]:
    """All accounts and deployments, by id."""
    accounts = await store.list_under("", "Microsoft.CognitiveServices/accounts")
    deployments = await store.list_under("", DEPLOYMENT_TYPE)
    return {resource.id: resource for resource in (*accounts, *deployments)}


async def test_resources_look_as_the_control_plane_writes_them() -> None:
    """Ids, types, SKUs, properties and system data in ARM's shape."""
    store = MemoryResourceStore()
    account = await declare(store, ACCOUNT, [ONE, TWO])
    assert (
        account
        == account_id(ACCOUNT)
        == (
            "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/linarite"
            "/providers/Microsoft.CognitiveServices/accounts/linarite"
        )
    )
    found = await everything(store)
    assert set(found) == {account, f"{account}/deployments/one", f"{account}/deployments/Two"}
    top, two = found[account], found[f"{account}/deployments/Two"]
    assert (top.kind, top.location, top.sku) == ("OpenAI", "local", {"name": "S0"})
    assert top.properties["customSubDomainName"] == "linarite"
    assert (two.type, two.name) == (DEPLOYMENT_TYPE, "Two")
    assert two.sku == {"name": "Standard", "capacity": 7}
    assert two.properties == {
        "model": {"format": "OpenAI", "name": "phi", "version": "1"},
        "provisioningState": "Succeeded",
        "versionUpgradeOption": "NoAutoUpgrade",
        "instance": "j",
        "rateLimited": True,
    }
    assert two.system_data["createdBy"] == two.system_data["lastModifiedBy"] == "linarite.toml"
    assert two.system_data["createdByType"] == "Application"
    assert two.etag


async def test_declaring_again_changes_nothing() -> None:
    """The same settings leave etags and times as they are."""
    store = MemoryResourceStore()
    await declare(store, ACCOUNT, [ONE, TWO])
    before = await everything(store)
    await declare(store, ACCOUNT, [TWO, ONE])
    assert await everything(store) == before


async def test_only_what_changed_is_written() -> None:
    """A new capacity is a new etag and a later time, for that deployment alone."""
    store = MemoryResourceStore()
    account = await declare(store, ACCOUNT, [ONE, TWO])
    before = await everything(store)
    await declare(store, ACCOUNT, [ONE, replace(TWO, capacity=8)])
    after = await everything(store)
    changed = f"{account}/deployments/Two"
    assert {id_ for id_ in after if after[id_] != before[id_]} == {changed}
    assert after[changed].sku == {"name": "Standard", "capacity": 8}
    assert after[changed].etag != before[changed].etag
    then, now = before[changed].system_data, after[changed].system_data
    assert now["createdAt"] == then["createdAt"]
    assert now["lastModifiedAt"] > then["lastModifiedAt"]


async def test_what_is_declared_no_longer_is_removed() -> None:
    """But not what others created under the same account."""
    store = MemoryResourceStore()
    account = await declare(store, ACCOUNT, [ONE, TWO])
    theirs = Resource(
        id=f"{account}/deployments/theirs",
        type=DEPLOYMENT_TYPE,
        name="theirs",
        properties={"model": {"name": "m"}},
        system_data={"createdBy": "somebody@example.com"},
    )
    await store.put(theirs)
    await declare(store, ACCOUNT, [TWO])
    names = {resource.name for resource in (await everything(store)).values()}
    assert names == {"linarite", "Two", "theirs"}
    await declare(store, ACCOUNT, [])
    names = {resource.name for resource in (await everything(store)).values()}
    assert names == {"linarite", "theirs"}


async def test_a_foreign_deployment_of_the_same_name_is_taken_over_and_stays() -> None:
    """Settings win over it while they declare it; its creator is not forgotten."""
    store = MemoryResourceStore()
    account = await declare(store, ACCOUNT, [])
    await store.put(
        Resource(
            id=f"{account}/deployments/ONE",
            type=DEPLOYMENT_TYPE,
            name="ONE",
            properties={"model": {"name": "theirs"}},
            system_data={"createdBy": "somebody@example.com"},
        )
    )
    await declare(store, ACCOUNT, [ONE])
    (found,) = await store.list_under(account, DEPLOYMENT_TYPE)
    assert found.properties["model"]["name"] == "gpt-4o"
    assert found.system_data["createdBy"] == "somebody@example.com"
    await declare(store, ACCOUNT, [])
    assert len(await store.list_under(account, DEPLOYMENT_TYPE)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"name": "renamed"},
        {"resource_group": "elsewhere"},
        {"subscription": "00000000-0000-0000-0000-000000000002"},
    ],
)
async def test_a_renamed_account_replaces_the_old_one(change: dict[str, str]) -> None:
    """Two accounts would mean that a call that names none is refused."""
    store = MemoryResourceStore()
    await declare(store, ACCOUNT, [ONE])
    account = await declare(store, replace(ACCOUNT, **change), [ONE])
    assert set(await everything(store)) == {account, f"{account}/deployments/one"}


async def test_other_accounts_stay() -> None:
    """Those that others created, and an old one of ours under which others put something."""
    store = MemoryResourceStore()
    await put_foreign_account(store, "other")
    old = await declare(store, ACCOUNT, [ONE])
    await store.put(
        Resource(
            id=f"{old}/deployments/theirs",
            type=DEPLOYMENT_TYPE,
            name="theirs",
            system_data={"createdBy": "somebody@example.com"},
        )
    )
    new = await declare(store, replace(ACCOUNT, name="renamed"), [ONE])
    other = foreign_account_id("other")
    assert set(await everything(store)) == {
        other,
        f"{other}/deployments/theirs",
        old,
        f"{old}/deployments/theirs",
        new,
        f"{new}/deployments/one",
    }


async def test_the_case_of_a_name_may_change() -> None:
    """It is the same resource: kept as first written, and not written anew at every start."""
    store = MemoryResourceStore()
    await declare(store, ACCOUNT, [ONE])
    before = await everything(store)
    await declare(store, replace(ACCOUNT, name="LinaRite"), [replace(ONE, name="ONE")])
    assert await everything(store) == before


async def test_what_settings_do_not_say_of_tiers_stays_the_control_planes() -> None:
    """And what they say holds from the next start on."""
    store = MemoryResourceStore()
    account = await declare(store, ACCOUNT, [ONE])
    path = f"{account}/deployments/one"
    first = await store.get(path)
    assert first is not None
    assert "serviceTier" not in first.properties
    changed = first.properties | {"serviceTier": "Priority", "spilloverDeploymentName": "two"}
    await store.put(msgspec.structs.replace(first, properties=changed))
    await declare(store, ACCOUNT, [ONE])
    kept = await store.get(path)
    assert kept is not None
    assert kept.properties == changed
    await declare(store, ACCOUNT, [replace(ONE, service_tier="default", spillover="three")])
    said = await store.get(path)
    assert said is not None
    assert said.properties["serviceTier"] == "Default"
    assert said.properties["spilloverDeploymentName"] == "three"

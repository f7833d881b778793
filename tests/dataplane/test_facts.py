from __future__ import annotations

import msgspec
import pytest

from linarite.dataplane.facts import FactsBook, ToldOfInstances
from linarite.domain.calibration import Batch, Calibration, calibration_resource
from linarite.domain.errors import InvalidKey
from linarite.domain.rate_limits import RateLimits, provisioned_limits
from linarite.domain.resource import Put, Resource
from linarite.hosting.declared import declare
from linarite.hosting.options import AccountSettings, DeploymentSettings
from linarite.storage.memory.keys import MemoryKeyStore
from linarite.storage.memory.resources import MemoryResourceStore
from tests.dataplane.rig import foreign_account_id, put_foreign_account

pytestmark = pytest.mark.anyio

DECLARED = [
    DeploymentSettings(name="GPT", model="gpt-4o", model_version="2024-11-20", instance="i")
]


async def test_the_only_account_needs_no_name() -> None:
    """With one account "" means it; with none or two it means nothing."""
    resources, keys = MemoryResourceStore(), MemoryKeyStore()
    book = FactsBook(resources, keys)
    await book.refresh()
    with pytest.raises(InvalidKey):
        book.for_account("")
    await declare(resources, AccountSettings(), DECLARED)
    await book.refresh()
    assert book.for_account("").account.name == "linarite"
    assert book.for_account("LinArite") is book.for_account("")
    await put_foreign_account(resources, "other")
    await book.refresh()
    with pytest.raises(InvalidKey):
        book.for_account("")
    assert book.for_account("other").deployment("THEIRS") is not None


async def test_facts_tell_what_the_resources_say() -> None:
    """Region, keys, times and deployments; names are compared without case."""
    resources, keys = MemoryResourceStore(), MemoryKeyStore()
    account = AccountSettings(location="eastus2", region_title="East US 2")
    account_id = await declare(resources, account, DECLARED)
    pair = await keys.ensure(account_id)
    book = FactsBook(resources, keys)
    await book.refresh()
    facts = book.for_account("")
    assert facts.account.region_title == "East US 2"
    assert facts.account.created_at > 1_700_000_000
    assert facts.account.key_digests == {
        keys.digest(pair.key1): "key1",
        keys.digest(pair.key2): "key2",
    }
    deployment = facts.deployment("gpt")
    assert deployment is not None
    assert (deployment.name, deployment.model.version, deployment.instance) == (
        "GPT",
        "2024-11-20",
        "i",
    )
    assert (deployment.sku.name, deployment.sku.capacity) == ("GlobalStandard", 100)


async def test_facts_are_read_from_resources_that_say_little() -> None:
    """A deployment with nothing but a model's name is served by the instance of that name."""
    resources, keys = MemoryResourceStore(), MemoryKeyStore()
    account = foreign_account_id("bare")
    await resources.put(
        Resource(id=account, type="Microsoft.CognitiveServices/accounts", name="bare")
    )
    await resources.put(
        Resource(
            id=f"{account}/deployments/d",
            type="Microsoft.CognitiveServices/accounts/deployments",
            name="d",
            properties={"model": {"name": "m"}},
        )
    )
    book = FactsBook(resources, keys)
    await book.refresh()
    facts = book.for_account("bare")
    deployment = facts.deployment("d")
    assert deployment is not None
    assert (deployment.instance, deployment.model.version, deployment.created_at) == ("m", "1", 0)
    assert facts.account.key_digests == {}


async def test_a_key_of_any_account_is_recognised_and_no_other() -> None:
    """An account that takes no keys does not stand in the way of the others."""
    resources, keys = MemoryResourceStore(), MemoryKeyStore()
    closed = foreign_account_id("a-closed")
    await resources.put(
        Resource(
            id=closed,
            type="Microsoft.CognitiveServices/accounts",
            name="a-closed",
            properties={"disableLocalAuth": True},
        )
    )
    refused = await keys.ensure(closed)
    pair = await keys.ensure(await declare(resources, AccountSettings(), DECLARED))
    book = FactsBook(resources, keys)
    await book.refresh()
    recognise = book.recogniser(keys.digest)
    recognise({b"api-key": pair.key2.encode()})
    recognise({b"authorization": b"Bearer " + pair.key1.encode()})
    for headers in ({}, {b"api-key": b"wrong"}, {b"api-key": refused.key1.encode()}):
        with pytest.raises(InvalidKey):
            recognise(headers)


async def test_a_change_is_followed_where_it_touches() -> None:
    """Written, moved to another domain, or removed with its group; others' facts stay the same."""
    resources, keys = MemoryResourceStore(), MemoryKeyStore()
    account_id = await declare(resources, AccountSettings(), DECLARED)
    book = FactsBook(resources, keys, default_account=account_id)
    await book.refresh()
    resources.subscribe(book.follow)
    mine = book.for_account("")
    await put_foreign_account(resources, "other")
    assert book.for_account("other").deployment("theirs") is not None
    assert book.for_account("linarite") is mine
    theirs = await resources.get(foreign_account_id("other"))
    assert theirs is not None
    moved = theirs.properties | {"customSubDomainName": "elsewhere"}
    await resources.put(msgspec.structs.replace(theirs, properties=moved))
    assert book.for_account("elsewhere").account.name == "other"
    with pytest.raises(InvalidKey):
        book.for_account("other")
    await resources.delete(f"{account_id}/deployments/gpt")
    assert book.for_account("").deployment("gpt") is None
    group = foreign_account_id("other").partition("/providers/")[0]
    await resources.put(Resource(group, "Microsoft.Resources/resourceGroups", "g"))
    await resources.delete(group)
    with pytest.raises(InvalidKey):
        book.for_account("elsewhere")


async def test_keys_are_read_anew_for_one_account() -> None:
    """No commit tells of a key that was replaced; other accounts' facts stay the same."""
    resources, keys = MemoryResourceStore(), MemoryKeyStore()
    account_id = await declare(resources, AccountSettings(), DECLARED)
    await put_foreign_account(resources, "other")
    before = await keys.ensure(account_id)
    book = FactsBook(resources, keys)
    await book.refresh()
    other = book.for_account("other")
    after = await keys.regenerate(account_id, "key1")
    await book.read_anew(account_id.upper())
    digests = book.for_account("linarite").account.key_digests
    assert keys.digest(before.key1) not in digests
    assert digests == {keys.digest(after.key1): "key1", keys.digest(after.key2): "key2"}
    assert book.for_account("other") is other


@pytest.mark.parametrize(
    "gone",
    [
        "/providers/Linarite.SignIn/sessions/one",
        "/providers/Linarite.Hosting/instances/one",
        "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/one",
    ],
)
async def test_what_accounts_do_not_lie_in_may_go(gone: str) -> None:
    """People sign out and lose roles all the time: no account is read anew for that."""
    resources, keys = MemoryResourceStore(), MemoryKeyStore()
    await declare(resources, AccountSettings(), DECLARED)
    book = FactsBook(resources, keys)
    await book.refresh()
    resources.subscribe(book.follow)
    before = book.for_account("")
    await resources.put(Resource(id=gone, type="any", name="one"))
    await resources.delete(gone)
    assert book.for_account("") is before


async def test_a_provisioned_deployment_of_the_settings_has_its_units() -> None:
    """By what a unit reserves, and by the newest calibration of its model, once there is one."""
    resources = MemoryResourceStore()
    said = DeploymentSettings(
        name="ptu", model="gpt-4o", sku="GlobalProvisionedManaged", capacity=10, instance="one"
    )
    without = msgspec.structs.replace(said, name="free", capacity=0)
    await declare(resources, AccountSettings(), [said, without])
    told = ToldOfInstances(engine_of=lambda _: "llamacpp", tokens_per_second_per_ptu=2.0)
    facts = FactsBook(resources, MemoryKeyStore(), instances=told)
    await facts.refresh()
    resources.subscribe(facts.follow)

    def limits(name: str) -> RateLimits | None:
        found = facts.for_account("linarite").deployment(name)
        assert found is not None
        return found.limits

    assert limits("ptu") == provisioned_limits(20.0)
    assert limits("free") is None
    for engine, at, tokens_per_second in (
        ("llamacpp", "2026-01-01", 500.0),
        ("llamacpp", "2026-01-02", 800.0),
        ("openvino", "2026-01-03", 900.0),
    ):
        found = Calibration(
            model="gpt-4o",
            version="1",
            engine=engine,
            hardware=at,
            instance="one",
            prompt_tokens_per_second=tokens_per_second,
            batches=(Batch(1, 100.0),),
            at=at,
        )
        await resources.commit([Put(calibration_resource(found))])
    assert limits("ptu") == provisioned_limits(20.0, 8.0)


@pytest.mark.parametrize(
    ("account", "deployment", "may"),
    [
        (None, None, False),
        (True, None, True),
        (True, False, False),
        (False, True, True),
        (None, True, True),
    ],
)
async def test_who_may_borrow(
    account: bool | None,
    deployment: bool | None,
    may: bool,
) -> None:
    """The deployment says so; one that says nothing does as its account says."""
    resources = MemoryResourceStore()
    account_id = await declare(resources, AccountSettings(), DECLARED)
    for place, said in ((account_id, account), (f"{account_id}/deployments/GPT", deployment)):
        found = await resources.get(place)
        assert found is not None
        properties = found.properties | {"dynamicThrottlingEnabled": said}
        await resources.put(msgspec.structs.replace(found, properties=properties))
    book = FactsBook(resources, MemoryKeyStore())
    await book.refresh()
    read = book.for_account("").deployment("gpt")
    assert read is not None
    assert read.borrows is may

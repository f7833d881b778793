"""What every ResourceStore promises."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.domain.errors import InvalidRequest
from linarite.domain.resource import EtagMismatch
from tests.storage.builders import ACCOUNT_TYPE, DEPLOYMENT_TYPE, make_resource

if TYPE_CHECKING:
    from linarite.domain.resource import ResourceStore

pytestmark = pytest.mark.anyio

GROUP = "/subscriptions/s1/resourceGroups/Team"
ACCOUNT = f"{GROUP}/providers/{ACCOUNT_TYPE}/Contoso"
DEPLOYMENT = f"{ACCOUNT}/deployments/chat"


async def ids_under(store: ResourceStore, parent_id: str, resource_type: str) -> list[str]:
    """The ids of a list, in its order."""
    return [resource.id for resource in await store.list_under(parent_id, resource_type)]


async def test_a_resource_comes_back_as_it_was_put(resource_store: ResourceStore) -> None:
    """Every field survives, with the etag that put returned."""
    resource = msgspec.structs.replace(
        make_resource(ACCOUNT, nested={"list": [1, 2.5, None, True, "ü€𐍈"], "empty": {}}),
        location="eastus2",
        kind="OpenAI",
        sku={"name": "S0", "capacity": 10},
        tags={"team": "a b"},
        system_data={"createdAt": "2026-01-01T00:00:00Z"},
    )
    put = await resource_store.put(resource)
    assert put.etag
    assert await resource_store.get(ACCOUNT) == put
    assert msgspec.structs.replace(put, etag="") == resource


async def test_what_is_not_there_is_none(resource_store: ResourceStore) -> None:
    """An unknown id gives None, also when something lies under it."""
    await resource_store.put(make_resource(DEPLOYMENT, DEPLOYMENT_TYPE))
    assert await resource_store.get(ACCOUNT) is None
    assert await resource_store.get("") is None


async def test_ids_are_compared_without_case_and_kept_as_first_written(
    resource_store: ResourceStore,
) -> None:
    """Another spelling finds and updates the same resource, whose id and name stay."""
    await resource_store.put(make_resource(ACCOUNT, version=1))
    again = await resource_store.put(make_resource(ACCOUNT.upper(), version=2))
    assert (again.id, again.name) == (ACCOUNT, "Contoso")
    assert await resource_store.get(f"{ACCOUNT.lower()}/") == again
    assert again.properties == {"version": 2}
    assert await ids_under(resource_store, "", ACCOUNT_TYPE.upper()) == [ACCOUNT]


async def test_later_changes_of_a_value_do_not_reach_the_store(
    resource_store: ResourceStore,
) -> None:
    """What was put, and what was handed out, can be changed without changing what is kept."""
    numbers = [1]
    put = await resource_store.put(make_resource(ACCOUNT, list=numbers))
    numbers.append(2)
    put.properties["list"].append(3)
    found = await resource_store.get(ACCOUNT)
    assert found is not None
    found.properties["list"].append(4)
    found = await resource_store.get(ACCOUNT)
    assert found is not None
    assert found.properties == {"list": [1]}


async def test_every_write_makes_a_fresh_etag(resource_store: ResourceStore) -> None:
    """Equal writes have different etags, and what the caller had as etag is not kept."""
    written = [
        (
            await resource_store.put(msgspec.structs.replace(make_resource(ACCOUNT), etag="mine"))
        ).etag
        for _ in range(5)
    ]
    assert len({*written, "mine"}) == 6


async def test_an_expected_etag_must_be_that_of_what_is_there(
    resource_store: ResourceStore,
) -> None:
    """A write over a state that has changed, or is gone, is refused and changes nothing."""
    with pytest.raises(EtagMismatch):
        await resource_store.put(make_resource(ACCOUNT), expected_etag="0")
    first = await resource_store.put(make_resource(ACCOUNT, version=1))
    second = await resource_store.put(make_resource(ACCOUNT, version=2), expected_etag=first.etag)
    with pytest.raises(EtagMismatch):
        await resource_store.put(make_resource(ACCOUNT, version=3), expected_etag=first.etag)
    assert await resource_store.get(ACCOUNT) == second
    await resource_store.delete(ACCOUNT)
    with pytest.raises(EtagMismatch):
        await resource_store.put(make_resource(ACCOUNT), expected_etag=second.etag)
    assert await resource_store.get(ACCOUNT) is None


async def test_an_empty_expected_etag_only_creates(resource_store: ResourceStore) -> None:
    """Of writers that expect nothing to be there, one wins."""
    outcomes = await asyncio.gather(
        *(
            resource_store.put(make_resource(ACCOUNT, writer=writer), expected_etag="")
            for writer in range(10)
        ),
        return_exceptions=True,
    )
    winners = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert len(winners) == 1
    assert all(isinstance(each, EtagMismatch) for each in outcomes if each is not winners[0])
    assert await resource_store.get(ACCOUNT) == winners[0]


async def test_no_update_is_lost_when_writers_check_etags(resource_store: ResourceStore) -> None:
    """Writers that read, add one and write over what they read count to their number."""
    await resource_store.put(make_resource(ACCOUNT, count=0))

    async def add_one() -> None:
        while True:
            present = await resource_store.get(ACCOUNT)
            assert present is not None
            changed = make_resource(ACCOUNT, count=present.properties["count"] + 1)
            try:
                await resource_store.put(changed, expected_etag=present.etag)
            except EtagMismatch:
                continue
            return

    await asyncio.gather(*(add_one() for _ in range(12)))
    final = await resource_store.get(ACCOUNT)
    assert final is not None
    assert final.properties == {"count": 12}


async def test_a_list_holds_one_type_at_any_depth_in_order(resource_store: ResourceStore) -> None:
    """Types are told apart, depth does not matter, order is that of the ids."""
    for name in ("b", "C", "a"):
        account = f"{GROUP}/providers/{ACCOUNT_TYPE}/{name}"
        await resource_store.put(make_resource(account))
        await resource_store.put(make_resource(f"{account}/deployments/d", DEPLOYMENT_TYPE))
    accounts = [f"{GROUP}/providers/{ACCOUNT_TYPE}/{name}" for name in ("a", "b", "C")]
    assert await ids_under(resource_store, "", ACCOUNT_TYPE) == accounts
    assert await ids_under(resource_store, "/SUBSCRIPTIONS/S1/", ACCOUNT_TYPE) == accounts
    assert await ids_under(resource_store, GROUP, DEPLOYMENT_TYPE) == [
        f"{account}/deployments/d" for account in accounts
    ]
    assert await ids_under(resource_store, accounts[0], ACCOUNT_TYPE) == []


@pytest.mark.parametrize(
    ("parent", "inside", "outside"),
    [
        ("/a/b", "/a/b/x", ["/a/bc", "/a/bc/x", "/a/b", "/a/b-/x", "/a/b0/x", "/a/b.x/y"]),
        ("/a/%", "/a/%/x", ["/a/b/x", "/a/%%/x", "/a/x/%/y"]),
        ("/a/_", "/a/_/x", ["/a/b/x", "/a/__/x"]),
        ("/a/ü", "/a/ü/x", ["/a/u/x", "/a/üb/x"]),
        ("/a/*", "/a/*/x", ["/a/b/x"]),
        ("/a/[b]", "/a/[b]/x", ["/a/b/x"]),
        ("/a/\\", "/a/\\/x", ["/a/b/x"]),
        ("/a/'", "/a/'/x", ["/a/b/x"]),
    ],
)
async def test_only_what_is_under_a_parent_is_listed_and_removed(
    resource_store: ResourceStore, parent: str, inside: str, outside: list[str]
) -> None:
    """Neither a longer name nor a character that is a wildcard somewhere reaches further."""
    for resource_id in dict.fromkeys([parent, inside, *outside]):
        await resource_store.put(make_resource(resource_id))
    assert await ids_under(resource_store, parent, ACCOUNT_TYPE) == [inside]
    assert await resource_store.delete(parent)
    remaining = sorted({*outside} - {parent}, key=str.lower)
    assert await ids_under(resource_store, "", ACCOUNT_TYPE) == remaining


async def test_delete_tells_whether_it_was_there(resource_store: ResourceStore) -> None:
    """Deleting what is not there is False and removes nothing, not even what lies under it."""
    await resource_store.put(make_resource(DEPLOYMENT, DEPLOYMENT_TYPE))
    assert not await resource_store.delete(ACCOUNT)
    assert not await resource_store.delete("")
    assert await resource_store.get(DEPLOYMENT) is not None
    assert await resource_store.delete(DEPLOYMENT.upper())
    assert not await resource_store.delete(DEPLOYMENT)


@pytest.mark.parametrize("resource_id", ["", "/", "//", "accounts/a"])
async def test_an_id_that_is_no_path_is_refused(
    resource_store: ResourceStore, resource_id: str
) -> None:
    """Such an id would make "everything under it" mean everything."""
    with pytest.raises(InvalidRequest) as refused:
        await resource_store.put(make_resource(resource_id))
    assert refused.value.param == "id"


async def test_properties_that_are_not_json_are_refused(resource_store: ResourceStore) -> None:
    """The refusal names the resource, and nothing is written."""
    with pytest.raises(InvalidRequest, match="Contoso"):
        await resource_store.put(make_resource(ACCOUNT, bad=object()))
    assert await resource_store.get(ACCOUNT) is None

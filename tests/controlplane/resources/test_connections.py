"""Connections keep secrets that nobody is shown; capability hosts name connections."""

from __future__ import annotations

import json
from typing import Any

import pytest

from linarite.domain.activity import ActivityQuery
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, SUBSCRIPTION, Rig

pytestmark = pytest.mark.anyio
ONE = f"{ACCOUNTS}/one"
SEARCH = f"{ONE}/connections/search"
KEY = "a-key-that-nobody-may-see"
TO_SEARCH: dict[str, Any] = {
    "authType": "ApiKey",
    "category": "CognitiveSearch",
    "target": "https://search.example",
    "metadata": {"ApiType": "Azure"},
    "credentials": {"key": KEY},
}


@pytest.fixture
async def rig() -> Rig:
    """A control plane with an account and a project in it."""
    rig = await Rig().with_group()
    body = ACCOUNT | {"kind": "AIServices", "properties": {"allowProjectManagement": True}}
    assert (await rig.ask("PUT", ONE, body)).status == 201
    assert (await rig.ask("PUT", f"{ONE}/projects/p1", {"location": "local"})).status == 201
    return rig


def put(properties: dict[str, Any]) -> dict[str, Any]:
    """A body with these properties."""
    return {"properties": properties}


@pytest.mark.parametrize("parent", [ONE, f"{ONE}/projects/p1"])
async def test_credentials_are_sealed_and_never_shown(rig: Rig, parent: str) -> None:
    """Not in answers, not in what is stored, not in the activity log."""
    path = f"{parent}/connections/search"
    made = await rig.ask("PUT", path, put(TO_SEARCH))
    assert made.status == 200
    shown = {key: value for key, value in TO_SEARCH.items() if key != "credentials"}
    assert made.body["properties"] == shown
    assert (await rig.ask("GET", path)).body == made.body
    listed = await rig.ask("GET", f"{parent}/connections")
    assert listed.body["value"] == [made.body]
    stored = await rig.resources.get(path)
    assert stored is not None
    assert KEY not in json.dumps(stored.properties)
    assert await opened(rig, path) == {"key": KEY}
    events = await rig.activity.read(ActivityQuery(subscription=SUBSCRIPTION, under=parent))
    assert any(event.resource_id == stored.id for event in events)
    assert KEY not in json.dumps([event.body for event in events])


async def test_who_writes_back_what_was_read_loses_no_credentials(rig: Rig) -> None:
    """They stay while authType stays; the same ones sent again write nothing."""
    made = await rig.ask("PUT", SEARCH, put(TO_SEARCH))
    again = await rig.ask("PUT", SEARCH, put(TO_SEARCH))
    assert again.body == made.body
    back = put(made.body["properties"] | {"target": "https://other.example", "credentials": None})
    assert (await rig.ask("PUT", SEARCH, back)).status == 200
    patched = await rig.ask("PATCH", SEARCH, put({"metadata": {"more": "yes"}}))
    assert patched.body["properties"]["metadata"] == {"ApiType": "Azure", "more": "yes"}
    assert await opened(rig) == {"key": KEY}
    await rig.ask("PATCH", SEARCH, put({"credentials": {"key": "another"}}))
    assert await opened(rig) == {"key": "another"}
    await rig.ask("PATCH", SEARCH, put({"authType": "AAD"}))
    stored = await rig.resources.get(SEARCH)
    assert stored is not None
    assert "sealedCredentials" not in stored.properties


async def opened(rig: Rig, path: str = SEARCH) -> Any:  # noqa: ANN401 - JSON
    """The credentials that are kept, as the account's own key opens them."""
    stored, box = await rig.resources.get(path), await rig.keys.box_of(ONE)
    assert stored is not None
    assert box is not None
    sealed = stored.properties["sealedCredentials"]
    return json.loads(box.unseal(f"credentials of {stored.id.lower()}", sealed))


async def test_nobody_can_plant_what_is_sealed(rig: Rig) -> None:
    """The property that holds it is the server's."""
    await rig.ask("PUT", SEARCH, put(TO_SEARCH | {"sealedCredentials": "x", "group": "Azure"}))
    assert await opened(rig) == {"key": KEY}
    shown = await rig.ask("GET", SEARCH)
    assert "group" not in shown.body["properties"]


@pytest.mark.parametrize(
    ("changed", "target"),
    [
        ({"authType": None}, "properties.authType"),
        ({"authType": "Password"}, "properties.authType"),
        ({"authType": "AAD"}, "properties.credentials"),
        ({"credentials": {"key": 5}}, "properties.credentials"),
        ({"credentials": {"pat": KEY}}, "properties.credentials"),
        ({"metadata": {"a": 1}}, "properties.metadata[...]"),
        ({"peStatus": "Sleeping"}, "properties.peStatus"),
        ({"category": "x" * 65}, "properties.category"),
    ],
)
async def test_what_is_wrong_is_told_without_the_secret(
    rig: Rig, changed: dict[str, Any], target: str
) -> None:
    """400 that names the property."""
    refused = await rig.ask("PUT", SEARCH, put(TO_SEARCH | changed))
    assert (refused.status, refused.body["target"]) == (400, target)
    assert KEY not in refused.body["message"]


async def test_lists_are_narrowed_by_category_and_target(rig: Rig) -> None:
    """As the operation's parameters have it, compared without case."""
    await rig.ask("PUT", SEARCH, put(TO_SEARCH))
    await rig.ask("PUT", f"{ONE}/connections/vault", put({"authType": "AAD", "category": "Git"}))
    listed = await rig.ask("GET", f"{ONE}/connections?category=git")
    assert [each["name"] for each in listed.body["value"]] == ["vault"]
    both = await rig.ask(
        "GET", f"{ONE}/connections?category=CognitiveSearch&target=https://search.example"
    )
    assert [each["name"] for each in both.body["value"]] == ["search"]
    none = await rig.ask("GET", f"{ONE}/connections?target=https://nowhere.example")
    assert none.body["value"] == []


async def test_an_account_that_is_recovered_has_its_credentials_again(rig: Rig) -> None:
    """They are bound to the connection's id, which is the same as before."""
    await rig.ask("PUT", SEARCH, put(TO_SEARCH))
    assert (await rig.ask("DELETE", ONE)).status == 200
    restore = ACCOUNT | {"kind": "AIServices", "properties": {"restore": True}}
    assert (await rig.ask("PUT", ONE, restore)).status == 201
    assert await opened(rig) == {"key": KEY}


async def test_capability_hosts(rig: Rig) -> None:
    """One for each scope, over connections that are there, never changed."""
    host = f"{ONE}/projects/p1/capabilityHosts/agents"
    over = put({"vectorStoreConnections": ["Search"]})
    missing = await rig.ask("PUT", host, over)
    assert (missing.status, missing.body["code"]) == (400, "ConnectionNotFound")
    assert missing.body["target"] == "properties.vectorStoreConnections[0]"
    await rig.ask("PUT", SEARCH, put(TO_SEARCH))
    made = await rig.ask("PUT", host, over)
    assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Succeeded")
    assert (await rig.ask("PUT", host, over)).body == made.body
    changed = await rig.ask("PUT", host, put({"vectorStoreConnections": []}))
    assert (changed.status, changed.body["code"]) == (400, "CapabilityHostUpdateNotSupported")
    second = await rig.ask("PUT", f"{ONE}/projects/p1/capabilityHosts/two", put({}))
    assert (second.status, second.body["code"]) == (409, "CapabilityHostExists")
    of_account = await rig.ask("PUT", f"{ONE}/capabilityHosts/agents", put({}))
    assert of_account.body["properties"]["capabilityHostKind"] == "Agents"
    assert len((await rig.ask("GET", f"{ONE}/capabilityHosts")).body["value"]) == 1
    assert (await rig.ask("DELETE", host)).status == 204
    assert (await rig.ask("GET", host)).status == 404

"""Linarite.Access/applicationKeys on the control plane."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.controlplane.resources.application_keys.rules import KEYS_MAX
from linarite.controlplane.resources.explanations.of_data_plane import Present, explained
from linarite.domain.activity import ActivityQuery
from linarite.domain.application_key import APPLICATION_KEY_TYPE
from tests.controlplane.people import OPENAI_USER, OWNER, READER, ROLES, assign, person
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, SUBSCRIPTION, Rig
from tests.storage.builders import make_record

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer
    from linarite.domain.resource import Resource

pytestmark = pytest.mark.anyio

ONE = f"{ACCOUNTS}/one"
KEYS = f"{ONE}/providers/{APPLICATION_KEY_TYPE}"
WEB = f"{KEYS}/web"
COGNITIVE_SERVICES_CONTRIBUTOR = "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68"
ANN = person("ann")
GONE = 404


@pytest.fixture
async def rig() -> Rig:
    """An account."""
    rig = await Rig().with_group()
    await rig.access.refresh()
    assert (await rig.ask("PUT", ONE, ACCOUNT)).status == 201
    return rig


async def put(rig: Rig, **properties: Any) -> Answer:  # noqa: ANN401 - any JSON
    """Ask for the key `web`."""
    return await rig.ask("PUT", WEB, {"properties": properties})


async def opens(rig: Rig, key: str) -> bool:
    """Whether the store knows a key of the account."""
    return rig.keys.digest(key) in await rig.keys.applications.digests(ONE)


async def stored(rig: Rig) -> Resource:
    """The key's resource."""
    found = await rig.resources.get(WEB)
    assert found is not None
    return found


async def test_a_key_is_told_once(rig: Rig) -> None:
    """In the answer to the PUT that makes it; in no log, no store and no later answer."""
    made = await put(rig, owner="ada@example.org")
    properties = made.body["properties"]
    key = properties["key"]
    assert made.status == 201
    assert (len(key), await opens(rig, key)) == (64, True)
    assert properties["roleDefinitionId"].endswith(f"/{ROLES}/{OPENAI_USER}")
    assert (properties["status"], properties["enabled"]) == ("Active", True)
    assert properties["lastUsedAt"] is None
    assert properties["createdAt"] == made.body["systemData"]["createdAt"]
    assert (made.body["type"], made.body["name"]) == (APPLICATION_KEY_TYPE, "web")
    again = await put(rig, owner="ada@example.org")
    assert again.status == 200
    later = [again, await rig.ask("GET", WEB), await rig.ask("GET", KEYS)]
    events = await rig.activity.read(ActivityQuery(subscription=SUBSCRIPTION))
    assert any(APPLICATION_KEY_TYPE in event.resource_id for event in events)
    kept = [events, rig.audit.events, await stored(rig)]
    said = json.dumps([answer.body for answer in later])
    assert '"key"' not in said
    assert "keyId" not in said
    assert key not in said + msgspec.json.encode(kept).decode()
    assert "ada@example.org" not in msgspec.json.encode(events).decode()


async def test_replacing_and_patching_keep_the_key(rig: Rig) -> None:
    """What is not sent again goes with PUT and stays with PATCH; a key that is sent is ignored."""
    key = (await put(rig, owner="ada", deployments=["a"])).body["properties"]["key"]
    patched = await rig.ask("PATCH", WEB, {"properties": {"enabled": False, "owner": None}})
    properties = patched.body["properties"]
    assert (patched.status, properties["status"]) == (200, "Disabled")
    assert properties["deployments"] == ["a"]
    assert "owner" not in properties
    sent = await put(rig, key="mine", keyId="mine", status="Active", expiresAt="2999-12-31")
    assert "deployments" not in sent.body["properties"]
    assert sent.body["properties"]["expiresAt"] == "2999-12-31T00:00:00Z"
    assert (await stored(rig)).properties.keys().isdisjoint({"key", "status"})
    assert await opens(rig, key)


async def test_regenerating_ends_the_old_key(rig: Rig) -> None:
    """The resource stays as it is; the data path is told before the answer."""
    old = (await put(rig)).body["properties"]["key"]
    before, told = await stored(rig), rig.told
    answer = await rig.ask("POST", f"{WEB}/regenerate")
    new = answer.body["properties"]["key"]
    assert answer.status == 200
    assert (await opens(rig, old), await opens(rig, new)) == (False, True)
    assert (await stored(rig), rig.told) == (before, told + 1)
    assert (await rig.ask("POST", f"{KEYS}/absent/regenerate")).status == GONE


async def test_a_deleted_key_is_gone_and_its_name_inherits_nothing(rig: Rig) -> None:
    """A second deletion finds nothing; a key of the same name is another one."""
    old = (await put(rig)).body["properties"]["key"]
    key_id = (await stored(rig)).properties["keyId"]
    assert (await rig.ask("DELETE", WEB)).status == 200
    assert (await rig.ask("DELETE", WEB)).status == 204
    assert not await opens(rig, old)
    assert (await put(rig)).body["properties"]["key"] != old
    assert (await stored(rig)).properties["keyId"] != key_id


async def test_a_resource_that_lost_its_key_gets_one(rig: Rig) -> None:
    """The server was killed between writing it and making the key: the repeated PUT tells one."""
    await put(rig)
    await rig.keys.applications.drop(ONE, (await stored(rig)).properties["keyId"])
    again = await put(rig)
    assert again.status == 200
    assert await opens(rig, again.body["properties"]["key"])


async def test_with_the_account_its_keys_end(rig: Rig) -> None:
    """They do not come back with it; purged, nothing of them is kept."""
    key = (await put(rig)).body["properties"]["key"]
    await rig.ask("DELETE", ONE)
    assert await rig.resources.list_under("", APPLICATION_KEY_TYPE) == []
    restored = ACCOUNT | {"properties": {"restore": True}}
    assert (await rig.ask("PUT", ONE, restored)).status == 201
    assert (await rig.ask("GET", KEYS)).body["value"] == []
    assert (await put(rig)).body["properties"]["key"] != key
    await rig.ask("DELETE", ONE)
    location = (
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/local"
    )
    await rig.ask("DELETE", f"{location}/resourceGroups/rg/deletedAccounts/one")
    assert await rig.keys.applications.digests(ONE) == {}


async def test_when_it_was_used_last_is_shown(rig: Rig) -> None:
    """As the store has it."""
    await put(rig)
    await rig.keys.applications.note_used({(await stored(rig)).properties["keyId"]: 1_800_000_000})
    shown = await rig.ask("GET", WEB)
    assert shown.body["properties"]["lastUsedAt"] == "2027-01-15T08:00:00Z"


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "InvalidExpiry"),
        ({"expiresAt": "soon"}, "InvalidExpiry"),
        ({"expiresAt": "0001-01-01T00:00:00+14:00"}, "InvalidExpiry"),
        ({"expiresAt": 5}, "InvalidRequestContent"),
        ({"roleDefinitionId": "nobody"}, "RoleDefinitionDoesNotExist"),
        ({"roleDefinitionId": f"/{ROLES}/{READER}"}, "RoleGrantsNoDataAction"),
        ({"deployments": []}, "InvalidRequestContent"),
        ({"deployments": [""]}, "InvalidRequestContent"),
        ({"deployments": ["a"] * 101}, "InvalidRequestContent"),
        ({"deployments": "a"}, "InvalidRequestContent"),
        ({"owner": "x" * 257}, "InvalidRequestContent"),
        ({"enabled": "no"}, "InvalidRequestContent"),
        ({"quota": {"tokensPerMinute": 0}}, "InvalidRequestContent"),
        ({"quota": {"requestsPerMinute": 1.5}}, "InvalidRequestContent"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    rig: Rig, properties: dict[str, Any], code: str
) -> None:
    """Nothing is stored and no key is made."""
    refused = await put(rig, **properties)
    assert refused.body["code"] == code
    assert refused.status in {400, GONE}
    assert await rig.resources.get(WEB) is None
    assert await rig.keys.applications.digests(ONE) == {}


async def test_an_expired_key_can_be_changed_but_not_made_to_expire_in_the_past(rig: Rig) -> None:
    """Its owner changes, its expiry only to what is still to come."""
    await put(rig, expiresAt="2999-01-01")
    ended = msgspec.structs.replace(
        await stored(rig),
        properties=(await stored(rig)).properties | {"expiresAt": "2020-01-01T00:00:00Z"},
    )
    await rig.resources.put(ended)
    changed = await rig.ask("PATCH", WEB, {"properties": {"owner": "bob"}})
    assert (changed.status, changed.body["properties"]["status"]) == (200, "Expired")
    past = await rig.ask("PATCH", WEB, {"properties": {"expiresAt": "2020-01-02"}})
    assert past.body["code"] == "InvalidExpiry"
    renewed = await rig.ask("PATCH", WEB, {"properties": {"expiresAt": None}})
    assert renewed.body["properties"]["status"] == "Active"


@pytest.mark.parametrize("name", [".web", "a" * 65, "a b", "a:b"])
async def test_names_are_plain(rig: Rig, name: str) -> None:
    """They stand in metrics and logs."""
    refused = await rig.ask("PUT", f"{KEYS}/{name}", {"properties": {}})
    assert refused.body["code"] == "InvalidResourceName"


async def test_an_account_has_so_many_keys(rig: Rig) -> None:
    """Each is read whenever the account's facts are."""
    await put(rig)
    like = await stored(rig)
    for number in range(KEYS_MAX):
        await rig.resources.put(
            msgspec.structs.replace(like, id=f"{KEYS}/k{number}", name=f"k{number}", etag="")
        )
    refused = await rig.ask("PUT", f"{KEYS}/more", {"properties": {}})
    assert (refused.status, refused.body["code"]) == (409, "ApplicationKeyLimitReached")
    assert (await put(rig, owner="ada")).status == 200


@pytest.mark.parametrize(
    ("role", "allowed"),
    [(OWNER, True), (COGNITIVE_SERVICES_CONTRIBUTOR, True), (READER, False), (OPENAI_USER, False)],
)
async def test_who_manages_an_account_manages_its_application_keys(
    rig: Rig, role: str, *, allowed: bool
) -> None:
    """Azure's roles for accounts say so: reading is not making."""
    await put(rig)
    await assign(rig, role, "ann", ONE)
    assert (await rig.ask("GET", WEB, caller=ANN)).status == 200
    done = [
        (await rig.ask("PUT", WEB, {"properties": {}}, caller=ANN)).status,
        (await rig.ask("POST", f"{WEB}/regenerate", caller=ANN)).status,
        (await rig.ask("DELETE", WEB, caller=ANN)).status,
    ]
    assert done == ([200, 200, 200] if allowed else [403, 403, 403])


async def test_who_may_not_list_the_accounts_keys_makes_none(rig: Rig) -> None:
    """A key would open to its maker what the maker's own roles do not."""
    await put(rig)
    guid = "7f5c1a52-6d1e-4b5e-9a55-0d4f2f3b9c11"
    role = {
        "roleName": "Only application keys",
        "permissions": [{"actions": ["Microsoft.CognitiveServices/accounts/applicationKeys/*"]}],
        "assignableScopes": [f"/subscriptions/{SUBSCRIPTION}"],
    }
    path = f"/subscriptions/{SUBSCRIPTION}/{ROLES}/{guid}"
    assert (await rig.ask("PUT", path, {"properties": role})).status == 201
    await assign(rig, guid, "ann", ONE)
    for method, target in (("PUT", WEB), ("PUT", f"{KEYS}/new"), ("POST", f"{WEB}/regenerate")):
        body = {"properties": {"owner": "ann"}} if method == "PUT" else None
        refused = await rig.ask(method, target, body, caller=ANN)
        assert (refused.status, refused.body["code"]) == (403, "LinkedAuthorizationFailed")
    assert (await rig.ask("DELETE", WEB, caller=ANN)).status == 200


@pytest.mark.parametrize("control", ["authentication", "authorization"])
def test_a_refusal_is_explained_with_the_key_to_change(control: str) -> None:
    """Which application's key it was, and where its terms are."""
    record = make_record(
        caller_key="app:web", status=401, error_code="401", refused_by=control, account_id=ONE
    )
    told = explained(record, Present())
    assert WEB in " ".join(told.would_have_to_change)
    passed = explained(make_record(caller_key="app:web", decided_by=WEB), Present())
    assert {step.control: step.decided_by for step in passed.steps}["authorization"] == WEB

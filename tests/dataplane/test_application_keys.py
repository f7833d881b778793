"""Keys of single applications on the data path."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from linarite.domain.resource import Resource
from linarite.domain.roles import DENY_ASSIGNMENT_TYPE, ROLE_DEFINITION_TYPE
from tests.dataplane.rig import CHAT, EMBEDDINGS, HELLO, rig
from tests.dataplane.test_authentication import DENIED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.dataplane.rig import Rig
    from tests.web.wire import Answer

pytestmark = pytest.mark.anyio

CHAT_ACTION = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"
NOON = 1_800_000_000.0
V1_CHAT = "/openai/v1/chat/completions"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """It stands at noon."""
    return Clock()


@pytest.fixture
async def running(clock: Clock) -> AsyncIterator[Rig]:
    """A server whose expiry follows the clock."""
    async with rig(deployments=("gpt", "other"), now=clock) as made:
        yield made


async def chat(running: Rig, key: str, deployment: str = "gpt") -> Answer:
    """A request with a key."""
    return await running.send("POST", V1_CHAT, HELLO | {"model": deployment}, key=key)


def hint_of(answer: Answer) -> dict[str, Any]:
    """What the refusal says beyond Azure's text."""
    hint: dict[str, Any] = answer.error["innererror"]
    return hint


async def test_a_key_opens_and_is_named(running: Rig) -> None:
    """Wherever clients put it; the record names the key and what let it in."""
    key = await running.give_key("web")
    for header in (("api-key", key), ("authorization", f"Bearer {key}")):
        answer = await running.send("POST", CHAT, HELLO, key=None, headers=[header])
        assert answer.status == 200
        record = await running.recorded()
        assert (record.caller_key, record.account) == ("app:web", "linarite")
        assert record.decided_by.endswith("/Linarite.Access/applicationKeys/web")
    assert key not in repr(running.records)
    assert (await chat(running, f"{key}x")).body == DENIED


async def test_a_key_ends_with_the_second_it_expires(running: Rig, clock: Clock) -> None:
    """Azure's text, with a hint for who holds it; nobody else is told anything."""
    key = await running.give_key("web", expiresAt="2027-01-15T08:01:00Z")
    clock.now = 1_800_000_059.9
    assert (await chat(running, key)).status == 200
    clock.now = 1_800_000_060.0
    refused = await chat(running, key)
    assert (refused.status, refused.error["code"]) == (401, "401")
    assert refused.error["message"].startswith("Access denied due to invalid subscription key")
    assert hint_of(refused) == {
        "code": "KeyExpired",
        "message": "The key 'app:web' expired at 2027-01-15T08:01:00Z.",
    }
    record = await running.recorded()
    assert (record.caller_key, record.refused_by) == ("app:web", "authentication")
    assert (await chat(running, f"{key[:-1]}!")).body == DENIED


async def test_a_disabled_key_opens_nothing_until_it_is_enabled(running: Rig) -> None:
    """The same 401, and another hint; what it asked for plays no part."""
    key = await running.give_key("web", enabled=False)
    for path in (CHAT, "/openai/v1/nowhere"):
        refused = await running.send("POST", path, b"{", key=key)
        assert (refused.status, hint_of(refused)["code"]) == (401, "KeyDisabled")
    assert (await chat(running, await running.give_key("web", enabled=True))).status == 200


async def test_a_key_without_its_resource_opens_nothing(running: Rig) -> None:
    """A digest that was left behind, or that the resource's successor does not name."""
    key = await running.give_key("web")
    path = f"{running.account_id}/providers/Linarite.Access/applicationKeys/web"
    found = await running.resources.get(path)
    assert found is not None
    await running.resources.delete(path)
    await running.facts.read_anew(running.account_id)
    assert (await chat(running, key)).body == DENIED
    successor = Resource(
        id=path, type=found.type, name="web", properties={"keyId": "another", "enabled": True}
    )
    await running.resources.put(successor)
    await running.facts.read_anew(running.account_id)
    assert (await chat(running, key)).body == DENIED


async def custom_role(running: Rig, name: str, *actions: str) -> str:
    """Make a role of those data actions; returns its id."""
    path = f"/subscriptions/s/providers/{ROLE_DEFINITION_TYPE}/{name}"
    await running.resources.put(
        Resource(
            id=path,
            type=ROLE_DEFINITION_TYPE,
            name=name,
            properties={
                "roleName": name,
                "assignableScopes": ["/"],
                "permissions": [{"dataActions": list(actions)}],
            },
        )
    )
    return path


async def test_the_role_decides(running: Rig) -> None:
    """What it does not grant is refused in Azure's words; a role that is gone grants nothing."""
    role = await custom_role(running, "00000000-0000-0000-0000-00000000000a", CHAT_ACTION)
    key = await running.give_key("web", roleDefinitionId=role)
    assert (await chat(running, key)).status == 200
    refused = await running.send("POST", EMBEDDINGS, {"input": "x"}, key=key)
    assert (refused.status, refused.error["code"]) == (401, "PermissionDenied")
    assert refused.error["message"] == (
        "The principal `app:web` lacks the required data action "
        "`Microsoft.CognitiveServices/accounts/OpenAI/deployments/embeddings/action` to perform "
        "`POST /openai/deployments/{deployment-id}/embeddings` operation."
    )
    assert "Cognitive Services OpenAI User" in hint_of(refused)["message"]
    record = await running.recorded()
    assert (record.caller_key, record.status) == ("app:web", 401)
    await running.resources.delete(role)
    assert (await chat(running, key)).error["code"] == "PermissionDenied"


@pytest.mark.parametrize("below", ["", "/deployments/gpt"])
async def test_a_deny_assignment_holds_against_keys_of_applications(
    running: Rig, below: str
) -> None:
    """One for everybody; the account's own keys are beyond roles, as on Azure."""
    key = await running.give_key("web")
    everybody = {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}
    await running.resources.put(
        Resource(
            id=f"{running.account_id}{below}/providers/{DENY_ASSIGNMENT_TYPE}/no-chat",
            type=DENY_ASSIGNMENT_TYPE,
            name="no-chat",
            properties={
                "denyAssignmentName": "no chat",
                "permissions": [{"dataActions": [CHAT_ACTION]}],
                "principals": [everybody],
            },
        )
    )
    refused = await chat(running, key)
    assert (refused.status, refused.error["code"]) == (401, "PermissionDenied")
    assert "no chat" not in hint_of(refused)["message"]
    assert (await running.recorded()).decided_by.endswith("/no-chat")
    assert (await chat(running, key, "other")).status == (200 if below else 401)
    assert (await chat(running, running.keys.key1)).status == 200


async def test_a_key_is_for_its_deployments(running: Rig) -> None:
    """By path and by model, whatever the case; of others it is not even told the names."""
    key = await running.give_key("web", deployments=["GPT"])
    assert (await chat(running, key, "gPt")).status == 200
    for path, model in ((V1_CHAT, "other"), (CHAT.replace("gpt", "other"), None)):
        refused = await running.send("POST", path, HELLO | {"model": model}, key=key)
        assert (refused.status, refused.error["code"]) == (401, "PermissionDenied")
        assert hint_of(refused)["message"] == "The key is for these deployments alone: gpt."
    absent = await chat(running, key, "absent")
    assert (absent.status, hint_of(absent)["deployments"]) == (404, ["gpt"])
    assert running.engine.opened == running.engine.closed == 1


async def test_no_application_key_opens_the_status_pages(running: Rig) -> None:
    """They tell of everything; an account's own key does."""
    recognise = running.facts.recogniser(running.key_store.digest)
    key = await running.give_key("web")
    assert recognise({b"api-key": running.keys.key1.encode()})
    with pytest.raises(Exception, match="Access denied"):
        recognise({b"api-key": key.encode()})


async def test_an_account_that_refuses_keys_refuses_these(running: Rig) -> None:
    """403, as for the other two."""
    key = await running.give_key("web")
    found = await running.resources.get(running.account_id)
    assert found is not None
    await running.resources.put(
        Resource(
            id=found.id,
            type=found.type,
            name=found.name,
            properties=found.properties | {"disableLocalAuth": True},
        )
    )
    await running.facts.refresh()
    refused = await chat(running, key)
    assert (refused.status, refused.error["code"]) == (403, "AuthenticationTypeDisabled")


async def test_uses_are_remembered_until_they_are_taken(running: Rig, clock: Clock) -> None:
    """The last of each key; a refusal for who it is is none."""
    web = await running.give_key("web")
    off = await running.give_key("off", enabled=False)
    await chat(running, web)
    clock.now += 5
    await chat(running, web)
    await chat(running, off)
    assert running.key_door.take_used() == {"id-of-web": int(NOON) + 5}
    assert running.key_door.take_used() == {}


async def test_under_load_a_replaced_key_ends_at_once(running: Rig) -> None:
    """Of what is asked after the new key is told, nothing gets through with the old one."""
    old = await running.give_key("web")
    replaced, warm = asyncio.Event(), asyncio.Event()
    told: list[tuple[bool, int]] = []

    async def hammer() -> None:
        while len(told) < 400:
            after = replaced.is_set()
            told.append((after, (await chat(running, old)).status))
            if len(told) >= 100:
                warm.set()

    async def replace() -> str:
        await warm.wait()
        new = await running.give_key("web")
        replaced.set()
        return new

    replacing = asyncio.create_task(replace())
    await asyncio.gather(*(hammer() for _ in range(8)))
    new = await replacing
    assert {status for after, status in told if after} == {401}
    assert told[0] == (False, 200)
    assert (await chat(running, new)).status == 200

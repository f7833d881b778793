"""Batches whose maker may no more: the lines that are left are refused, each in its own words."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from tests.serving import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.serving import Server

SETTINGS = """
[[deployments]]
name = "slow"
model = "gpt-4o"
sku = "GlobalBatch"
instance = "simulated"

[instances.simulated]
engine = "simulator"
model = "gpt-4o"
options = { seed = 1, parallel_requests = 1, time_to_first_token_ms = 60 }
"""
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
ACCOUNT = (
    f"{SUBSCRIPTION}/resourceGroups/linarite/providers/Microsoft.CognitiveServices/accounts"
    "/linarite"
)
CONTRIBUTOR = "a001fd3d-188f-4b5d-821b-7da978bf7442"
SCOPE = "https://cognitiveservices.azure.com/.default"
LINES = 60
PATIENCE_S = 30.0


class Somebody(NamedTuple):
    """A service principal of the server's directory, and the group it is in."""

    id: str
    token: str
    group: str


class World:
    """A server, and who manages it."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def manage(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """A request with the management key."""
        answer = self.ask(method, path, str(self.server.ready["management_key"]), json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def ask(self, method: str, path: str, bearer: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx
        """Any request."""
        headers = {"authorization": f"Bearer {bearer}"}
        url = self.server.endpoint + path
        return httpx.request(method, url, headers=headers, timeout=30, **more)

    def somebody(self, name: str) -> Somebody:
        """Who has the role by way of a group."""
        app = self.manage("POST", "/v1.0/applications", {"displayName": name})
        made = self.manage("POST", "/v1.0/servicePrincipals", {"appId": app["appId"]})
        secret = self.manage("POST", f"/v1.0/applications/{app['id']}/addPassword", {})
        named = {"displayName": name, "mailNickname": name}
        group = self.manage("POST", "/v1.0/groups", named)["id"]
        reference = {"@odata.id": f"https://graph/v1.0/directoryObjects/{made['id']}"}
        self.manage("POST", f"/v1.0/groups/{group}/members/$ref", reference)
        role = f"/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}"
        assignments = f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments"
        given = {"roleDefinitionId": role, "principalId": group, "principalType": "Group"}
        path = f"{assignments}/{uuid4()}?api-version=2022-04-01"
        self.manage("PUT", path, {"properties": given})
        form = {
            "grant_type": "client_credentials",
            "client_id": app["appId"],
            "client_secret": secret["secretText"],
            "scope": SCOPE,
        }
        answer = httpx.post(f"{self.server.endpoint}/common/oauth2/v2.0/token", data=form)
        return Somebody(made["id"], answer.json()["access_token"], group)

    def local_auth(self, *, off: bool) -> None:
        """Switch the account's keys."""
        body = {"properties": {"disableLocalAuth": off}}
        self.manage("PATCH", f"{ACCOUNT}?api-version=2025-09-01", body)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server whose batches take their time."""
    for server in serving(tmp_path_factory.mktemp("makers"), SETTINGS):
        yield World(server)


@pytest.fixture(scope="module")
def watcher(world: World) -> Somebody:
    """Who keeps the role, and sees how it ends."""
    return world.somebody("watcher")


def begun(world: World, bearer: str) -> str:
    """The path of a new batch."""
    body = {"model": "slow", "messages": [{"role": "user", "content": "Hi."}], "max_tokens": 2}
    asked = {"method": "POST", "url": "/v1/chat/completions", "body": body}
    text = "\n".join(json.dumps({"custom_id": f"t-{number}", **asked}) for number in range(LINES))
    made = world.ask(
        "POST",
        "/openai/v1/files",
        bearer,
        data={"purpose": "batch"},
        files={"file": ("asked.jsonl", text.encode())},
    )
    batch = {
        "input_file_id": made.json()["id"],
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
    }
    answer = world.ask("POST", "/openai/v1/batches", bearer, json=batch)
    assert answer.status_code == 201, answer.text
    return f"/openai/v1/batches/{answer.json()['id']}"


def seen(
    world: World, path: str, bearer: str, enough: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """A batch, as soon as it has come so far."""
    deadline = time.monotonic() + PATIENCE_S
    while not enough(batch := world.ask("GET", path, bearer).json()):
        assert time.monotonic() < deadline, batch
        time.sleep(0.03)
    return batch


def ended(world: World, path: str, bearer: str) -> tuple[int, set[tuple[int, str]]]:
    """How many lines were answered, and with what the others were refused."""
    batch = seen(world, path, bearer, lambda each: each["status"] == "completed")
    counts = batch["request_counts"]
    content = world.ask("GET", f"/openai/v1/files/{batch['error_file_id']}/content", bearer).text
    refused = [json.loads(line)["response"] for line in content.splitlines()]
    assert counts["completed"] + len(refused) == counts["total"] == LINES
    codes = {(each["status_code"], each["body"]["error"]["code"]) for each in refused}
    return counts["completed"], codes


def some(batch: dict[str, Any]) -> bool:
    """Whether lines have been answered."""
    return batch["request_counts"]["completed"] > 0


def leave_the_group(world: World, maker: Somebody) -> None:
    """And so lose its role."""
    world.manage("DELETE", f"/v1.0/groups/{maker.group}/members/{maker.id}/$ref")


def be_disabled(world: World, maker: Somebody) -> None:
    """By an administrator."""
    world.manage("PATCH", f"/v1.0/servicePrincipals/{maker.id}", {"accountEnabled": False})


def be_deleted(world: World, maker: Somebody) -> None:
    """With its assignments, but the group's is still there."""
    world.manage("DELETE", f"/v1.0/servicePrincipals/{maker.id}")


@pytest.mark.parametrize(
    ("deed", "refusal"),
    [
        (leave_the_group, (401, "PermissionDenied")),
        (be_disabled, (401, "Unauthorized")),
        (be_deleted, (401, "Unauthorized")),
    ],
)
def test_whoever_may_no_more_gets_no_further_line(
    world: World,
    watcher: Somebody,
    deed: Callable[[World, Somebody], None],
    refusal: tuple[int, str],
) -> None:
    """The directory is asked for each line, not the token that the batch was made with."""
    maker = world.somebody(deed.__name__)
    path = begun(world, maker.token)
    seen(world, path, watcher.token, some)
    deed(world, maker)
    answered, codes = ended(world, path, watcher.token)
    assert 0 < answered < LINES
    assert codes == {refusal}


def test_keys_that_are_switched_off_answer_no_further_line(world: World, watcher: Somebody) -> None:
    """Batches are no way around `disableLocalAuth`."""
    path = begun(world, world.server.key)
    seen(world, path, watcher.token, some)
    world.local_auth(off=True)
    try:
        answered, codes = ended(world, path, watcher.token)
    finally:
        world.local_auth(off=False)
    assert 0 < answered < LINES
    assert codes == {(403, "AuthenticationTypeDisabled")}

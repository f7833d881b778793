"""Webhook endpoints that applications make: who is told what, signed with what they were given."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.contract.sdk.conftest import client_of
from tests.serving import SIMULATED, serving, start_server, stopped
from tests.webhook_receiver import webhook_receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from openai import OpenAI

    from tests.serving import Server
    from tests.webhook_receiver import Receiver

PATH = "/dashboard/webhook_endpoints"
RESPONSES = ["response.completed", "response.incomplete"]
SETTINGS = f"""{SIMULATED}
[batches]
deployments = "any"

[webhook_endpoints]
account_max = 3
private_hosts = ["127.0.0.1"]

[egress.webhook_endpoint]
allowed_hosts = ["hooks.example.com"]
"""
OTHER = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/linarite"
    "/providers/Microsoft.CognitiveServices/accounts/other"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose settings declare no webhook."""
    yield from serving(tmp_path_factory.mktemp("hooks"), SETTINGS)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who listens."""
    with webhook_receiver() as opened:
        yield opened


@pytest.fixture
def client(server: Server) -> Iterator[OpenAI]:
    """The official client; no endpoint is left behind."""
    with client_of(server, "v1") as opened:
        yield opened
        for each in asked(opened, "GET")["data"]:
            asked(opened, "DELETE", f"/{each['id']}")


def asked(client: OpenAI, method: str, rest: str = "", body: Any = None) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """What the server answers; the official client has no method for it."""
    if method == "GET":
        return json.loads(client.get(PATH + rest, cast_to=httpx.Response).content)
    ask = client.delete if method == "DELETE" else client.post
    return json.loads(ask(PATH + rest, body=body, cast_to=httpx.Response).content)


def made(client: OpenAI, url: str, *event_types: str) -> dict[str, Any]:
    """A new endpoint."""
    body = {"name": "mine", "url": url, "event_types": event_types or RESPONSES}
    return asked(client, "POST", body=body)


def in_background(client: OpenAI) -> str:
    """The id of a response that has ended."""
    response = client.responses.create(model="gpt-4o", input="hello", background=True)
    deadline = time.monotonic() + 20
    while response.status in {"queued", "in_progress"}:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        response = client.responses.retrieve(response.id)
    return response.id


def test_an_endpoint_lives(client: OpenAI) -> None:
    """Made, found, listed, changed, deleted; its secret is told once."""
    new = made(client, "https://hooks.example.com/a")
    secret = new.pop("signing_secret")
    assert secret.startswith("whsec_")
    assert new["id"].startswith("we_")
    assert (new["object"], new["name"]) == ("webhook.endpoint", "mine")
    assert (new["url"], new["event_types"]) == ("https://hooks.example.com/a", RESPONSES)
    assert new["signing_secret_hint"] == f"whsec_...{secret[-4:]}"
    assert asked(client, "GET", f"/{new['id']}") == new
    changed = asked(client, "POST", f"/{new['id']}", {"event_types": ["batch.completed"]})
    assert changed == new | {"event_types": ["batch.completed"]}
    other = made(client, "https://hooks.example.com/b")
    assert other.pop("signing_secret") != secret
    assert asked(client, "GET")["data"] == [other, changed]
    part = asked(client, "GET", "?limit=1&order=asc")
    assert (part["data"], part["has_more"]) == ([changed], True)
    assert asked(client, "DELETE", f"/{new['id']}")["deleted"]
    assert asked(client, "GET")["data"] == [other]


def test_it_hears_how_responses_in_the_background_end(client: OpenAI, receiver: Receiver) -> None:
    """Signed with its secret, as the official client checks; what it does not want it is spared."""
    new = made(client, receiver.url)
    made(client, f"{receiver.url}/other", "response.failed")
    response_id = in_background(client)
    (told,) = receiver.wait_for(1)
    assert told.path == "/hook"
    event = client.webhooks.unwrap(told.body, told.headers, secret=new["signing_secret"])
    assert event.type in RESPONSES
    assert event.data.id == response_id  # pyright: ignore[reportAttributeAccessIssue] - of the union only some have data with an id
    asked(client, "POST", f"/{new['id']}", {"url": f"{receiver.url}/moved"})
    in_background(client)
    assert receiver.wait_for(2)[1].path == "/hook/moved"
    assert receiver.received[1].is_signed_with(new["signing_secret"])


def test_it_hears_how_batches_end(client: OpenAI, receiver: Receiver) -> None:
    """One that is deleted hears no more."""
    gone = made(client, f"{receiver.url}/gone", "batch.completed")
    made(client, receiver.url, "batch.completed", "batch.failed")
    asked(client, "DELETE", f"/{gone['id']}")
    line = {
        "custom_id": "1",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}]},
    }
    file = client.files.create(file=("a.jsonl", json.dumps(line).encode()), purpose="batch")
    batch = client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    told = receiver.wait_for(1)
    assert [(each.path, each.json["type"]) for each in told] == [("/hook", "batch.completed")]
    assert told[0].json["data"]["id"] == batch.id


def test_another_account_is_told_nothing(
    server: Server, client: OpenAI, receiver: Receiver
) -> None:
    """Endpoints hear of their own account."""
    ready = server.ready
    manage = {"authorization": f"Bearer {ready['management_key']}"}
    body = {"location": "local", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {}}
    version = "?api-version=2025-09-01"
    httpx.put(f"{server.endpoint}{OTHER}{version}", json=body, headers=manage).raise_for_status()
    keys = httpx.post(f"{server.endpoint}{OTHER}/listKeys{version}", headers=manage).json()
    other = {"api-key": keys["key1"]}
    wanted = {"name": "x", "url": f"{receiver.url}/other", "event_types": RESPONSES}
    place = f"{server.endpoint}/other/openai/v1{PATH}"
    httpx.post(place, json=wanted, headers=other).raise_for_status()
    made(client, receiver.url)
    in_background(client)
    receiver.wait_for(1)
    time.sleep(0.2)
    assert [each.path for each in receiver.received] == ["/hook"]


@pytest.mark.parametrize(
    ("said", "param", "words"),
    [
        ({"name": ""}, "name", "between 1 and 256"),
        ({"name": None}, "name", "expected a string"),
        ({"url": "hooks"}, "url", "must look like https"),
        ({"url": "https://elsewhere.example"}, "url", "egress.webhook_endpoint.allowed_hosts"),
        ({"url": "http://hooks.example.com/"}, "url", "webhook_endpoints.private_hosts"),
        ({"url": "https://169.254.169.254/"}, "url", "not allowed"),
        ({"event_types": []}, "event_types", "empty array"),
        ({"event_types": ["fine_tuning.job.failed"]}, "event_types[0]", "'batch.completed'"),
        ({"signing_secret": "whsec_x"}, "signing_secret", "Unknown parameter"),
    ],
)
def test_what_is_refused(server: Server, said: dict[str, Any], param: str, words: str) -> None:
    """With the field, and the setting where one decides."""
    body = {"name": "x", "url": "https://hooks.example.com", "event_types": RESPONSES} | said
    place = f"{server.endpoint}/openai/v1{PATH}"
    told = httpx.post(place, json=body, headers={"api-key": server.key})
    assert told.status_code == 400
    assert told.json()["error"]["param"] == param
    assert words in told.json()["error"]["message"]


def test_as_many_as_an_account_may_have(server: Server, client: OpenAI) -> None:
    """The setting is named. An absent one is 404."""
    for each in range(3):
        made(client, f"https://hooks.example.com/{each}")
    place, key = f"{server.endpoint}/openai/v1{PATH}", {"api-key": server.key}
    body = {"name": "x", "url": "https://hooks.example.com", "event_types": RESPONSES}
    told = httpx.post(place, json=body, headers=key)
    assert (told.status_code, told.json()["error"]["code"]) == (400, "quotaExceeded")
    assert "webhook_endpoints.account_max" in told.text
    ask: Callable[..., httpx.Response] = httpx.request
    for method, sent in (("GET", None), ("POST", {"name": "y"}), ("DELETE", None)):
        answer = ask(method, f"{place}/we_{'0' * 32}", json=sent, headers=key)
        assert answer.status_code == 404
        assert "not found" in answer.text


def test_it_survives_the_servers_death(tmp_path: Path, receiver: Receiver) -> None:
    """With its secret; what is not in its account's clear text is not on the disk."""
    killed = start_server(tmp_path, SETTINGS)
    with client_of(killed, "v1") as client:
        secret = made(client, receiver.url)["signing_secret"]
    killed.kill()
    raw = b"".join(each.read_bytes() for each in tmp_path.glob("objects.db*"))
    assert secret.removeprefix("whsec_").encode() not in raw
    with stopped(start_server(tmp_path, SETTINGS)) as again, client_of(again, "v1") as client:
        in_background(client)
        assert receiver.wait_for(1)[0].is_signed_with(secret)

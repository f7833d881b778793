"""Responses and conversations of an account: whose they are, what a killed server keeps."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.e2e.test_stored_files import (
    ACCOUNTS,
    CONTRIBUTOR,
    USER,
    V1,
    Owner,
    application,
    mine,
    new_account,
    wait_for,
)
from tests.faults.test_provisioning_killed import arm
from tests.serving import SIMULATED, serving, start_server, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Server

HELLO: dict[str, Any] = {"model": "gpt-4o", "input": "Hello"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One on which people see their own alone."""
    settings = SIMULATED + '\n[files]\nvisible_to = "creator"\n'
    yield from serving(tmp_path_factory.mktemp("responses"), settings)


def create(owner: Owner, **said: Any) -> httpx.Response:  # noqa: ANN401 - any JSON
    """Ask for a response."""
    return owner.ask("POST", f"{V1}/responses", json=HELLO | said)


def made(owner: Owner, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """A response."""
    answer = create(owner, **said)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_nothing_of_others_is_gone_on_from(server: Server) -> None:
    """Neither their responses, nor items, files and conversations: all as if they were absent."""
    theirs = made(mine(server))
    conversation = mine(server).ask("POST", f"{V1}/conversations", json={}).json()["id"]
    file_id = mine(server).store(b"theirs")
    part = {"type": "input_file", "file_id": file_id}
    reaching: list[dict[str, Any]] = [
        {"previous_response_id": theirs["id"]},
        {"conversation": conversation},
        {"input": [{"type": "item_reference", "id": theirs["output"][0]["id"]}]},
        {"input": [{"role": "user", "content": [part]}]},
    ]
    stranger = new_account_with_model(server)
    for other in (stranger, application(server, "elsewhere", CONTRIBUTOR)):
        for said in reaching:
            refused = create(other, **said)
            assert refused.status_code in {400, 404}, refused.text
            assert "not found" in refused.text or "No such File object" in refused.text


def new_account_with_model(server: Server) -> Owner:
    """Another account with a deployment of the same name."""
    stranger = new_account(server, "elsewhere")
    body = {
        "sku": {"name": "Standard", "capacity": 10},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}},
    }
    path = f"{ACCOUNTS}/elsewhere/deployments/gpt-4o"
    told = arm(server, "PUT", path, body)
    assert told.status_code in {200, 201, 202}, told.text
    wait_for(lambda: create(stranger).status_code == 200)
    return stranger


def test_a_role_says_who_may(server: Server) -> None:
    """The role for asking models may keep responses and conversations, as on Azure."""
    asks = application(server, "responds", USER)
    response = made(asks)
    assert asks.ask("GET", f"{V1}/responses/{response['id']}").is_success
    conversation = asks.ask("POST", f"{V1}/conversations", json={}).json()["id"]
    made(asks, conversation=conversation)
    assert asks.ask("DELETE", f"{V1}/conversations/{conversation}").is_success
    assert asks.ask("DELETE", f"{V1}/responses/{response['id']}").is_success


def test_what_was_acknowledged_survives(tmp_path: Path) -> None:
    """A killed server has every response that it answered, none that was deleted.

    A conversation has what was said in it once, and input never without output.
    """
    server = start_server(tmp_path, SIMULATED)
    owner = mine(server)
    gone = made(owner)["id"]
    assert owner.ask("DELETE", f"{V1}/responses/{gone}").is_success
    conversation = owner.ask("POST", f"{V1}/conversations", json={}).json()["id"]
    acknowledged: list[dict[str, Any]] = []

    def ask_on() -> None:
        try:
            while True:
                streamed = len(acknowledged) % 2 == 1
                answer = create(owner, conversation=conversation, stream=streamed)
                acknowledged.append(last_event(answer.text) if streamed else answer.json())
        except (httpx.HTTPError, json.JSONDecodeError, IndexError):
            return

    asking = threading.Thread(target=ask_on)
    asking.start()
    time.sleep(0.7)
    server.kill()
    asking.join()
    assert len(acknowledged) > 3
    with stopped(start_server(tmp_path, SIMULATED)) as again:
        owner = mine(again)
        assert owner.ask("GET", f"{V1}/responses/{gone}").status_code == 404
        for response in acknowledged:
            assert owner.ask("GET", f"{V1}/responses/{response['id']}").json() == response
        items = all_items(owner, conversation)
        assert len({each["id"] for each in items}) == len(items)
        assert [each["role"] for each in items] == ["user", "assistant"] * (len(items) // 2)
        said = [each["id"] for each in items]
        assert all(each["output"][0]["id"] in said for each in acknowledged)
        made(owner, conversation=conversation)
        assert len(all_items(owner, conversation)) == len(items) + 2


def last_event(stream: str) -> dict[str, Any]:
    """The response in a stream's last event, if it is one that ends well."""
    last = stream.split("\n\n")[:-1][-1]
    told: dict[str, Any] = json.loads(last.partition("data: ")[2])
    if told["type"] != "response.completed":
        raise IndexError
    response: dict[str, Any] = told["response"]
    return response


def all_items(owner: Owner, conversation: str) -> list[dict[str, Any]]:
    """What was said in it, the oldest first."""
    found: list[dict[str, Any]] = []
    while True:
        query = {"order": "asc", "limit": 100} | ({"after": found[-1]["id"]} if found else {})
        page = owner.ask("GET", f"{V1}/conversations/{conversation}/items", params=query).json()
        found += page["data"]
        if not page["has_more"]:
            return found

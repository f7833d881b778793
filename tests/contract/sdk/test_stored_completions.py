"""Stored chat completions, by the official clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from openai import AzureOpenAI, BadRequestError, NotFoundError, OpenAI

from tests.contract.sdk.conftest import client_of
from tests.e2e.test_stored_files import ACCOUNTS
from tests.faults.test_provisioning_killed import arm
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.types.chat import ChatCompletion

    from tests.serving import Server

SAID: list[Any] = [
    {"role": "system", "content": "Be brief."},
    {
        "role": "user",
        "content": [{"type": "text", "text": "What is "}, {"type": "text", "text": "blue?"}],
    },
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that stores."""
    yield from serving(tmp_path_factory.mktemp("completions"), SIMULATED)


@pytest.fixture(scope="module", params=["dated", "v1"])
def client(request: pytest.FixtureRequest, server: Server) -> Iterator[OpenAI]:
    """Each dialect's."""
    if request.param == "v1":
        with client_of(server, "v1") as made:
            yield made
        return
    with AzureOpenAI(
        azure_endpoint=server.endpoint,
        api_key=server.key,
        api_version="2025-03-01-preview",
        max_retries=0,
        _strict_response_validation=True,
    ) as made:
        yield made


@pytest.fixture(autouse=True)
def _none_left(client: OpenAI) -> Iterator[None]:
    yield
    for each in client.chat.completions.list(limit=100):
        client.chat.completions.delete(each.id)


def answered(client: OpenAI, **more: Any) -> ChatCompletion:  # noqa: ANN401 - arguments
    """One that is stored."""
    made: ChatCompletion = client.chat.completions.create(
        model="gpt-4o", messages=SAID, store=True, **more
    )
    return made


def test_one_is_stored_as_it_was_answered(client: OpenAI) -> None:
    """Found, listed, told other metadata, deleted; then it is absent like any other."""
    made = answered(client, metadata={"team": "blue"}, temperature=0.5)
    found = client.chat.completions.retrieve(made.id)
    assert found.choices == made.choices
    assert (found.usage, found.model, found.created) == (made.usage, made.model, made.created)
    shown: Any = found
    assert (shown.metadata, shown.temperature) == ({"team": "blue"}, 0.5)
    assert [each.id for each in client.chat.completions.list()] == [made.id]
    changed: Any = client.chat.completions.update(made.id, metadata={"team": "red"})
    assert changed.metadata == {"team": "red"}
    assert client.chat.completions.retrieve(made.id) == changed
    assert client.chat.completions.delete(made.id).deleted
    for call in (client.chat.completions.retrieve, client.chat.completions.delete):
        with pytest.raises(NotFoundError):
            call(made.id)


def test_a_stream_is_stored_whole(client: OpenAI) -> None:
    """When its end has come, as if it had been plain; one that breaks off is not."""
    text, stream_id = "", ""
    stream = client.chat.completions.create(
        model="gpt-4o", messages=SAID, store=True, stream=True, metadata={"kind": "stream"}
    )
    for chunk in stream:
        stream_id = chunk.id or stream_id
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
    found = client.chat.completions.retrieve(stream_id)
    assert found.object == "chat.completion"
    assert found.choices[0].message.content == text
    assert found.choices[0].finish_reason == "stop"


def test_only_those_that_ask_for_it(client: OpenAI) -> None:
    """Neither by default nor where it is false."""
    for more in ({}, {"store": False}, {"metadata": {"a": "b"}}):
        client.chat.completions.create(model="gpt-4o", messages=SAID, **more)  # pyright: ignore[reportCallIssue, reportArgumentType] - arguments that come from a table
    assert list(client.chat.completions.list()) == []


def test_lists_are_narrowed_and_come_in_parts(client: OpenAI) -> None:
    """Oldest first, or newest first; by metadata and by model; the client follows the parts."""
    made = [answered(client, metadata={"n": str(n), "odd": str(n % 2)}).id for n in range(5)]
    listed = client.chat.completions.list
    assert [each.id for each in listed(limit=2)] == made
    assert [each.id for each in listed(limit=2, order="desc")] == made[::-1]
    assert [each.id for each in listed(limit=1, metadata={"odd": "1"})] == [made[1], made[3]]
    assert [each.id for each in listed(metadata={"odd": "1", "n": "3"})] == [made[3]]
    assert list(listed(metadata={"absent": ""})) == []
    assert [each.id for each in listed(model="gpt-4o")] == made
    assert list(listed(model="gpt-5")) == []
    first = listed(limit=3)
    assert first.has_more
    client.chat.completions.delete(made[2])
    assert [each.id for each in first.get_next_page().data] == made[3:]


def test_its_messages(client: OpenAI, server: Server) -> None:
    """In their order, each with an id.

    The official client, when it is strict, takes none but an assistant's for one: so plain HTTP.
    """
    made = answered(client)
    url = f"{server.endpoint}/openai/v1/chat/completions/{made.id}/messages"

    def told(**query: str) -> dict[str, Any]:
        answer = httpx.get(url, headers={"api-key": server.key}, params=query)
        assert answer.status_code == 200, answer.text
        whole: dict[str, Any] = answer.json()
        return whole

    whole = told()
    assert [each["role"] for each in whole["data"]] == ["system", "user"]
    assert [each["content"] for each in whole["data"]] == ["Be brief.", "What is blue?"]
    assert [each["id"] for each in whole["data"]] == [f"{made.id}-0", f"{made.id}-1"]
    assert whole["data"][1]["content_parts"] == SAID[1]["content"]
    first = told(limit="1", order="desc")
    assert (first["last_id"], first["has_more"]) == (f"{made.id}-1", True)
    assert told(after=first["last_id"], order="desc")["first_id"] == f"{made.id}-0"


@pytest.mark.parametrize(
    ("query", "param"),
    [({"limit": "0"}, "limit"), ({"limit": "101"}, "limit"), ({"order": "up"}, "order")],
)
def test_lists_that_are_none(server: Server, query: dict[str, str], param: str) -> None:
    """A 400 that names the parameter."""
    url = f"{server.endpoint}/openai/v1/chat/completions"
    told = httpx.get(url, headers={"api-key": server.key}, params=query)
    assert told.status_code == 400, told.text
    assert told.json()["error"]["param"] == param


def test_an_account_may_want_none(client: OpenAI, server: Server) -> None:
    """`storedCompletionsDisabled`: it is refused rather than left out; what is there stays."""
    made = answered(client)
    account = f"{ACCOUNTS}/linarite"
    off = {"properties": {"storedCompletionsDisabled": True}}
    assert arm(server, "PATCH", account, off).is_success
    try:
        with pytest.raises(BadRequestError, match="storedCompletionsDisabled"):
            answered(client)
        assert client.chat.completions.retrieve(made.id).id == made.id
    finally:
        on = {"properties": {"storedCompletionsDisabled": False}}
        assert arm(server, "PATCH", account, on).is_success
    assert answered(client).id

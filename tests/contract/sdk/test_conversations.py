"""Conversations, by the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from openai import AzureOpenAI, BadRequestError, NotFoundError, OpenAI

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.sdk.conftest import Target


@pytest.fixture(scope="module")
def client(simulated: Target) -> Iterator[OpenAI]:
    """Conversations are on `/openai/v1/` alone."""
    with OpenAI(
        base_url=f"{simulated.server.endpoint}/openai/v1/",
        api_key=simulated.server.key,
        max_retries=0,
        _strict_response_validation=True,
    ) as made:
        yield made


def said(text: str) -> Any:  # noqa: ANN401 - as the client takes it
    """A message of the user's."""
    return {"type": "message", "role": "user", "content": text}


def texts(client: OpenAI, conversation: str, **page: Any) -> list[str]:  # noqa: ANN401 - a page
    """What was said, by all parts of its list."""
    return [
        part.text
        for item in client.conversations.items.list(conversation, **page)
        if item.type == "message"
        for part in item.content
        if part.type == "input_text" or part.type == "output_text"  # noqa: PLR1714 - narrows
    ]


def test_a_conversation_lives(client: OpenAI) -> None:
    """Made, found, described, deleted; then it is absent like any other."""
    made = client.conversations.create(metadata={"topic": "demo"}, items=[said("one"), said("two")])
    assert made.id.startswith("conv_")
    assert client.conversations.retrieve(made.id) == made
    assert texts(client, made.id) == ["two", "one"]
    changed = client.conversations.update(made.id, metadata={"topic": "other"})
    assert changed.metadata == {"topic": "other"}
    assert client.conversations.retrieve(made.id) == changed
    assert client.conversations.delete(made.id).deleted
    for call in (client.conversations.retrieve, client.conversations.delete):
        with pytest.raises(NotFoundError, match=f"Conversation with id '{made.id}' not found"):
            call(made.id)
    with pytest.raises(NotFoundError):
        client.conversations.items.list(made.id)
    with pytest.raises(NotFoundError):
        client.responses.create(model="gpt-4o", input="x", conversation=made.id)


def test_its_items_live(client: OpenAI) -> None:
    """Added, found, deleted."""
    made = client.conversations.create()
    added = client.conversations.items.create(made.id, items=[said("one"), said("two")])
    first, second = added.data
    assert first.id is not None
    assert client.conversations.items.retrieve(first.id, conversation_id=made.id) == first
    assert client.conversations.items.delete(first.id, conversation_id=made.id) == made
    assert [each.id for each in client.conversations.items.list(made.id)] == [second.id]
    with pytest.raises(NotFoundError, match="not found in conversation"):
        client.conversations.items.retrieve(first.id, conversation_id=made.id)
    other = client.conversations.create()
    assert second.id is not None
    with pytest.raises(NotFoundError):
        client.conversations.items.delete(second.id, conversation_id=other.id)


def test_responses_add_to_it_what_was_said(client: OpenAI) -> None:
    """Once, input before output; the next one reads it."""
    made = client.conversations.create(items=[said("word " * 50)])
    answers: list[str] = []
    tokens: list[int] = []
    for number in range(3):
        response = client.responses.create(
            model="gpt-4o", input=f"question {number}", conversation=made.id
        )
        assert response.conversation is not None
        assert response.conversation.id == made.id
        assert response.usage is not None
        answers.append(response.output_text)
        tokens.append(response.usage.input_tokens)
    assert 50 < tokens[0] < tokens[1] < tokens[2]
    assert texts(client, made.id, order="asc", limit=2) == [
        "word " * 50,
        *(each for number in range(3) for each in (f"question {number}", answers[number])),
    ]


def test_a_stream_adds_to_it_too(client: OpenAI) -> None:
    """It is there when the last event is told."""
    made = client.conversations.create()
    with client.responses.stream(model="gpt-4o", input="Hello", conversation=made.id) as stream:
        answer = stream.get_final_response().output_text
    assert texts(client, made.id) == [answer, "Hello"]


def test_what_it_has_is_not_added_again(client: OpenAI) -> None:
    """An item that is referred to stays where it is; another response's becomes one of its own."""
    elsewhere = client.responses.create(model="gpt-4o", input="Hello")
    conversations = [client.conversations.create(items=[said("one")]) for _ in range(2)]
    for made in conversations:
        mine = client.conversations.items.list(made.id).data[0]
        referred: Any = [
            {"type": "item_reference", "id": each} for each in (mine.id, elsewhere.output[0].id)
        ]
        client.responses.create(model="gpt-4o", input=referred, conversation=made.id)
        assert texts(client, made.id, order="asc")[:2] == ["one", elsewhere.output_text]
        assert len(texts(client, made.id)) == 3


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"items": [{"type": "hammer"}]}, "items[0].type"),
        ({"items": [{"type": "item_reference", "id": "x"}]}, "items[0].type"),
        ({"items": [said("x")] * 21}, "items"),
        ({"metadata": {"x" * 65: "y"}}, f"metadata.{'x' * 64}"),
        ({"extra_body": {"shape": 1}}, "shape"),
    ],
)
def test_what_is_wrong_is_named(client: OpenAI, body: dict[str, Any], param: str) -> None:
    """With the field."""
    with pytest.raises(BadRequestError) as refused:
        client.conversations.create(**body)
    assert refused.value.param == param


def test_a_response_goes_on_from_one_thing(client: OpenAI) -> None:
    """Either a response or a conversation."""
    made = client.conversations.create()
    with pytest.raises(BadRequestError) as refused:
        client.responses.create(
            model="gpt-4o", input="x", conversation=made.id, previous_response_id="resp_x"
        )
    assert refused.value.code == "mutually_exclusive_parameters"


def test_dated_versions_have_none(simulated: Target) -> None:
    """As on Azure."""
    with (
        AzureOpenAI(
            azure_endpoint=simulated.server.endpoint,
            api_key=simulated.server.key,
            api_version="2025-04-01-preview",
            max_retries=0,
        ) as client,
        pytest.raises(NotFoundError),
    ):
        client.conversations.create()

"""The official clients chat; each test runs on both dialects, simulated and on a real model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

    from tests.contract.sdk.conftest import Target

HELLO: Any = [{"role": "user", "content": "Say hello."}]

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}

PERSON: Any = {
    "type": "json_schema",
    "json_schema": {
        "name": "person",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
            "required": ["name", "age"],
            "additionalProperties": False,
        },
    },
}


def test_chat_answers(client: OpenAI, target: Target) -> None:
    """A plain chat gives text, a finish reason and usage that adds up."""
    reply = client.chat.completions.create(model=target.chat, messages=HELLO, max_tokens=8)
    choice = reply.choices[0]
    assert choice.message.content
    assert choice.finish_reason in {"stop", "length"}
    assert reply.usage is not None
    assert 0 < reply.usage.completion_tokens <= 8
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_chat_streams(client: OpenAI, target: Target) -> None:
    """A stream opens with the role, ends with a finish reason, then usage when asked for."""
    chunks = list(
        client.chat.completions.create(
            model=target.chat,
            messages=HELLO,
            max_tokens=8,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    reasons = [c.choices[0].finish_reason for c in chunks if c.choices]
    assert reasons[-1] in {"stop", "length"}
    assert not any(reasons[:-1])
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_same_seed_same_text_streamed_or_not(client: OpenAI, target: Target) -> None:
    """Greedy text is the same whether it is streamed or not."""
    ask: Any = {"model": target.chat, "messages": HELLO, "max_tokens": 12, "temperature": 0}
    plain = client.chat.completions.create(seed=7, **ask)
    streamed = client.chat.completions.create(seed=7, stream=True, **ask)
    text = "".join(c.choices[0].delta.content or "" for c in streamed if c.choices)
    assert text == plain.choices[0].message.content


def test_several_choices(client: OpenAI, target: Target) -> None:
    """`n` gives as many choices, numbered, and counts their tokens together."""
    reply = client.chat.completions.create(model=target.chat, messages=HELLO, n=3, max_tokens=4)
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    assert reply.usage is not None
    assert reply.usage.completion_tokens <= 12


def test_logprobs(client: OpenAI, target: Target) -> None:
    """Log-probabilities have a token each, whose texts make up the answer."""
    reply = client.chat.completions.create(
        model=target.chat, messages=HELLO, max_tokens=5, logprobs=True, top_logprobs=3
    )
    choice = reply.choices[0]
    assert choice.logprobs is not None
    assert choice.logprobs.content
    for token in choice.logprobs.content:
        assert token.logprob <= 0
        assert len(token.top_logprobs) == 3
    said = b"".join(bytes(token.bytes or []) for token in choice.logprobs.content)
    assert (choice.message.content or "").encode() in said


def test_forced_tool(client: OpenAI, target: Target) -> None:
    """A forced tool is called with arguments that follow its schema."""
    reply = client.chat.completions.create(
        model=target.chat,
        messages=[{"role": "user", "content": "What is the weather in Paris?"}],
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
        max_tokens=64,
    )
    choice = reply.choices[0]
    assert choice.message.tool_calls
    call: Any = choice.message.tool_calls[0]
    assert call.function.name == "get_weather"
    assert isinstance(json.loads(call.function.arguments)["city"], str)


def test_forced_tool_streams(client: OpenAI, target: Target) -> None:
    """A streamed call gives id and name once and its arguments in pieces."""
    stream = client.chat.completions.create(
        model=target.chat,
        messages=[{"role": "user", "content": "What is the weather in Paris?"}],
        tools=[WEATHER],
        tool_choice="required",
        max_tokens=64,
        stream=True,
    )
    deltas = [
        call
        for chunk in stream
        if chunk.choices
        for call in chunk.choices[0].delta.tool_calls or []
    ]
    assert [call.id for call in deltas if call.id]
    names = [call.function.name for call in deltas if call.function and call.function.name]
    assert names == ["get_weather"]
    arguments = "".join(
        call.function.arguments or "" for call in deltas if call.function is not None
    )
    assert "city" in json.loads(arguments)


def test_tool_result_is_taken(client: OpenAI, target: Target) -> None:
    """A conversation that holds a call and its result can go on."""
    call = {"id": "call_1", "type": "function"}
    function = {"name": "get_weather", "arguments": '{"city":"Paris"}'}
    messages: Any = [
        {"role": "user", "content": "What is the weather in Paris?"},
        {"role": "assistant", "tool_calls": [call | {"function": function}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Sunny, 24 degrees"},
    ]
    reply = client.chat.completions.create(
        model=target.chat, messages=messages, tools=[WEATHER], max_tokens=16
    )
    message = reply.choices[0].message
    assert message.content or message.tool_calls


def test_structured_output(client: OpenAI, target: Target) -> None:
    """A strict schema is followed."""
    reply = client.chat.completions.create(
        model=target.chat,
        messages=[{"role": "user", "content": "Give me a person named Ada, 36, as JSON."}],
        response_format=PERSON,
        max_tokens=96,
        temperature=0,
    )
    person = json.loads(reply.choices[0].message.content or "")
    assert set(person) == {"name", "age"}
    assert isinstance(person["age"], int)


def test_parse_helper(client: OpenAI, target: Target) -> None:
    """The client's own `parse` reads what we answer."""
    from pydantic import BaseModel  # noqa: PLC0415 - only this test needs it

    class Person(BaseModel):
        name: str
        age: int

    reply = client.chat.completions.parse(
        model=target.chat,
        messages=[{"role": "user", "content": "Give me a person as JSON."}],
        response_format=Person,
        max_tokens=96,
        temperature=0,
    )
    assert isinstance(reply.choices[0].message.parsed, Person)


@pytest.mark.parametrize(
    ("wrong", "kind", "code"),
    [
        ({"model": "none-such"}, openai.NotFoundError, "DeploymentNotFound"),
        ({"temperature": 3}, openai.BadRequestError, "decimal_above_max_value"),
        ({"messages": []}, openai.BadRequestError, "empty_array"),
        ({"extra_body": {"frobnicate": 1}}, openai.BadRequestError, None),
    ],
)
def test_refusals(
    client: OpenAI,
    target: Target,
    wrong: dict[str, object],
    kind: type[openai.APIStatusError],
    code: str,
) -> None:
    """The client raises the error of its own that fits, with Azure's code and a request id."""
    ask: Any = {"model": target.chat, "messages": HELLO} | wrong
    with pytest.raises(kind) as caught:
        client.chat.completions.create(**ask)
    assert caught.value.code == code
    assert caught.value.request_id


def test_too_long_prompt(client: OpenAI, target: Target) -> None:
    """A prompt beyond the context is refused with the code that applications look for."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model=target.chat, messages=[{"role": "user", "content": "word " * 200_000}]
        )
    assert caught.value.code == "context_length_exceeded"


def test_wrong_key(client: OpenAI, target: Target) -> None:
    """A wrong key is an AuthenticationError with Azure's code."""
    with pytest.raises(openai.AuthenticationError) as caught:
        client.with_options(api_key="wrong").chat.completions.create(
            model=target.chat, messages=HELLO
        )
    assert caught.value.code == "401"


@pytest.mark.anyio
async def test_async_chat(async_client: AsyncOpenAI, target: Target) -> None:
    """The asynchronous client chats and streams."""
    reply = await async_client.chat.completions.create(
        model=target.chat, messages=HELLO, max_tokens=8
    )
    assert reply.choices[0].message.content
    stream = await async_client.chat.completions.create(
        model=target.chat, messages=HELLO, max_tokens=8, stream=True
    )
    text = [c.choices[0].delta.content or "" async for c in stream if c.choices]
    assert "".join(text)


@pytest.mark.anyio
async def test_leaving_a_stream_frees_the_server(async_client: AsyncOpenAI, target: Target) -> None:
    """After a client has left streams half way, the next request is answered."""
    for _ in range(4):
        stream = await async_client.chat.completions.create(
            model=target.chat, messages=HELLO, max_tokens=500, stream=True
        )
        async for _chunk in stream:
            break
        await stream.close()
    reply = await async_client.chat.completions.create(
        model=target.chat, messages=HELLO, max_tokens=4
    )
    assert reply.choices

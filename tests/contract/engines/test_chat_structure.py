"""Chats whose reply has a structure: calls of tools, JSON after a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from tests.contract.engines.folding import chat, chat_ask

if TYPE_CHECKING:
    from linarite.domain.engine import Engine
    from tests.contract.engines.folding import FoldedChoice

pytestmark = pytest.mark.anyio

both_ways = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])

# Small enough for small models: no text is free to go on for ever.
WEATHER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "enum": ["Paris", "Rome", "Oslo"]},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
    },
    "required": ["city", "unit"],
    "additionalProperties": False,
}
SWITCH: dict[str, Any] = {
    "type": "object",
    "properties": {"on": {"type": "boolean"}},
    "required": ["on"],
    "additionalProperties": False,
}
SCHEMAS = {"get_weather": WEATHER, "switch_light": SWITCH}
TOOLS = [
    {"type": "function", "function": {"name": name, "description": name, "parameters": schema}}
    for name, schema in SCHEMAS.items()
]
ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "verdict": {"type": "string", "enum": ["yes", "no"]},
        "scores": {"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 2, "maxItems": 2},
    },
    "required": ["verdict", "scores"],
    "additionalProperties": False,
}


def assert_valid_calls(choice: FoldedChoice) -> None:
    """Every call is of a known function, with an id and arguments after its schema."""
    assert choice.calls.keys() == set(range(len(choice.calls)))
    for call in choice.calls.values():
        assert call.id
        arguments = msgspec.json.decode(call.arguments)
        Draft202012Validator(SCHEMAS[call.name]).validate(arguments)
    assert len({call.id for call in choice.calls.values()}) == len(choice.calls)


@both_ways
async def test_a_required_call_is_made(engine: Engine, stream: bool) -> None:
    """tool_choice=required always gives a valid call of a known function."""
    ask = chat_ask(
        "What is the weather in Rome?",
        tools=TOOLS,
        tool_choice="required",
        stream=stream,
        max_tokens=200,
    )
    choices, usage = await chat(engine, ask)
    assert choices[0].calls
    assert_valid_calls(choices[0])
    assert choices[0].finish in {"tool_calls", "stop"}
    assert usage.completion_tokens > 0


@both_ways
async def test_a_named_function_is_called(engine: Engine, stream: bool) -> None:
    """A forced function is the one that is called, whatever is asked."""
    choice = {"type": "function", "function": {"name": "switch_light"}}
    ask = chat_ask(
        "What is the weather in Rome?",
        tools=TOOLS,
        tool_choice=choice,
        stream=stream,
        max_tokens=200,
    )
    choices, _ = await chat(engine, ask)
    assert [call.name for call in choices[0].calls.values()] == ["switch_light"]
    assert_valid_calls(choices[0])


@both_ways
async def test_the_older_form_of_calls(engine: Engine, stream: bool) -> None:
    """`functions` with a forced function are answered with `function_call`."""
    functions = [tool["function"] for tool in TOOLS]
    ask = chat_ask(
        "What is the weather in Rome?",
        functions=functions,
        function_call={"name": "get_weather"},
        stream=stream,
        max_tokens=200,
    )
    choices, _ = await chat(engine, ask)
    assert not choices[0].calls
    assert choices[0].old_call.name == "get_weather"
    Draft202012Validator(WEATHER).validate(msgspec.json.decode(choices[0].old_call.arguments))
    assert choices[0].finish in {"function_call", "stop"}


async def test_no_call_where_none_may_be_made(engine: Engine) -> None:
    """tool_choice=none gives a text."""
    ask = chat_ask("What is the weather in Rome?", tools=TOOLS, tool_choice="none")
    choices, _ = await chat(engine, ask)
    assert not choices[0].calls
    assert choices[0].content


@both_ways
async def test_a_free_choice_gives_text_or_valid_calls(engine: Engine, stream: bool) -> None:
    """Whatever a model decides, a call is either whole and known or it is text."""
    ask = chat_ask("What is the weather in Rome?", tools=TOOLS, stream=stream, max_tokens=200)
    choices, _ = await chat(engine, ask)
    assert choices[0].content or choices[0].calls
    if choices[0].calls:
        assert_valid_calls(choices[0])
        assert choices[0].finish == "tool_calls"


async def test_the_answer_of_a_tool_is_taken_up(engine: Engine) -> None:
    """A conversation with calls and their answers goes on."""
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"city":"Rome","unit":"celsius"}'},
    }
    messages = [
        {"role": "user", "content": "What is the weather in Rome?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "It is sunny, 21 degrees."},
    ]
    choices, _ = await chat(engine, chat_ask(messages, tools=TOOLS, max_tokens=200))
    assert choices[0].content or choices[0].calls
    assert_valid_calls(choices[0])


@pytest.mark.parametrize("arguments", ["no JSON", "[" * 1_000], ids=["text", "endless"])
async def test_arguments_in_the_history_may_be_anything(engine: Engine, arguments: str) -> None:
    """They are a text of the caller's: what is no JSON, or nested without end, does no harm."""
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": arguments},
    }
    messages = [
        {"role": "user", "content": "What is the weather in Rome?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "It is sunny."},
    ]
    choices, _ = await chat(engine, chat_ask(messages, max_tokens=5))
    assert choices[0].content


@both_ways
@pytest.mark.parametrize("strict", [True, None])
async def test_a_schema_is_followed(engine: Engine, stream: bool, strict: bool | None) -> None:
    """json_schema always gives a valid instance."""
    form = {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": ANSWER, "strict": strict},
    }
    ask = chat_ask("Is water wet?", response_format=form, stream=stream, max_tokens=200)
    choices, _ = await chat(engine, ask)
    Draft202012Validator(ANSWER).validate(msgspec.json.decode(choices[0].content))
    assert choices[0].finish == "stop"


@both_ways
async def test_json_mode_gives_an_object(engine: Engine, stream: bool) -> None:
    """json_object gives a JSON object, or the beginning of one where it had to end."""
    ask = chat_ask(
        "Answer in JSON with the key 'answer': is water wet?",
        response_format={"type": "json_object"},
        stream=stream,
        max_tokens=200,
    )
    choices, _ = await chat(engine, ask)
    assert choices[0].content.lstrip().startswith("{")
    if choices[0].finish == "stop":
        assert isinstance(msgspec.json.decode(choices[0].content), dict)

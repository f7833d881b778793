from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.domain.chat import ChatAsk, ChatDelta, ChatEvent
from linarite.domain.errors import InvalidRequest
from linarite.engines.http_client import ConnectionLost
from linarite.engines.llamacpp.chat import answer_chat
from tests.engines.llamacpp.scripted_server import (
    CUT,
    chat,
    completion,
    scripted_model,
    whole,
)

if TYPE_CHECKING:
    from linarite.engines.llamacpp.loaded_model import LoadedModel

pytestmark = pytest.mark.anyio

TIME = {
    "name": "get_time",
    "description": "The time in a zone",
    "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}},
}
LIGHT = {"name": "switch_light", "parameters": {"type": "object", "properties": {"on": {}}}}
TOOLS = [{"type": "function", "function": function} for function in (TIME, LIGHT)]
RENDERED = whole({"prompt": "<user>What time is it?<assistant>"})
TRIAL_PASSED = whole({"content": "qzx{"})


def ask(**fields: object) -> ChatAsk:
    """A chat with tools."""
    messages = [{"role": "user", "content": "What time is it?"}]
    return msgspec.convert({"messages": messages, "stream": True, **fields}, ChatAsk)


async def answer(model: LoadedModel, asked: ChatAsk) -> list[ChatEvent]:
    """All events."""
    return [event async for event in answer_chat(model, asked)]


def deltas(events: list[ChatEvent]) -> list[ChatDelta]:
    """What the events tell, but for ends and counts."""
    return [event.choices[0].delta for event in events if event.choices][:-1]


def ending(events: list[ChatEvent]) -> str | None:
    """How the choice ended."""
    return events[-2].choices[0].finish_reason


async def test_a_call_is_told_in_pieces() -> None:
    """Role first without content, then id and name, then the arguments as they come."""
    reply = completion('<tool_call>\n{"name": "get_', 'time", "arguments": {"zone"', ': "UTC"}}')
    async with scripted_model({"/apply-template": [RENDERED], "/completion": [reply]}) as (
        model,
        _,
    ):
        events = await answer(model, ask(tools=TOOLS))
    role, began, first, second = deltas(events)
    assert (role.role, role.content, role.tool_calls) == ("assistant", None, None)
    assert began.tool_calls is not None
    call = began.tool_calls[0]
    assert call.id is not None
    assert call.id.startswith("call_")
    assert (call.index, call.type) == (0, "function")
    assert call.function is not None
    assert (call.function.name, call.function.arguments) == ("get_time", "")
    pieces = [delta.tool_calls[0] for delta in (first, second) if delta.tool_calls]
    assert [piece.id for piece in pieces] == [None, None]
    arguments = [piece.function.arguments for piece in pieces if piece.function]
    assert arguments == ['{"zone"', ': "UTC"}']
    assert ending(events) == "tool_calls"
    assert events[-1].usage is not None
    assert (events[-1].usage.prompt_tokens, events[-1].usage.completion_tokens) == (5, 3)


async def test_without_a_call_the_text_flows() -> None:
    """Offering tools does not hold back a text."""
    reply = completion("It is ", "noon.", stop_type="limit")
    async with scripted_model({"/apply-template": [RENDERED], "/completion": [reply]}) as (
        model,
        _,
    ):
        events = await answer(model, ask(tools=TOOLS))
    assert [delta.content for delta in deltas(events)] == ["", "It is", " noon."]
    assert ending(events) == "length"


async def test_strict_arguments_follow_their_schema() -> None:
    """Once the model calls a strict function, its arguments are generated under a grammar."""
    strict = {"type": "function", "function": {**TIME, "strict": True}}
    script = {
        "/apply-template": [RENDERED],
        "/completion": [
            TRIAL_PASSED,
            completion("Let me see.\n", '{"name": "get_time", "arguments": {"zo', "un", "known"),
            completion('{"zone":', ' "UTC"}', prompt=40),
        ],
    }
    async with scripted_model(script) as (model, server):
        events = await answer(model, ask(tools=[strict], max_tokens=20))
    first, second = server.bodies("/completion")[1:]
    assert "grammar" not in first
    assert "%json" in second["grammar"]
    said = 'Let me see.\n<tool_call>\n{"name": "get_time", "arguments": '
    assert second["prompt"] == first["prompt"] + said
    assert second["n_predict"] == 18
    calls = [delta.tool_calls[0] for delta in deltas(events) if delta.tool_calls]
    assert [call.id is not None for call in calls] == [True, False, False]
    pieces = [call.function.arguments for call in calls if call.function]
    assert pieces == ["", '{"zone":', ' "UTC"}']
    assert ending(events) == "tool_calls"
    assert events[-1].usage is not None
    assert (events[-1].usage.prompt_tokens, events[-1].usage.completion_tokens) == (5, 4)


async def test_a_thought_before_a_call_is_told_as_one() -> None:
    """Reasoning is kept apart from the reply."""
    reply = completion("<think>Which zone?", "</think>\n\n", '{"name": "get_time"}')
    async with scripted_model({"/apply-template": [RENDERED], "/completion": [reply]}) as (
        model,
        _,
    ):
        events = await answer(model, ask(tools=TOOLS))
    told = deltas(events)
    assert "".join(delta.reasoning_content or "" for delta in told) == "Which zone?"
    assert not any(delta.content for delta in told)
    assert ending(events) == "tool_calls"


async def test_only_one_call_where_parallel_calls_are_not_wanted() -> None:
    """The generation is left as soon as the first call is complete, and is counted so far."""
    call = '{"name": "get_time", "arguments": {}}'
    reply = [*completion(call)[:-1], *completion(f"\n{call}")[1:]]
    script = {"/apply-template": [RENDERED], "/completion": [reply]}
    async with scripted_model(script) as (model, _):
        one = await answer(model, ask(tools=TOOLS, parallel_tool_calls=False))
        several = await answer(model, ask(tools=TOOLS))
    assert [delta.tool_calls[0].index for delta in deltas(one) if delta.tool_calls] == [0, 0]
    assert [delta.tool_calls[0].index for delta in deltas(several) if delta.tool_calls] == [
        0,
        0,
        1,
        1,
    ]
    assert one[-1].usage is not None
    assert one[-1].usage.completion_tokens == 1
    assert ending(one) == ending(several) == "tool_calls"


async def test_a_call_of_the_unknown_is_asked_again_without_tools() -> None:
    """A model that calls what does not exist answers in words, once."""
    script = {
        "/apply-template": [RENDERED],
        "/completion": [completion('{"name": "joke", ', '"arguments": {}}')],
        "/v1/chat/completions": [chat("Knock ", "knock.")],
    }
    async with scripted_model(script) as (model, server):
        events = await answer(model, ask(tools=TOOLS))
    assert "".join(delta.content or "" for delta in deltas(events)) == "Knock knock."
    assert ending(events) == "stop"
    assert events[-1].usage is not None
    assert (events[-1].usage.prompt_tokens, events[-1].usage.completion_tokens) == (7, 2)
    assert "tools" not in server.bodies("/v1/chat/completions")[0]


ANSWERED: list[dict[str, Any]] = [
    {"role": "user", "content": "What time is it?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "get_time", "arguments": '{"zone": "UTC"}'},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "noon"},
]
AGAIN = '{"name": "get_time", "arguments": {"zone":'


@pytest.mark.parametrize("said", ["", "Let me look. "])
async def test_a_call_that_was_just_answered_is_not_made_again(said: str) -> None:
    """Small models call for ever; the answer is asked for in a chat that shows no call."""
    reply = completion(said, f"<tool_call>{AGAIN}", '"UTC"', "}}", "<tool_call>", f'{AGAIN}"X"}}}}')
    script = {
        "/apply-template": [RENDERED],
        "/completion": [reply],
        "/v1/chat/completions": [chat("It is ", "noon.")],
    }
    async with scripted_model(script) as (model, server):
        events = await answer(model, ask(messages=ANSWERED, tools=TOOLS))
    told = deltas(events)
    assert not any(delta.tool_calls for delta in told)
    assert [delta.role for delta in told].count("assistant") == 1
    assert "".join(delta.content or "" for delta in told) == f"{said.rstrip()}It is noon."
    assert ending(events) == "stop"
    instead = server.bodies("/v1/chat/completions")[0]["messages"]
    assert [message["role"] for message in instead] == ["user", "assistant", "user"]
    assert "noon" in instead[2]["content"]
    assert not any("tool_calls" in message for message in instead)


@pytest.mark.parametrize(
    ("written", "allowed", "calls"),
    [
        (f'{AGAIN}"CET"}}}}', False, ['{"zone":"CET"}']),
        (f'{AGAIN}"UTC"}}}}', True, ['{"zone":"UTC"}']),
        (f'{AGAIN}"U', False, ['{"zone":"U']),
        ('{"name": "switch_light", "arguments": {}}', False, ["{}"]),
        (f'{AGAIN}"CET"}}}}\n{AGAIN}"UTC"}}}}', False, ['{"zone":"CET"}', '{"zone":"UTC"}']),
    ],
    ids=["other arguments", "allowed", "cut short", "other function", "second call"],
)
async def test_other_calls_after_a_result_are_made(
    written: str, allowed: bool, calls: list[str]
) -> None:
    """Only exactly the same call is in vain, and only where that is not allowed."""
    script = {"/apply-template": [RENDERED], "/completion": [completion(*written)]}
    options = {"repeated_calls_answered": not allowed}
    async with scripted_model(script, **options) as (model, _):
        events = await answer(model, ask(messages=ANSWERED, tools=TOOLS))
    made: dict[int, str] = {}
    for delta in deltas(events):
        for call in delta.tool_calls or []:
            arguments = (call.function and call.function.arguments) or ""
            made[call.index] = made.get(call.index, "") + arguments
    assert list(made.values()) == calls
    assert ending(events) == "tool_calls"


@pytest.mark.parametrize(
    ("choice", "opening", "written", "finish"),
    [
        (
            "required",
            "<tool_call>\n",
            '{"name": "switch_light", "arguments": {"on": true}}',
            "tool_calls",
        ),
        (
            {"type": "function", "function": {"name": "switch_light"}},
            '<tool_call>\n{"name": "switch_light", "arguments": ',
            '{"on": true}',
            "stop",
        ),
    ],
    ids=["required", "named"],
)
async def test_a_forced_call_is_begun_for_the_model(
    choice: object, opening: str, written: str, finish: str
) -> None:
    """The prompt ends with the call's beginning, and a grammar holds the model to the rest.

    A call forced by name ends with stop, as the service's do.
    """
    script = {
        "/apply-template": [RENDERED],
        "/completion": [TRIAL_PASSED, completion(written)],
    }
    async with scripted_model(script) as (model, server):
        events = await answer(model, ask(tools=TOOLS, tool_choice=choice))
    sent = server.bodies("/completion")[1]
    assert sent["prompt"] == "<user>What time is it?<assistant>" + opening
    assert "%json" in sent["grammar"]
    calls = [delta.tool_calls[0].function for delta in deltas(events) if delta.tool_calls]
    assert [call.name for call in calls if call] == ["switch_light", None]
    assert [call.arguments for call in calls if call] == ["", '{"on": true}']
    assert ending(events) == finish


async def test_an_opened_thought_is_closed_before_a_forced_call() -> None:
    """A grammar for a call leaves no room for the thought that the template began."""
    script = {
        "/apply-template": [whole({"prompt": "<assistant><think>\n"})],
        "/completion": [TRIAL_PASSED, completion("{}")],
    }
    async with scripted_model(script) as (model, server):
        await answer(model, ask(tools=TOOLS[:1], tool_choice="required"))
    prompt = server.bodies("/completion")[1]["prompt"]
    assert prompt.startswith("<assistant><think>\n\n</think>\n\n<tool_call>")


async def test_the_older_form_is_answered_in_kind() -> None:
    """`functions` get `function_call` pieces and that finish reason."""
    reply = completion('{"name": "get_time", "arguments": {"zone": "UTC"}}')
    async with scripted_model({"/apply-template": [RENDERED], "/completion": [reply]}) as (
        model,
        _,
    ):
        events = await answer(model, ask(functions=[TIME]))
    calls = [delta.function_call for delta in deltas(events) if delta.function_call]
    assert [call.name for call in calls] == ["get_time", None]
    assert "".join(call.arguments or "" for call in calls) == '{"zone": "UTC"}'
    assert not any(delta.tool_calls for delta in deltas(events))
    assert ending(events) == "function_call"


@pytest.mark.parametrize("knows_tools", [True, False])
async def test_tools_reach_the_model(knows_tools: bool) -> None:
    """By the template where it knows them, else by an instruction in the system message."""
    script = {"/apply-template": [RENDERED], "/completion": [completion("x")]}
    async with scripted_model(script, knows_tools=knows_tools) as (model, server):
        await answer(model, ask(tools=TOOLS))
    sent = server.bodies("/apply-template")[0]
    if knows_tools:
        assert [tool["function"]["name"] for tool in sent["tools"]] == ["get_time", "switch_light"]
        assert [message["role"] for message in sent["messages"]] == ["user"]
    else:
        assert "tools" not in sent
        instruction = sent["messages"][0]
        assert instruction["role"] == "system"
        for words in ('"get_time"', "The time in a zone", "<tool_call>", '"switch_light"'):
            assert words in instruction["content"]


@pytest.mark.parametrize(
    "fields",
    [{"tools": TOOLS, "tool_choice": "none"}, {"functions": [TIME], "function_call": "none"}],
)
async def test_none_offers_no_tools(fields: dict[str, Any]) -> None:
    """A chat in which nothing may be called is a plain chat."""
    async with scripted_model({"/v1/chat/completions": [chat("x")]}) as (model, server):
        await answer(model, ask(**fields))
    assert [path for path, _ in server.asked] == ["/v1/chat/completions"]
    assert "tools" not in server.asked[0][1]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tool_choice": "required"}, "tool_choice"),
        (
            {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "nobody"}}},
            "tool_choice",
        ),
        ({"functions": [TIME], "function_call": {"name": "nobody"}}, "function_call"),
        ({"top_logprobs": 21, "logprobs": True}, "top_logprobs"),
    ],
)
async def test_impossible_choices_are_refused(fields: dict[str, Any], param: str) -> None:
    """A function that is not offered cannot be called; the refusal names the parameter."""
    async with scripted_model({}) as (model, server):
        with pytest.raises(InvalidRequest) as refused:
            await answer(model, ask(**fields))
    assert refused.value.param == param
    assert not server.asked


async def test_a_schema_that_does_not_compile_is_refused() -> None:
    """The trial shows it before anything is generated; one that does is tried only once."""
    script = {
        "/apply-template": [RENDERED],
        "/completion": [
            whole({"content": " same"}),
            TRIAL_PASSED,
            completion("{}"),
            completion("{}"),
        ],
    }
    async with scripted_model(script) as (model, server):
        forced = ask(tools=TOOLS[:1], tool_choice="required")
        with pytest.raises(InvalidRequest, match="constrained decoding") as refused:
            await answer(model, forced)
        assert refused.value.param == "tools"
        await answer(model, forced)
        await answer(model, forced)
    assert len(server.bodies("/completion")) == 4


async def test_a_reply_after_a_schema_may_be_a_call_instead() -> None:
    """With tools and a response format the grammar allows either."""
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
    reply = completion('<tool_call>\n{"name": "get_time", "arguments": {}}\n</tool_call>')
    script = {
        "/apply-template": [RENDERED],
        "/completion": [TRIAL_PASSED, TRIAL_PASSED, reply],
    }
    async with scripted_model(script) as (model, server):
        events = await answer(model, ask(tools=TOOLS, response_format=form))
    grammar = server.bodies("/completion")[2]["grammar"]
    assert "answer: reply | " in grammar
    assert ending(events) == "tool_calls"


async def test_not_streamed_is_one_event_with_everything() -> None:
    """Text, calls and logprobs of all choices come whole; before and after it, counts alone."""
    reply = completion("Wait.", '<tool_call>{"name": "get_time", "arguments": {"a"', ": 1}}")
    script = {"/apply-template": [RENDERED], "/completion": [reply]}
    async with scripted_model(script) as (model, _):
        events = await answer(model, ask(tools=TOOLS, stream=None, n=2))
    *counts, whole, last = events
    assert not any(event.choices for event in (*counts, last))
    events = [whole, last]
    assert [choice.index for choice in events[0].choices] == [0, 1]
    for choice in events[0].choices:
        assert choice.finish_reason == "tool_calls"
        assert choice.delta.content == "Wait."
        assert choice.delta.tool_calls is not None
        assert choice.delta.tool_calls[0].function is not None
        assert choice.delta.tool_calls[0].function.arguments == '{"a": 1}'
    assert events[1].usage is not None
    assert (events[1].usage.prompt_tokens, events[1].usage.completion_tokens) == (5, 6)


async def test_what_was_held_back_is_not_lost_when_the_engine_breaks_off() -> None:
    """The failure is told, not half a call."""
    reply = [*completion('<tool_call>{"name": "get_')[:-1], CUT]
    async with scripted_model({"/apply-template": [RENDERED], "/completion": [reply]}) as (
        model,
        _,
    ):
        with pytest.raises(ConnectionLost):
            await answer(model, ask(tools=TOOLS))

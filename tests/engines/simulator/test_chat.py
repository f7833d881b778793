from __future__ import annotations

from typing import Any

import pytest

from linarite.domain.errors import InvalidRequest
from tests.engines.simulator.builders import (
    calls,
    chat_ask,
    chat_finish,
    chat_text,
    collect,
    function,
    running,
    say,
    tool,
)

pytestmark = pytest.mark.anyio

WEATHER = tool(
    "get_weather",
    "Get the weather at a location.",
    location={"type": "string"},
    unit={"enum": ["celsius", "fahrenheit"]},
)
MAGIC = tool("magic_function", "Apply a magic function.", input={"type": "integer"})
ADDER = tool("my_adder", "Add two integers.", a={"type": "integer"}, b={"type": "integer"})
TOOLS = [MAGIC, WEATHER, ADDER]


async def test_same_question_same_answer_in_every_process() -> None:
    """A text depends on seed, model, messages, the request's seed and the choice, nothing else."""
    async with running() as engine, running() as twin, running(seed=1) as other:
        text = await say(engine, "Tell me about the sea.", max_tokens=12)
        assert text == "The stone bridge sings to an unfinished map, one small"
        assert text == await say(twin, "Tell me about the sea.", max_tokens=12, user="somebody")
        assert text != await say(other, "Tell me about the sea.", max_tokens=12)
        assert text != await say(engine, "Tell me about the sea.", max_tokens=12, seed=5)
        assert text != await say(engine, "Tell me about the sky.", max_tokens=12)


async def test_a_bound_on_tokens_does_not_change_the_words() -> None:
    """A shorter reply is the beginning of the longer one."""
    async with running() as engine:
        whole = await say(engine, "Tell me a story.")
        assert whole.startswith(await say(engine, "Tell me a story.", max_tokens=10))
        assert whole.endswith(".")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is the value of magic_function(3)? Use the tool.", ("magic_function", {"input": 3})),
        ("What is the weather in San Jose, CA?", ("get_weather", "San Jose, CA")),
        ("What is 1 + 2? Use the adder.", ("my_adder", {"a": 1, "b": 2})),
        ("Forget 4 and 5. Now add 6 and 7 with my adder.", ("my_adder", {"a": 6, "b": 7})),
    ],
)
async def test_the_best_named_tool_is_called_with_values_of_the_question(
    question: str, expected: tuple[str, Any]
) -> None:
    """Word overlap chooses the tool; numbers and places of the question become arguments."""
    async with running() as engine:
        ((name, arguments),) = await calls(engine, chat_ask(question, tools=TOOLS))
    wanted = expected[1] if isinstance(expected[1], dict) else {"location": expected[1]}
    assert name == expected[0]
    assert {**arguments, **wanted} == arguments


async def test_each_city_gets_a_call_unless_calls_may_not_be_parallel() -> None:
    """'in A and B' is two calls, one with parallel_tool_calls=false."""
    ask = chat_ask("What is the weather in Paris and Rome, in celsius?", tools=TOOLS)
    async with running() as engine:
        made = await calls(engine, ask)
        assert [arguments["location"] for _, arguments in made] == ["Paris", "Rome"]
        assert {arguments["unit"] for _, arguments in made} == {"celsius"}
        single = chat_ask("Weather in Paris and Rome?", tools=TOOLS, parallel_tool_calls=False)
        assert len(await calls(engine, single)) == 1


async def test_quoted_words_become_arguments() -> None:
    """A quoted name goes to the text field, unescaped in any script."""
    customer = tool("new_customer", customer_name={"type": "string"})
    async with running() as engine:
        ask = chat_ask("Create a customer named '你好啊集团' (a group)", tools=[customer])
        assert await calls(engine, ask) == [("new_customer", {"customer_name": "你好啊集团"})]


async def test_names_become_arguments() -> None:
    """What somebody is called goes to the field for it."""
    person = tool("Person", full_name={"type": "string"}, age={"type": "integer"})
    async with running() as engine:
        ask = chat_ask("My name is Erick Stone and I am 27 years old", tools=[person])
        assert await calls(engine, ask) == [("Person", {"full_name": "Erick Stone", "age": 27})]


async def test_a_greeting_is_answered_with_one() -> None:
    """Who says hi is greeted, in two tokens."""
    async with running() as engine:
        assert await say(engine, "hi", max_tokens=2) == "Hello!"


async def test_a_greeting_calls_no_tool_unless_forced() -> None:
    """Hello gets a text, but a required or named call is made all the same."""
    named = {"type": "function", "function": {"name": "get_weather"}}
    async with running() as engine:
        assert await calls(engine, chat_ask("Hello!", tools=TOOLS)) == []
        assert await say(engine, "Hi there", tools=TOOLS)
        assert len(await calls(engine, chat_ask("Hi", tools=TOOLS, tool_choice="required"))) == 1
        forced = chat_ask("Hi", tools=TOOLS, tool_choice=named)
        assert (await calls(engine, forced))[0][0] == "get_weather"


async def test_tool_choice_none_gives_text() -> None:
    """Tools that may not be called are not."""
    ask = chat_ask("What is the weather in Rome?", tools=TOOLS, tool_choice="none")
    async with running() as engine:
        events = await collect(engine.chat(ask))
    assert chat_text(events)
    assert chat_finish(events) == "stop"


async def test_finish_reasons_of_calls() -> None:
    """tool_calls, function_call for the old form, stop where one function was forced."""
    named = {"type": "function", "function": {"name": "magic_function"}}
    old = [function("magic_function", input={"type": "integer"})]
    async with running() as engine:

        async def finish(**fields: object) -> str | None:
            return chat_finish(await collect(engine.chat(chat_ask("magic_function(3)", **fields))))

        assert await finish(tools=TOOLS) == "tool_calls"
        assert await finish(tools=TOOLS, tool_choice="required") == "tool_calls"
        assert await finish(tools=TOOLS, tool_choice=named) == "stop"
        assert await finish(functions=old) == "function_call"
        assert await finish(tools=TOOLS, max_tokens=3) == "length"


async def test_legacy_functions_are_called_in_the_old_form() -> None:
    """`functions` is answered with `function_call`, streamed and not."""
    old = [function("magic_function", input={"type": "integer"})]
    async with running() as engine:
        for stream in (False, True):
            ask = chat_ask("magic_function(3)", functions=old, stream=stream)
            deltas = [
                choice.delta.function_call
                for event in await collect(engine.chat(ask))
                for choice in event.choices
                if choice.delta.function_call
            ]
            assert "".join(delta.name or "" for delta in deltas) == "magic_function"
            assert "".join(delta.arguments or "" for delta in deltas) == '{"input":3}'


async def test_the_answers_of_tools_are_repeated() -> None:
    """A conversation that ends with tools' answers is answered with them."""
    conversation = [
        {"role": "user", "content": "What is the weather in Rome and Oslo?"},
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": name,
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": "{}"},
                }
                for name in ("c1", "c2")
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "It's sunny."},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "It snows."}]},
    ]
    async with running() as engine:
        events = await collect(engine.chat(chat_ask(conversation, tools=TOOLS)))
    assert chat_text(events) == "It's sunny.\nIt snows."


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Return this as json: {'a': 1}", '{"a":1}'),
        ('Echo {"b": [true]} as JSON', '{"b":[true]}'),
    ],
)
async def test_json_object_copies_a_literal(question: str, expected: str) -> None:
    """An object written out in the prompt comes back."""
    async with running() as engine:
        assert await say(engine, question, response_format={"type": "json_object"}) == expected


async def test_an_endless_literal_is_not_copied() -> None:
    """What is nested too deeply to be read does no harm."""
    question = 'Return as json: {"a": ' + "[" * 990 + "]" * 990 + "}"
    async with running() as engine:
        said = await say(engine, question, response_format={"type": "json_object"})
        assert said.startswith('{"a":"')


async def test_json_object_has_the_quoted_keys() -> None:
    """Keys that the prompt quotes are those of the object, also from the system message."""
    form = {"type": "json_object"}
    keys = "JSON with 'setup' and 'punchline' keys"
    async with running() as engine:
        assert '"setup":' in (text := await say(engine, keys, response_format=form))
        assert '"punchline":' in text
        messages = [
            {"role": "system", "content": keys},
            {"role": "user", "content": "A joke, please."},
        ]
        events = await collect(engine.chat(chat_ask(messages, response_format=form)))
        assert '"punchline":' in chat_text(events)


async def test_tools_and_a_schema_share_a_request() -> None:
    """What names the tool calls it; anything else is answered by the schema."""
    form = {
        "type": "json_schema",
        "json_schema": {
            "name": "answer",
            "schema": {
                "type": "object",
                "properties": {"response": {"type": "string"}},
                "required": ["response"],
            },
        },
    }
    user = tool("GenerateUsername", person={"type": "string"}, hair_color={"type": "string"})
    async with running() as engine:
        plain = chat_ask("Which is heavier, gold or lead?", tools=[user], response_format=form)
        assert chat_text(await collect(engine.chat(plain))).startswith('{"response":')
        named = chat_ask("Generate a username for Ann.", tools=[user], response_format=form)
        assert len(await calls(engine, named)) == 1


async def test_impossible_wishes_are_the_clients_mistake() -> None:
    """A forced function that isn't offered, and schemas nothing satisfies, are refused with 400."""
    other = {"type": "function", "function": {"name": "other"}}
    bad = tool("bad", x={"type": "integer", "minimum": 2, "maximum": 1})
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "odd"}}}
    async with running() as engine:
        for fields, param in (
            ({"tools": TOOLS, "tool_choice": other}, "tool_choice"),
            ({"tools": [bad]}, "tools[].function.parameters"),
            ({"response_format": schema}, "response_format"),
        ):
            with pytest.raises(InvalidRequest) as refused:
                await collect(engine.chat(chat_ask("Go", **fields)))
            assert refused.value.param == param
            assert refused.value.status == 400


async def test_streamed_pieces_come_in_order() -> None:
    """Roles first, one token an event, each with the counts so far; the final ones last."""
    async with running() as engine:
        events = await collect(engine.chat(chat_ask("Go on", stream=True, n=2, max_tokens=5)))
    assert [choice.delta.role for event in events[:2] for choice in event.choices] == [
        "assistant",
        "assistant",
    ]
    assert [(c.index, c.finish_reason) for e in events[-3:] for c in e.choices] == [
        (0, "length"),
        (1, "length"),
    ]
    assert len(events) == 2 + 2 * 5 + 2 + 1
    counted = [event.usage.completion_tokens for event in events if event.usage and event.choices]
    assert counted == [0, 0, *range(1, 11)]
    assert events[-1].usage is not None
    assert events[-1].usage.completion_tokens == 10
    assert not events[-1].choices


async def test_usage_counts_by_the_stated_rule() -> None:
    """Three tokens a message, three before the reply, and the pieces of the texts."""
    async with running() as engine:
        events = await collect(engine.chat(chat_ask("One lighthouse", max_tokens=7)))
    usage = events[-1].usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (9, 7, 16)
    assert usage.cached_tokens == 0

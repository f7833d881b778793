"""Every parameter of a chat request that can be wrong, and what is said about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.dataplane.options import Limits
from tests.dataplane.rig import CHAT, rig

if TYPE_CHECKING:
    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

USER = {"role": "user", "content": "some json"}
FUNCTION = {"name": "f"}
TOOL = {"type": "function", "function": FUNCTION}
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "tool_calls": [CALL, CALL | {"id": "b"}]}
NAME_PATTERN = (
    "string does not match pattern. Expected a string that matches the pattern "
    "'^[a-zA-Z0-9_-]{1,64}$'."
)


def deep(levels: int) -> dict[str, Any]:
    """An object that holds an object, and so on."""
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


def tools(count: int) -> list[dict[str, Any]]:
    """That many tools."""
    return [{"type": "function", "function": {"name": f"f{index}"}} for index in range(count)]


def result(call: str) -> dict[str, str]:
    """A tool's answer."""
    return {"role": "tool", "content": "1", "tool_call_id": call}


MISSING, TYPE, VALUE = "missing_required_parameter", "invalid_type", "invalid_value"
COMBINATION = "invalid_parameter_combination"

Case = tuple[dict[str, Any], "str | None", "str | None", str]

MESSAGES: list[Case] = [
    ({"messages": None}, "messages", TYPE, "expected an array, but got null instead."),
    ({"messages": "x"}, "messages", TYPE, "expected an array, but got a string instead."),
    ({"messages": {}}, "messages", TYPE, "expected an array, but got an object instead."),
    (
        {"messages": []},
        "messages",
        "empty_array",
        (
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an "
            "empty array instead."
        ),
    ),
    (
        {"messages": [USER] * 2049},
        "messages",
        "array_above_max_length",
        (
            "Invalid 'messages': array too long. Expected an array with maximum length 2048, but "
            "got an array with length 2049 instead."
        ),
    ),
    ({"messages": [3]}, "messages[0]", TYPE, "expected an object, but got an integer instead."),
    ({"messages": [USER, {}]}, "messages[1].role", MISSING, "'messages[1].role'."),
    ({"messages": [{"role": "x", "content": ""}]}, "messages[0].role", VALUE, "'x'"),
    ({"messages": [{"role": 3}]}, "messages[0].role", TYPE, "expected a string"),
    ({"messages": [{"role": "user"}]}, "messages[0].content", MISSING, "'messages[0].content'."),
    ({"messages": [USER | {"content": None}]}, "messages[0].content", TYPE, "got null"),
    ({"messages": [USER | {"content": 3}]}, "messages[0].content", TYPE, "got an integer"),
    ({"messages": [USER | {"content": []}]}, "messages[0].content", "empty_array", "empty array"),
    (
        {"messages": [USER | {"content": ["x"]}]},
        "messages[0].content[0]",
        TYPE,
        "expected an object, but got a string instead.",
    ),
    (
        {"messages": [USER | {"content": [{"type": "text"}]}]},
        "messages[0].content[0].text",
        MISSING,
        "Missing required parameter: 'messages[0].content[0].text'.",
    ),
    (
        {"messages": [USER | {"content": [{"type": "video"}]}]},
        "messages[0].content[0].type",
        VALUE,
        "Invalid value: 'video'",
    ),
    (
        {"messages": [USER | {"content": "x" * 1_048_577}]},
        "messages[0].content",
        "string_above_max_length",
        (
            "Invalid 'messages[0].content': string too long. Expected a string with maximum length "
            "1048576, but got a string with length 1048577 instead."
        ),
    ),
    ({"messages": [USER | {"name": 3}]}, "messages[0].name", TYPE, "expected a string"),
    ({"messages": [{"role": "assistant"}]}, "messages[0].content", VALUE, "needs 'content'"),
    (
        {"messages": [{"role": "tool", "content": "x"}]},
        "messages[0].tool_call_id",
        MISSING,
        "'messages[0].tool_call_id'.",
    ),
    (
        {"messages": [USER, {"role": "function", "content": "x"}]},
        "messages[1].name",
        MISSING,
        "'messages[1].name'.",
    ),
]
CALLS: list[Case] = [
    (
        {"messages": [USER, result("a")]},
        "messages.[1].role",
        None,
        (
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
            "message with 'tool_calls'."
        ),
    ),
    (
        {"messages": [USER, CALLING, result("a"), result("b"), USER, result("a")]},
        "messages.[5].role",
        None,
        "preceeding message with 'tool_calls'.",
    ),
    (
        {"messages": [USER, CALLING, result("c")]},
        "messages.[2].tool_call_id",
        None,
        "'tool_call_id' of 'c' not found in 'tool_calls' of previous message.",
    ),
    (
        {"messages": [USER, CALLING, result("b"), USER]},
        "messages.[3].role",
        None,
        (
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: a"
        ),
    ),
    ({"messages": [USER, CALLING]}, "messages", None, "response messages: a, b"),
    (
        {"messages": [USER, {"role": "assistant", "tool_calls": [{"id": "a"}]}]},
        "messages[1].tool_calls[0].function",
        MISSING,
        "'messages[1].tool_calls[0].function'.",
    ),
    (
        {"messages": [USER, {"role": "assistant", "tool_calls": [{"function": FUNCTION}]}]},
        "messages[1].tool_calls[0].function.arguments",
        MISSING,
        ".arguments'.",
    ),
    (
        {
            "messages": [
                USER,
                {"role": "assistant", "tool_calls": [CALL | {"custom": {"a": deep(70)}}]},
                result("a"),
            ]
        },
        "messages[1].tool_calls[0].custom",
        VALUE,
        "nested deeper than 64 levels.",
    ),
]
NUMBERS: list[Case] = [
    (
        {"temperature": 3},
        "temperature",
        "decimal_above_max_value",
        (
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 "
            "instead."
        ),
    ),
    (
        {"temperature": -0.1},
        "temperature",
        "decimal_below_min_value",
        (
            "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got "
            "-0.1 instead."
        ),
    ),
    ({"temperature": "1"}, "temperature", TYPE, "expected a number, but got a string instead."),
    ({"temperature": True}, "temperature", TYPE, "but got a boolean instead."),
    ({"temperature": [1]}, "temperature", TYPE, "but got an array instead."),
    ({"top_p": 1.01}, "top_p", "decimal_above_max_value", "<= 1, but got 1.01"),
    ({"top_p": -1}, "top_p", "decimal_below_min_value", ">= 0, but got -1"),
    ({"presence_penalty": -2.1}, "presence_penalty", "decimal_below_min_value", ">= -2"),
    ({"frequency_penalty": 2.1}, "frequency_penalty", "decimal_above_max_value", "<= 2"),
    (
        {"n": 0},
        "n",
        "integer_below_min_value",
        "Invalid 'n': integer below minimum value. Expected a value >= 1, but got 0 instead.",
    ),
    ({"n": 129}, "n", "integer_above_max_value", "<= 128, but got 129 instead."),
    ({"n": 1.5}, "n", TYPE, "expected an integer, but got a number instead."),
    ({"n": "1"}, "n", TYPE, "expected an integer, but got a string instead."),
    ({"max_tokens": 0}, "max_tokens", "integer_below_min_value", ">= 1"),
    ({"max_tokens": 10**30}, "max_tokens", "integer_above_max_value", "<= 2147483648"),
    ({"max_completion_tokens": -1}, "max_completion_tokens", "integer_below_min_value", ">= 1"),
    ({"max_tokens": 1, "max_completion_tokens": 1}, "max_tokens", COMBINATION, "same time"),
    ({"seed": 2**63}, "seed", "integer_above_max_value", "<= 9223372036854775807"),
    ({"seed": -(2**63) - 1}, "seed", "integer_below_min_value", ">= -9223372036854775808"),
    ({"seed": 0.5}, "seed", TYPE, "expected an integer"),
    ({"logprobs": 5}, "logprobs", TYPE, "expected a boolean, but got an integer instead."),
    ({"top_logprobs": 1}, "top_logprobs", COMBINATION, "only allowed when 'logprobs' is enabled."),
    ({"top_logprobs": 1, "logprobs": False}, "top_logprobs", COMBINATION, "only allowed"),
    (
        {"top_logprobs": 21, "logprobs": True},
        "top_logprobs",
        "integer_above_max_value",
        "<= 20, but got 21 instead.",
    ),
    ({"logit_bias": {"x": 1}}, "logit_bias", VALUE, "Invalid key in 'logit_bias': x."),
    ({"logit_bias": {"²": 1}}, "logit_bias", VALUE, "Invalid key"),
    ({"logit_bias": {"-1": 1}}, "logit_bias", VALUE, "Invalid key"),
    ({"logit_bias": {"": 1}}, "logit_bias", VALUE, "Invalid key"),
    ({"logit_bias": {"9" * 11: 1}}, "logit_bias", VALUE, "Invalid key"),
    ({"logit_bias": {"1": 101}}, "logit_bias.1", "decimal_above_max_value", "<= 100, but got 101"),
    ({"logit_bias": {"1": "x"}}, "logit_bias", TYPE, "expected a number"),
    ({"logit_bias": [1]}, "logit_bias", TYPE, "expected an object, but got an array instead."),
    (
        {"logit_bias": {str(token): 1 for token in range(65_537)}},
        "logit_bias",
        "object_above_max_properties",
        "at most 65536 properties",
    ),
]
TOOLS: list[Case] = [
    (
        {"tools": tools(129)},
        "tools",
        "array_above_max_length",
        (
            "Invalid 'tools': array too long. Expected an array with maximum length 128, but got "
            "an array with length 129 instead."
        ),
    ),
    (
        {"functions": [tool["function"] for tool in tools(129)]},
        "functions",
        "array_above_max_length",
        "length 129",
    ),
    ({"tools": [TOOL, TOOL]}, "tools[1].function.name", VALUE, "'f' is defined twice."),
    ({"tools": [{"type": "x", "function": FUNCTION}]}, "tools[0].type", VALUE, "'x'"),
    ({"tools": [{"type": "function"}]}, "tools[0].function", MISSING, "'tools[0].function'."),
    ({"tools": [{"function": FUNCTION}]}, "tools[0].type", MISSING, "'tools[0].type'."),
    ({"tools": {}}, "tools", TYPE, "expected an array"),
    *[
        (
            {"tools": [{"type": "function", "function": {"name": name}}]},
            "tools[0].function.name",
            VALUE,
            f"Invalid 'tools[0].function.name': {NAME_PATTERN}",
        )
        for name in ("", "a b", "f\n", "ü", "f" * 65)
    ],
    ({"functions": [{"name": "a.b"}]}, "functions[0].name", VALUE, NAME_PATTERN),
    ({"functions": [{}]}, "functions[0].name", MISSING, "'functions[0].name'."),
    (
        {"tools": [{"type": "function", "function": FUNCTION | {"parameters": 3}}]},
        "tools[0].function.parameters",
        TYPE,
        "expected an object, but got an integer instead.",
    ),
    (
        {"tools": [{"type": "function", "function": FUNCTION | {"parameters": deep(65)}}]},
        "tools[0].function.parameters",
        VALUE,
        "nested deeper than 64 levels.",
    ),
    (
        {
            "tools": [
                {"type": "function", "function": FUNCTION | {"parameters": {"type": "string"}}}
            ]
        },
        "tools[0].function.parameters",
        "invalid_function_parameters",
        "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"string\"'.",
    ),
    (
        {"functions": [FUNCTION | {"parameters": {"type": ["object", "null"]}}]},
        "functions[0].parameters",
        "invalid_function_parameters",
        'got \'type: ["object","null"]\'.',
    ),
    ({"tools": [TOOL], "functions": [FUNCTION]}, "functions", COMBINATION, "together"),
    ({"tool_choice": "auto"}, "tool_choice", None, "only allowed when 'tools' are specified."),
    ({"tools": [], "tool_choice": "none"}, "tool_choice", None, "only allowed when 'tools'"),
    ({"tools": [TOOL], "tool_choice": "x"}, "tool_choice", VALUE, "Invalid value: 'x'"),
    ({"tools": [TOOL], "tool_choice": 3}, "tool_choice", TYPE, "got an integer"),
    (
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}},
        "tool_choice",
        None,
        "no function named 'g' was specified in the 'tools' parameter.",
    ),
    (
        {"tools": [TOOL], "tool_choice": {"type": "function"}},
        "tool_choice.function",
        MISSING,
        "'tool_choice.function'.",
    ),
    ({"function_call": "auto"}, "function_call", None, "only allowed when 'functions'"),
    (
        {"functions": [FUNCTION], "function_call": {"name": "g"}},
        "function_call",
        None,
        "no function named 'g' was specified in the 'functions' parameter.",
    ),
    ({"tools": [TOOL], "parallel_tool_calls": 1}, "parallel_tool_calls", TYPE, "a boolean"),
]
OTHERS: list[Case] = [
    (
        {"stop": list("abcde")},
        "stop",
        "array_above_max_length",
        (
            "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an "
            "array with length 5 instead."
        ),
    ),
    ({"stop": ""}, "stop", "empty_string", "Invalid 'stop': empty string."),
    ({"stop": ["a", ""]}, "stop", "empty_string", "Invalid 'stop': empty string."),
    ({"stop": 3}, "stop", TYPE, "expected a string or an array, but got an integer instead."),
    ({"stop": [3]}, "stop[0]", TYPE, "expected a string, but got an integer instead."),
    ({"metadata": {"a": 1}}, "metadata", TYPE, "expected a string, but got an integer instead."),
    (
        {"metadata": {str(index): "" for index in range(17)}},
        "metadata",
        "object_above_max_properties",
        (
            "Invalid 'metadata': too many properties. Expected an object with at most 16 "
            "properties, but got an object with 17 properties instead."
        ),
    ),
    ({"metadata": {"k" * 65: ""}}, f"metadata.{'k' * 64}", "string_above_max_length", "65"),
    ({"metadata": {"k": "v" * 513}}, "metadata.k", "string_above_max_length", "513"),
    ({"stream": "true"}, "stream", TYPE, "expected a boolean, but got a string instead."),
    ({"stream_options": {}}, "stream_options", COMBINATION, "only allowed when 'stream'"),
    ({"stream": True, "stream_options": 3}, "stream_options", TYPE, "expected an object"),
    ({"response_format": "json"}, "response_format", TYPE, "expected an object"),
    ({"response_format": {}}, "response_format.type", MISSING, "'response_format.type'."),
    ({"response_format": {"type": "x"}}, "response_format.type", VALUE, "Invalid value: 'x'"),
    (
        {"response_format": {"type": "json_schema"}},
        "response_format.json_schema",
        MISSING,
        "Missing required parameter: 'response_format.json_schema'.",
    ),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
        "response_format.json_schema.name",
        MISSING,
        "'response_format.json_schema.name'.",
    ),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a b"}}},
        "response_format.json_schema.name",
        VALUE,
        NAME_PATTERN,
    ),
    (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "a", "schema": deep(65)},
            }
        },
        "response_format.json_schema.schema",
        VALUE,
        "nested deeper than 64 levels.",
    ),
    (
        {
            "messages": [{"role": "user", "content": "hello"}],
            "response_format": {"type": "json_object"},
        },
        "messages",
        None,
        (
            "'messages' must contain the word 'json' in some form, to use 'response_format' of "
            "type 'json_object'."
        ),
    ),
    ({"audio": {}}, "audio", "unsupported_parameter", "text only"),
    ({"modalities": ["text", "audio"]}, "modalities", "unsupported_parameter", "text only"),
    ({"web_search_options": {}}, "web_search_options", "unsupported_parameter", "web_search"),
    ({"prediction": deep(65)}, "prediction", VALUE, "nested deeper than 64 levels."),
    ({"user_security_context": deep(65)}, "user_security_context", VALUE, "nested deeper"),
    ({"model": 3}, "model", TYPE, "expected a string, but got an integer instead."),
    ({"user": 3}, "user", TYPE, "expected a string"),
    ({"foo": 1}, None, None, "Unrecognized request argument supplied: foo"),
    ({"Temperature": 1}, None, None, "Unrecognized request argument supplied: Temperature"),
    ({"": 1}, None, None, "Unrecognized request argument supplied: "),
]


@pytest.mark.parametrize(
    ("fields", "param", "code", "message"),
    [
        pytest.param(*case, id=f"{'+'.join(case[0])}-{case[2]}-{index}")
        for index, case in enumerate(MESSAGES + CALLS + NUMBERS + TOOLS + OTHERS)
    ],
)
async def test_what_is_wrong_with_a_request_is_named(
    server: Rig, fields: dict[str, Any], param: str | None, code: str | None, message: str
) -> None:
    """400 in OpenAI's shape, all four fields always, the parameter at fault named."""
    before = len(server.engine.asked)
    answer = await server.chat({"messages": [USER]} | fields)
    assert answer.status == 400
    assert answer.header("content-type") == "application/json"
    assert set(answer.json()) == {"error"}
    assert set(answer.error) == {"message", "type", "param", "code"}
    assert answer.error["type"] == "invalid_request_error"
    assert (answer.error["param"], answer.error["code"]) == (param, code)
    assert message in answer.error["message"]
    assert answer.header("x-ms-deployment-name") == "gpt"
    assert len(server.engine.asked) == before, "the engine was asked"
    assert server.instance.gate.running == 0


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"messages": [USER] * 2048},
        {"messages": [USER | {"content": "x" * 1_048_576}]},
        {"messages": [USER, CALLING, result("b"), result("a"), USER]},
        {"messages": [USER, CALLING, result("a"), result("b")]},
        {"messages": [USER, {"role": "assistant", "content": None, "refusal": "no"}]},
        {"messages": [{"role": role, "content": "x"} for role in ("system", "developer", "user")]},
        {"messages": [{"role": "function", "name": "f", "content": "x"}]},
        {"messages": [USER | {"content": [{"type": "text", "text": "x"}]}]},
        {"temperature": 2, "top_p": 0, "presence_penalty": -2, "frequency_penalty": 2.0},
        {"n": None, "temperature": None, "stop": None, "tools": None, "stream": None},
        {"n": 128, "max_tokens": 1, "seed": -(2**63)},
        {"stop": list("abcd"), "logit_bias": {"50256": -100, "0": 100}},
        {"stop": [], "tools": [], "functions": [], "logit_bias": {}, "metadata": {}},
        {"logprobs": True, "top_logprobs": 20},
        {"logprobs": True, "top_logprobs": 0},
        {"metadata": {"k" * 64: "v" * 512}},
        {"tools": tools(128), "tool_choice": "required", "parallel_tool_calls": False},
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": FUNCTION}},
        {"tools": [{"type": "function", "function": FUNCTION | {"parameters": deep(64)}}]},
        {"functions": [FUNCTION], "function_call": {"name": "f"}},
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "text"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a"}}},
        {"stream_options": None, "store": False, "modalities": ["text"], "user": "u"},
        {"prompt_cache_key": "k", "safety_identifier": "s", "service_tier": "auto"},
        {"model": "anything, the path decides"},
    ],
)
async def test_what_the_service_takes_is_taken(server: Rig, fields: dict[str, Any]) -> None:
    """The bounds themselves are allowed, and null means absent."""
    answer = await server.chat({"messages": [USER]} | fields)
    assert answer.status == 200, answer.body


async def test_unknown_arguments_are_ignored_where_settings_say_so() -> None:
    """Some benchmarks send arguments that Azure would refuse."""
    limits = Limits(accept_unknown_arguments=True)
    extra = {"ignore_eos": True, "nested": deep(100), "list": [[], {}]}
    async with rig(limits=limits) as running:
        assert (await running.chat({"messages": [USER]} | extra)).status == 200
        for path, body in (("completions", {"prompt": "x"}), ("embeddings", {"input": "x"})):
            target = CHAT.replace("chat/completions", path)
            assert (await running.send("POST", target, body | extra)).status == 200
        answer = await running.chat({"messages": [USER], "n": "x"} | extra)
        assert answer.error["param"] == "n"

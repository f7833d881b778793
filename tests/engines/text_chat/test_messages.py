from __future__ import annotations

from typing import Any

import msgspec
import pytest

from linarite.domain.chat import ChatAsk, FunctionCall
from linarite.domain.errors import InvalidRequest
from linarite.engines.text_chat.messages import template_messages, with_instruction
from linarite.engines.text_chat.told_calls import CallsTold, answered_calls, same_call

CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_time", "arguments": '{"zone": "UTC"}'},
}


def translate(
    messages: list[dict[str, Any]], calls: CallsTold = "template"
) -> list[dict[str, Any]]:
    """Decode messages as the API does, and translate them."""
    ask = msgspec.convert({"messages": messages}, ChatAsk)
    return template_messages(ask.messages, calls=calls)


def test_roles_that_every_template_knows() -> None:
    """Developer messages are system messages; parts of text are joined; nulls are empty."""
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    assert translate(
        [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": parts, "name": "ann"},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
            {"role": "assistant", "content": None, "refusal": "Never."},
            {"role": "user", "content": ""},
        ]
    ) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one\ntwo"},
        {"role": "assistant", "content": "No."},
        {"role": "assistant", "content": "Never."},
        {"role": "user", "content": ""},
    ]


@pytest.mark.parametrize(
    ("part", "title"),
    [
        ({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}, "images"),
        ({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}, "audio"),
        ({"type": "file", "file": {"file_id": "f"}}, "files"),
    ],
)
def test_what_is_no_text_is_refused(part: dict[str, Any], title: str) -> None:
    """The refusal names the part and says what the model takes."""
    messages = [
        {"role": "system", "content": "x"},
        {"role": "user", "content": [{"type": "text", "text": "x"}, part]},
    ]
    with pytest.raises(InvalidRequest, match=f"text only, not {title}") as refused:
        translate(messages)
    assert refused.value.param == "messages[1].content[1]"


def test_an_empty_chat_is_refused() -> None:
    """There is nothing to answer."""
    with pytest.raises(InvalidRequest) as refused:
        translate([])
    assert refused.value.param == "messages"


HISTORY: list[dict[str, Any]] = [
    {"role": "user", "content": "What time is it?"},
    {"role": "assistant", "content": "Let me look.", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "noon"},
    {"role": "tool", "tool_call_id": "call_2", "content": "midnight"},
    {"role": "user", "content": "Thanks."},
]


def test_a_template_that_knows_calls_gets_them() -> None:
    """Calls and results stay what they are."""
    assert translate(HISTORY)[1:4] == [
        {"role": "assistant", "content": "Let me look.", "tool_calls": [CALL]},
        {"role": "tool", "content": "noon", "tool_call_id": "call_1"},
        {"role": "tool", "content": "midnight", "tool_call_id": "call_2"},
    ]


def test_a_template_that_knows_none_is_told_in_words() -> None:
    """Calls become the assistant's text, the results of a turn one message of the user's."""
    assert translate(HISTORY, "tags")[1:] == [
        {
            "role": "assistant",
            "content": 'Let me look.\n<tool_call>\n{"name": "get_time", "arguments": '
            '{"zone": "UTC"}}\n</tool_call>',
        },
        {
            "role": "user",
            "content": "<tool_response>\nnoon\n</tool_response>\n"
            "<tool_response>\nmidnight\n</tool_response>",
        },
        {"role": "user", "content": "Thanks."},
    ]


def test_where_nothing_is_to_be_called_calls_are_told_in_words() -> None:
    """Small models repeat what looks like a call; of a result it is said what it answers."""
    assert translate(HISTORY, "words")[1:] == [
        {"role": "assistant", "content": "Let me look.\nLet me look that up with get_time."},
        {
            "role": "user",
            "content": 'Result of get_time with {"zone": "UTC"}:\nnoon\n\nResult:\nmidnight\n\n'
            "Answer my question with these results.",
        },
        {"role": "user", "content": "Thanks."},
    ]
    last = translate(HISTORY[:3], "words")[-1]
    assert last["content"] == "Result of get_time:\nnoon\n\nAnswer my question with this result."


def test_the_calls_that_were_just_answered() -> None:
    """Those since the user spoke, in a chat that ends with a result; in any other there is none."""
    ask = msgspec.convert({"messages": [*HISTORY, *HISTORY[:3]]}, ChatAsk)
    assert [call.name for call in answered_calls(ask.messages)] == ["get_time"]
    assert answered_calls(ask.messages[:-1]) == []
    assert answered_calls(ask.messages[:5]) == []
    assert answered_calls([]) == []


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ('{"a": 1, "b": 2}', '{"b":2,"a":1}', True),
        ('{"a": 1}', '{"a": 2}', False),
        ("{", "{", True),
        ("{", "{}", False),
    ],
)
def test_calls_are_the_same_whatever_their_spelling(left: str, right: str, same: bool) -> None:
    """Order and space in the arguments do not matter, the name does."""
    assert same_call(FunctionCall("f", left), FunctionCall("f", right)) is same
    assert not same_call(FunctionCall("f", left), FunctionCall("g", left))


def test_the_older_form_of_calls() -> None:
    """`function_call` and function messages become calls and their results."""
    messages = [
        {"role": "assistant", "function_call": {"name": "get_time", "arguments": "{}"}},
        {"role": "function", "name": "get_time", "content": "noon"},
    ]
    known = translate(messages)
    assert known[0]["tool_calls"][0]["function"] == {"name": "get_time", "arguments": "{}"}
    assert known[1] == {
        "role": "tool",
        "content": "noon",
        "name": "get_time",
        "tool_call_id": known[0]["tool_calls"][0]["id"],
    }
    told = translate(messages, "tags")
    assert [message["role"] for message in told] == ["assistant", "user"]
    assert '"get_time"' in told[0]["content"]


@pytest.mark.parametrize("calls", ["template", "tags"])
def test_arguments_that_are_no_json_become_json(calls: CallsTold) -> None:
    """Templates take arguments apart; a client's history may hold what is none."""
    call = {**CALL, "function": {"name": "get_time", "arguments": '{"zone'}}
    messages = [{"role": "assistant", "content": None, "tool_calls": [call]}]
    told = translate(messages, calls)[0]
    if calls == "template":
        arguments = told["tool_calls"][0]["function"]["arguments"]
        assert msgspec.json.decode(arguments) == '{"zone'
    else:
        body = told["content"].removeprefix("<tool_call>\n").removesuffix("\n</tool_call>")
        assert msgspec.json.decode(body) == {"name": "get_time", "arguments": '{"zone'}


def test_an_instruction_joins_the_system_message() -> None:
    """It comes behind what is there, or begins the chat."""
    user = {"role": "user", "content": "x"}
    system = {"role": "system", "content": "Be brief."}
    joined = {"role": "system", "content": "Be brief.\n\nUse tools."}
    assert with_instruction([system, user], "Use tools.") == [joined, user]
    assert with_instruction([user], "Use tools.") == [
        {"role": "system", "content": "Use tools."},
        user,
    ]
    assert system["content"] == "Be brief."

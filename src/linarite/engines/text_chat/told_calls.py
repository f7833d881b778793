"""Calls in a chat's history, and their results, told to a model whose template knows neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from linarite.domain.chat import (
    AssistantMessage,
    FunctionCall,
    FunctionMessage,
    ToolMessage,
    UserMessage,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.chat import Message

CallsTold = Literal["template", "tags", "words"]
"""How calls and their results are told.

`template`: as they are, to a template that knows them. `tags`: as text, in the form in which the
model is asked to write them. `words`: in plain words, where the model is to call nothing. Small
models repeat what looks like a call.
"""
LEGACY_ID = "call_legacy"
"""id of a call that was made in the form that had none"""

_NO_JSON = (msgspec.MsgspecError, UnicodeError, RecursionError)


class Result(NamedTuple):
    """What a function gave back."""

    text: str
    call: FunctionCall | None
    """None when the history does not say what was called"""


def calls_of(message: AssistantMessage) -> list[tuple[str, FunctionCall]]:
    """The functions called in a message, with the ids of the calls."""
    calls = [
        (call.id, call.function) for call in message.tool_calls or [] if call.function is not None
    ]
    if message.function_call is not None:
        calls.append((LEGACY_ID, message.function_call))
    return calls


def answered_calls(messages: Sequence[Message]) -> list[FunctionCall]:
    """The calls since the user spoke, in a chat that ends with a result."""
    if not messages or not isinstance(messages[-1], (ToolMessage, FunctionMessage)):
        return []
    calls: list[FunctionCall] = []
    for message in reversed(messages):
        if isinstance(message, UserMessage):
            break
        if isinstance(message, AssistantMessage):
            calls += [call for _, call in calls_of(message)]
    return calls


def told_calls_as_text(calls: Sequence[FunctionCall], told: CallsTold) -> str:
    """Say what was called."""
    if told == "words":
        names = " and ".join(dict.fromkeys(call.name for call in calls))
        return f"Let me look that up with {names}."
    return "\n".join(
        f'<tool_call>\n{{"name": {msgspec.json.encode(call.name).decode()}, '
        f'"arguments": {as_json(call.arguments)}}}\n</tool_call>'
        for call in calls
    )


def told_results(results: Sequence[Result], told: CallsTold) -> dict[str, str]:
    """Say what the calls of a turn gave back, as one message of the user's."""
    if told != "words":
        parts = [f"<tool_response>\n{result.text}\n</tool_response>" for result in results]
        return {"role": "user", "content": "\n".join(parts)}
    several = len(results) > 1
    parts = [f"{_title(result, with_arguments=several)}:\n{result.text}" for result in results]
    which = "these results" if several else "this result"
    parts.append(f"Answer my question with {which}.")
    return {"role": "user", "content": "\n\n".join(parts)}


def _title(result: Result, *, with_arguments: bool) -> str:
    if result.call is None:
        return "Result"
    title = f"Result of {result.call.name}"
    return f"{title} with {result.call.arguments}" if with_arguments else title


def as_json(arguments: str) -> str:
    """Arguments as JSON: templates take them apart, and the history may hold what is none."""
    try:
        msgspec.json.decode(arguments)
    except _NO_JSON:
        return msgspec.json.encode(arguments).decode()
    return arguments


def same_call(left: FunctionCall, right: FunctionCall) -> bool:
    """Whether two calls ask for the same, however their arguments are written."""
    if left.name != right.name:
        return False
    try:
        return msgspec.json.decode(left.arguments) == msgspec.json.decode(right.arguments)
    except _NO_JSON:
        return left.arguments == right.arguments

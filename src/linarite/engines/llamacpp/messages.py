"""Chat messages as a template takes them.

Templates know system, user and assistant, and some know tool calls and their results. What a
template does not know is told in words that it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.chat import (
    AssistantMessage,
    AudioPart,
    DeveloperMessage,
    FilePart,
    FunctionMessage,
    ImagePart,
    RefusalPart,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from linarite.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.chat import Content, FunctionCall, Message

_PART_TITLES = {ImagePart: "images", AudioPart: "audio", FilePart: "files"}


def template_messages(messages: Sequence[Message], *, knows_calls: bool) -> list[dict[str, Any]]:
    """Translate a chat. Raises InvalidRequest for content that is no text."""
    if not messages:
        raise InvalidRequest(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an "
            "empty array instead.",
            param="messages",
            code="empty_array",
        )
    translated: list[dict[str, Any]] = []
    for position, message in enumerate(messages):
        text = _text_of(message.content, f"messages[{position}].content")
        if isinstance(message, (SystemMessage, DeveloperMessage)):
            translated.append({"role": "system", "content": text})
        elif isinstance(message, UserMessage):
            translated.append({"role": "user", "content": text})
        elif isinstance(message, AssistantMessage):
            translated.append(_assistant(message, text, knows_calls=knows_calls))
        elif knows_calls:
            translated.append(_result(message, text))
        else:
            previous = messages[position - 1] if position else None
            follows = isinstance(previous, (ToolMessage, FunctionMessage))
            _tell_result(translated, text, joins=follows)
    return translated


def with_instruction(messages: list[dict[str, Any]], instruction: str) -> list[dict[str, Any]]:
    """Add to the system message at the beginning, or begin with one."""
    if messages and messages[0]["role"] == "system":
        first = {"role": "system", "content": f"{messages[0]['content']}\n\n{instruction}"}
        return [first, *messages[1:]]
    return [{"role": "system", "content": instruction}, *messages]


def _text_of(content: Content, place: str) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    texts: list[str] = []
    for position, part in enumerate(content):
        if isinstance(part, RefusalPart):
            texts.append(part.refusal)
        elif isinstance(part, (ImagePart, AudioPart, FilePart)):
            raise InvalidRequest(
                "Invalid content type. This model takes text only, not "
                f"{_PART_TITLES[type(part)]}.",
                param=f"{place}[{position}]",
            )
        else:
            texts.append(part.text)
    return "\n".join(texts)


def _assistant(message: AssistantMessage, text: str, *, knows_calls: bool) -> dict[str, Any]:
    text = text or message.refusal or ""
    calls = [
        (call.id, call.function) for call in message.tool_calls or [] if call.function is not None
    ]
    if message.function_call is not None:
        calls.append(("call_legacy", message.function_call))
    if not calls:
        return {"role": "assistant", "content": text}
    if not knows_calls:
        told = [_told_call(function) for _, function in calls]
        return {"role": "assistant", "content": "\n".join([text, *told] if text else told)}
    return {
        "role": "assistant",
        "content": text,
        "tool_calls": [
            {
                "id": identifier,
                "type": "function",
                "function": {"name": function.name, "arguments": _as_json(function.arguments)},
            }
            for identifier, function in calls
        ],
    }


def _told_call(function: FunctionCall) -> str:
    name = msgspec.json.encode(function.name).decode()
    arguments = _as_json(function.arguments)
    return f'<tool_call>\n{{"name": {name}, "arguments": {arguments}}}\n</tool_call>'


def _as_json(arguments: str) -> str:
    """Arguments as JSON: templates take them apart, and the history may hold what is none."""
    try:
        msgspec.json.decode(arguments)
    except (msgspec.MsgspecError, RecursionError):  # the latter: nested without end
        return msgspec.json.encode(arguments).decode()
    return arguments


def _result(message: ToolMessage | FunctionMessage, text: str) -> dict[str, Any]:
    if isinstance(message, FunctionMessage):
        return {
            "role": "tool",
            "content": text,
            "name": message.name,
            "tool_call_id": "call_legacy",
        }
    result = {"role": "tool", "content": text, "tool_call_id": message.tool_call_id}
    return {**result, "name": message.name} if message.name else result


def _tell_result(translated: list[dict[str, Any]], text: str, *, joins: bool) -> None:
    """Tell a result as a user's message; the results of one turn are told in one."""
    told = f"<tool_response>\n{text}\n</tool_response>"
    if joins:
        translated[-1]["content"] += f"\n{told}"
    else:
        translated.append({"role": "user", "content": told})

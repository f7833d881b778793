"""Chat messages as a template takes them.

Templates know system, user and assistant, and some know tool calls and their results. What a
template does not know is told in words that it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.domain.chat import (
    AssistantMessage,
    AudioPart,
    DeveloperMessage,
    FilePart,
    FunctionCall,
    FunctionMessage,
    ImagePart,
    RefusalPart,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from linarite.domain.errors import InvalidRequest
from linarite.engines.text_chat.told_calls import (
    LEGACY_ID,
    Result,
    as_json,
    calls_of,
    told_calls_as_text,
    told_results,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.chat import Content, Message
    from linarite.engines.text_chat.told_calls import CallsTold

_PART_TITLES = {ImagePart: "images", AudioPart: "audio", FilePart: "files"}


def template_messages(messages: Sequence[Message], *, calls: CallsTold) -> list[dict[str, Any]]:
    """Translate a chat. Raises InvalidRequest for content that is no text."""
    if not messages:
        raise InvalidRequest(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an "
            "empty array instead.",
            param="messages",
            code="empty_array",
        )
    translated: list[dict[str, Any]] = []
    results: list[Result] = []
    made: dict[str, FunctionCall] = {}
    for position, message in enumerate(messages):
        text = _text_of(message.content, f"messages[{position}].content")
        if isinstance(message, (ToolMessage, FunctionMessage)) and calls != "template":
            results.append(Result(text, _call_answered(message, made)))
            continue
        if results:
            translated.append(told_results(results, calls))
            results = []
        if isinstance(message, AssistantMessage):
            made |= dict(calls_of(message))
        translated.append(_translated(message, text, calls))
    if results:
        translated.append(told_results(results, calls))
    return translated


def _translated(message: Message, text: str, calls: CallsTold) -> dict[str, Any]:
    if isinstance(message, (SystemMessage, DeveloperMessage)):
        return {"role": "system", "content": text}
    if isinstance(message, UserMessage):
        return {"role": "user", "content": text}
    if isinstance(message, AssistantMessage):
        return _assistant(message, text, calls)
    return _result(message, text)


def _call_answered(
    message: ToolMessage | FunctionMessage, made: dict[str, FunctionCall]
) -> FunctionCall | None:
    if isinstance(message, FunctionMessage):
        return made.get(LEGACY_ID, FunctionCall(message.name, ""))
    if message.tool_call_id in made:
        return made[message.tool_call_id]
    return FunctionCall(message.name, "") if message.name else None


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


def _assistant(message: AssistantMessage, text: str, calls: CallsTold) -> dict[str, Any]:
    text = text or message.refusal or ""
    made = calls_of(message)
    if made and calls == "template":
        told_calls = [
            {
                "id": identifier,
                "type": "function",
                "function": {"name": call.name, "arguments": as_json(call.arguments)},
            }
            for identifier, call in made
        ]
        return {"role": "assistant", "content": text, "tool_calls": told_calls}
    if made:
        told = told_calls_as_text([call for _, call in made], calls)
        text = f"{text}\n{told}" if text else told
    return {"role": "assistant", "content": text}


def _result(message: ToolMessage | FunctionMessage, text: str) -> dict[str, Any]:
    if isinstance(message, FunctionMessage):
        return {
            "role": "tool",
            "content": text,
            "name": message.name,
            "tool_call_id": LEGACY_ID,
        }
    result = {"role": "tool", "content": text, "tool_call_id": message.tool_call_id}
    return {**result, "name": message.name} if message.name else result

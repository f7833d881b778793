"""Reading answers of servers that are almost, but not quite, like OpenAI's.

Answers are decoded straight into typed structs. Only when that fails does one come here, to be
made into what it surely meant, and decoded once more.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import msgspec

from linarite.domain.errors import EngineFailed
from linarite.domain.usage import TOKENS_MAX

T = TypeVar("T")

_FINISH_REASONS = frozenset(("stop", "length", "tool_calls", "content_filter", "function_call"))
_FINISH_REASON_OF = {
    "max_tokens": "length",
    "model_length": "length",
    "tool_use": "tool_calls",
    "tool_call": "tool_calls",
    "safety": "content_filter",
}
"""words of other servers; what is not listed ("eos", "end_turn", "abort") means stop"""
_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
_DETAILS = ("prompt_tokens_details", "completion_tokens_details")


def decode_tidily(payload: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode an answer or a piece of one. Raises EngineFailed for what cannot be understood."""
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        tidied = _tidied(msgspec.json.decode(payload))
        return msgspec.convert(tidied, decoder.type, strict=False)
    except (msgspec.DecodeError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise EngineFailed(
            "The upstream of this deployment answered what cannot be understood."
        ) from error


def _tidied(answer: dict[str, Any]) -> dict[str, Any]:
    answer = _without_nulls(answer)
    answer["choices"] = [_tidied_choice(choice) for choice in answer.get("choices", [])]
    usage = answer.get("usage")
    if usage is not None:
        answer["usage"] = {
            **{name: _count(usage.get(name, 0)) for name in _COUNTS},
            **{name: _tidied_details(usage[name]) for name in _DETAILS if usage.get(name)},
        }
    return answer


def _tidied_details(details: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _count(value) if isinstance(value, int | float) else value
        for name, value in _without_nulls(details).items()
    }


def _count(value: Any) -> int:  # noqa: ANN401 - whatever the server wrote
    """Tokens; a number that none can be is the next that may be."""
    return min(max(int(value), 0), TOKENS_MAX)


def _tidied_choice(choice: dict[str, Any]) -> dict[str, Any]:
    choice = _without_nulls(choice)
    reason = choice.get("finish_reason")
    if reason is not None and reason not in _FINISH_REASONS:
        choice["finish_reason"] = _FINISH_REASON_OF.get(str(reason).lower(), "stop")
    for name in ("delta", "message"):
        if name in choice:
            choice[name] = _tidied_message(choice[name])
    return choice


def _tidied_message(message: dict[str, Any]) -> dict[str, Any]:
    message = _without_nulls(message)
    content = message.get("content")
    if isinstance(content, list):
        parts = cast("list[dict[str, Any]]", content)
        message["content"] = "".join(str(part.get("text", "")) for part in parts)
    calls: list[dict[str, Any]] = message.get("tool_calls", [])
    for call in calls:
        function: dict[str, Any] = call.get("function") or {}
        arguments = function.get("arguments")
        if arguments is not None and not isinstance(arguments, str):
            function["arguments"] = msgspec.json.encode(arguments).decode()
    return message


def _without_nulls(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}

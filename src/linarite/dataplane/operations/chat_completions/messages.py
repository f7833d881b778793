"""Checking a conversation: its length, its contents, and that calls and their results match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.dataplane.parts import checks
from linarite.domain.chat import AssistantMessage, ToolMessage
from linarite.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from linarite.domain.chat import Message, ToolCall

MESSAGES_MAX = 2048
MESSAGE_CHARACTERS_MAX = 1_048_576


def check_messages(messages: list[Message]) -> None:
    """Between 1 and 2,048, each of at most 1,048,576 characters, tool calls answered."""
    if not messages:
        raise checks.empty_array("messages")
    if len(messages) > MESSAGES_MAX:
        raise checks.too_long("messages", MESSAGES_MAX, len(messages))
    calls = False
    for at, message in enumerate(messages):
        content = message.content
        if isinstance(content, str):
            if len(content) > MESSAGE_CHARACTERS_MAX:
                raise checks.too_long(
                    f"messages[{at}].content", MESSAGE_CHARACTERS_MAX, len(content), "string"
                )
        elif content is None:
            _check_silence(at, message)
        elif not content:
            raise checks.empty_array(f"messages[{at}].content")
        if type(message) is ToolMessage or (
            type(message) is AssistantMessage and message.tool_calls
        ):
            calls = True
    if calls:
        check_calls_answered(messages)


def check_calls_answered(messages: list[Message]) -> None:
    """Every tool call has its result right behind it, and no result comes without its call.

    The service's own words; chat templates rely on it.
    """
    called: set[str] = set()
    unanswered: list[str] = []
    for at, message in enumerate(messages):
        if isinstance(message, ToolMessage):
            _check_result(at, message.tool_call_id, called)
            unanswered = [call for call in unanswered if call != message.tool_call_id]
            continue
        if unanswered:
            raise _unanswered(unanswered, f"messages.[{at}].role")
        calls = (message.tool_calls or []) if isinstance(message, AssistantMessage) else []
        _check_calls(at, calls)
        unanswered = [call.id for call in calls]
        called = set(unanswered)
    if unanswered:
        raise _unanswered(unanswered, "messages")


def _check_silence(at: int, message: Message) -> None:
    if not isinstance(message, AssistantMessage):
        raise InvalidRequest(
            f"Invalid value for 'content': expected a string, got null. (messages[{at}])",
            param=f"messages[{at}].content",
            code="invalid_type",
        )
    if not (message.tool_calls or message.function_call or message.refusal):
        raise InvalidRequest(
            f"Invalid 'messages[{at}]': an assistant message needs 'content', 'tool_calls' "
            "or 'function_call'.",
            param=f"messages[{at}].content",
            code="invalid_value",
        )


def _check_calls(at: int, calls: list[ToolCall]) -> None:
    for index, call in enumerate(calls):
        where = f"messages[{at}].tool_calls[{index}]"
        if call.function is None:
            raise InvalidRequest(
                f"Missing required parameter: '{where}.function'.",
                param=f"{where}.function",
                code="missing_required_parameter",
            )
        checks.check_nesting(f"{where}.custom", call.custom)


def _check_result(at: int, call: str, called: set[str]) -> None:
    if not called:
        raise InvalidRequest(
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
            "message with 'tool_calls'.",
            param=f"messages.[{at}].role",
        )
    if call not in called:
        raise InvalidRequest(
            f"Invalid parameter: 'tool_call_id' of '{call[:100]}' not found in 'tool_calls' of "
            "previous message.",
            param=f"messages.[{at}].tool_call_id",
        )


def _unanswered(calls: list[str], param: str) -> InvalidRequest:
    return InvalidRequest(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        "each 'tool_call_id'. The following tool_call_ids did not have response messages: "
        + ", ".join(calls)[:500],
        param=param,
    )

"""What a request says: its texts, the question in them, and how many tokens they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.chat import (
    AssistantMessage,
    FunctionMessage,
    RefusalPart,
    TextPart,
    ToolMessage,
    UserMessage,
)
from linarite.engines.simulator.tokens import count, least

if TYPE_CHECKING:
    from linarite.domain.chat import ChatAsk, Content, Message

TOKENS_PER_MESSAGE = 3
"""what each message costs besides its text"""

TOKENS_BEFORE_REPLY = 3
"""what the start of the reply costs"""

TOKENS_PER_MEDIUM = 85
"""what an image, a recording or a file costs, whatever its size"""

_QUESTION_CHARACTERS = 4_000

_GREETING = re.compile(r"\W*(?:hi|hello|hey|how are you|good (?:day|morning))\b", re.IGNORECASE)


def text_of(content: Content) -> str:
    """The text in a message's content; images and the like have none."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    pieces: list[str] = []
    for part in content:
        if isinstance(part, TextPart):
            pieces.append(part.text)
        elif isinstance(part, RefusalPart):
            pieces.append(part.refusal)
    return "\n".join(pieces)


def question_of(ask: ChatAsk) -> str:
    """The end of what the person said last: what a reply is about."""
    for message in reversed(ask.messages):
        if isinstance(message, UserMessage):
            return text_of(message.content)[-_QUESTION_CHARACTERS:]
    return ""


def is_greeting(question: str) -> bool:
    """Whether it starts as people start a conversation, not a task."""
    return bool(_GREETING.match(question))


def tool_results(ask: ChatAsk) -> list[str]:
    """What the tools answered at the very end of the conversation; empty when it ends otherwise."""
    results: list[str] = []
    for message in reversed(ask.messages):
        if not isinstance(message, ToolMessage | FunctionMessage):
            break
        results.append(text_of(message.content))
    return results[::-1]


def least_tokens(ask: ChatAsk) -> int:
    """How many tokens the messages have at least: counting a huge one would take seconds."""
    return least(sum(len(text_of(message.content)) for message in ask.messages))


def prompt_tokens(ask: ChatAsk) -> int:
    """Messages, tools and schema of a request, in tokens of the simulator's rule."""
    total = TOKENS_BEFORE_REPLY
    for message in ask.messages:
        total += TOKENS_PER_MESSAGE + _message_tokens(message)
    for declared in (ask.tools, ask.functions, ask.response_format):
        if declared is not None:
            total += count(msgspec.json.encode(declared).decode())
    return total


def _message_tokens(message: Message) -> int:
    content = message.content
    total = 0
    if isinstance(content, str):
        total = count(content)
    elif content:
        media = sum(not isinstance(part, TextPart | RefusalPart) for part in content)
        total = count(text_of(content)) + media * TOKENS_PER_MEDIUM
    if name := getattr(message, "name", None):
        total += count(name)
    if isinstance(message, AssistantMessage):
        for made in (message.tool_calls, message.function_call):
            if made is not None:
                total += count(msgspec.json.encode(made).decode())
    return total

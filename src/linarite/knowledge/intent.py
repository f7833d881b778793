"""What a question is about: the queries to search for, in view of what was said before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from linarite.domain.chat import AssistantMessage, TextPart, UserMessage
from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.chat import Content, Message
    from linarite.knowledge.asker import Asker, ChatAsking

QUERIES_DEFAULT = 3
"""where `max_search_queries` says nothing"""
QUERY_CHARACTERS_MAX = 2_000
REWRITTEN_CHARACTERS_MAX = 300
TURNS_MAX, TURN_CHARACTERS_MAX = 6, 1_000
"""of what was said before that is looked at"""
OK = 200
TASK = (
    "You write search queries. Read the conversation, then write what to search for in a "
    "collection of documents to answer the last question. Each query stands alone: replace words "
    "such as 'it' or 'there' by what they mean. Use the language of the question. Answer with JSON "
    'alone: {"queries": ["…"]}'
)
SCHEMA = {
    "type": "object",
    "properties": {"queries": {"type": "array", "items": {"type": "string"}}},
    "required": ["queries"],
    "additionalProperties": False,
}

log = structlog.get_logger("linarite.knowledge")


async def queries_of(
    messages: Sequence[Message], wanted: int | None, asker: Asker, ask: ChatAsking | None
) -> list[str]:
    """What to search for, at most `wanted` queries; none where no user has said anything.

    A question that follows others is put into words that stand alone by the deployment that is
    asked; without `ask`, or where that fails, it is searched for as it stands and together with
    the one before.
    """
    most = wanted or QUERIES_DEFAULT
    said = [text_of(each.content) for each in messages if isinstance(each, UserMessage)]
    said = [each.strip() for each in said if each.strip()]
    if not said:
        return []
    question = said[-1][-QUERY_CHARACTERS_MAX:]
    if len(said) == 1:
        return [question]
    written = await _written(messages, asker, ask) if ask is not None else []
    if not written:
        both = f"{said[-2]} {said[-1]}"[-QUERY_CHARACTERS_MAX:]
        written = [both]
    return list(dict.fromkeys([*written[: max(1, most - 1)], question]))[:most]


async def _written(messages: Sequence[Message], asker: Asker, ask: ChatAsking) -> list[str]:
    """The queries that the deployment writes; none where it does not."""
    told = "\n".join(_turns(messages))
    body = {
        "model": asker.deployment,
        "messages": [
            {"role": "system", "content": TASK},
            {"role": "user", "content": f"Conversation:\n{told}"},
        ],
        "temperature": 0,
        "max_tokens": 150,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "queries", "schema": SCHEMA, "strict": True},
        },
    }
    try:
        status, answer = await ask(asker, msgspec.json.encode(body))
        if status == OK:
            return _read(answer)
        log.info("search queries not written", status=status, deployment=asker.deployment)
    except LinariteError as problem:
        log.info("search queries not written", reason=problem.message)
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        log.info("search queries not written", reason="no JSON", deployment=asker.deployment)
    return []


def _read(answer: bytes) -> list[str]:
    content = msgspec.json.decode(answer)["choices"][0]["message"]["content"]
    written: Any = msgspec.json.decode(content)["queries"]
    texts = [each.strip() for each in written if isinstance(each, str)]
    return [each for each in texts if 0 < len(each) <= REWRITTEN_CHARACTERS_MAX]


def _turns(messages: Sequence[Message]) -> list[str]:
    """The last turns, as a text shows them."""
    turns = [each for each in messages if isinstance(each, UserMessage | AssistantMessage)]
    return [
        f"{'User' if isinstance(each, UserMessage) else 'Assistant'}: "
        f"{text_of(each.content)[:TURN_CHARACTERS_MAX]}"
        for each in turns[-TURNS_MAX:]
    ]


def text_of(content: Content) -> str:
    """The words of a message's content."""
    if content is None or isinstance(content, str):
        return content or ""
    return " ".join(each.text for each in content if isinstance(each, TextPart))

"""Writing an answer that rests on documents: `context` beside the role, in stream and body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.dataplane.operations.chat_completions.reply import ChatReply
from linarite.dataplane.parts.replies import encode
from linarite.domain.chat import ChatAsk, ChatChoice, ChatDelta, ChatEvent
from linarite.domain.data_source import ALL_RETRIEVED, CITATIONS, INTENT, NOT_FOUND
from linarite.domain.usage import usage_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from linarite.domain.data_source import Document, Retrieved

CONTEXTS_DEFAULT = (CITATIONS, INTENT)
ROLE = b'"role":"assistant"}'


class NothingFound(msgspec.Struct, frozen=True):
    """A question that no document answers: no model is asked."""

    ask: ChatAsk


class GroundedReply(ChatReply):
    """A chat answer with what it rests on."""

    _context = b"{}"

    def ground(self, ask: ChatAsk, context: dict[str, Any]) -> None:
        """What the model reads, and what is told of it; before any event."""
        self._ask, self._price = ask, None
        self._context = encode(context)

    def _opening(self, choice: ChatChoice) -> bytes:
        context = b'"context":%b,%b' % (self._context, ROLE)
        return super()._opening(choice).replace(ROLE, context, 1)

    def body(self) -> bytes:
        """The plain answer."""
        answer = msgspec.json.decode(super().body(), type=dict[str, Any])
        context = msgspec.Raw(self._context)
        for choice in answer["choices"]:
            choice["message"]["context"] = context
        return encode(answer)


async def polite(nothing: NothingFound) -> AsyncGenerator[ChatEvent, None]:
    """The answer where the documents say nothing, by no model: it has read and written nothing."""
    count = nothing.ask.n or 1
    delta = ChatDelta(role="assistant", content=NOT_FOUND)
    yield ChatEvent(choices=[ChatChoice(index=at, delta=delta) for at in range(count)])
    ends = [ChatChoice(index=at, finish_reason="stop") for at in range(count)]
    yield ChatEvent(choices=ends, usage=usage_of(0, 0))


def context_of(
    retrieved: Retrieved, queries: Sequence[str], included: Sequence[str] | None
) -> dict[str, Any]:
    """`context` as Azure has it; what is asked for of it, else citations and intent."""
    wanted = CONTEXTS_DEFAULT if included is None else included
    context: dict[str, Any] = {}
    if CITATIONS in wanted:
        context[CITATIONS] = [_citation(each) for each in retrieved.told]
    if INTENT in wanted:
        context[INTENT] = encode(queries).decode()
    if ALL_RETRIEVED in wanted:
        context[ALL_RETRIEVED] = [_retrieved(each) for each in retrieved.documents]
    return context


def _citation(document: Document) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "content": document.content,
        "title": document.title,
        "url": document.url,
        "filepath": document.filepath,
        "chunk_id": document.chunk_id,
    }
    if document.rerank_score is not None:
        shown["rerank_score"] = document.rerank_score
    return shown


def _retrieved(document: Document) -> dict[str, Any]:
    shown = _citation(document) | {
        "search_queries": list(document.queries),
        "data_source_index": 0,
        "original_search_score": document.score,
    }
    if document.filtered is not None:
        shown["filter_reason"] = document.filtered
    return shown

"""Writing a text completion: chunks of a stream, or the stream folded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.dataplane.parts.prompt_sizes import items_tokens
from linarite.dataplane.parts.replies import StreamedReply, encode
from linarite.domain.completion import CompletionLogprobs
from linarite.web.ids import new_object_id

if TYPE_CHECKING:
    from linarite.domain.completion import CompletionAsk, CompletionChoice, CompletionEvent
    from linarite.domain.facts import Deployment

_PROMPT = b'data: {"choices":[],"created":0,"id":"","model":"","object":"",'
"""what the service sends first where its filter looked at the prompt; clients know it"""


COMPLETION_TOKENS = 16


class CompletionReply(StreamedReply):
    """One text completion; a chunk and a plain answer are both `text_completion`."""

    def __init__(self, ask: CompletionAsk, deployment: Deployment) -> None:
        """Make the answer's id and read what the client wants to see."""
        super().__init__(
            new_object_id("cmpl-"),
            "text_completion",
            deployment,
            streamed=bool(ask.stream),
            options=ask.stream_options,
        )
        self._ask = ask
        self._folded: dict[int, FoldedText] = {}
        self._prompt_filter_results: list[Any] | None = None

    def frame(self, event: CompletionEvent) -> bytes:
        """The chunks of an event."""
        self._count(event)
        piece = b""
        if event.prompt_filter_results is not None:
            results = encode(event.prompt_filter_results)
            piece = _PROMPT + b'"prompt_filter_results":%b}\n\n' % results
        if not event.choices:
            return piece
        choices = encode([shown(choice) for choice in event.choices])
        return piece + self.chunk(choices, self._null_usage)

    def add(self, event: CompletionEvent) -> None:
        """Fold an event into the text of each choice."""
        self._count(event)
        if event.prompt_filter_results is not None:
            self._prompt_filter_results = event.prompt_filter_results
        for choice in event.choices:
            folded = self._folded.get(choice.index)
            if folded is None:
                folded = self._folded[choice.index] = FoldedText()
            folded.add(choice)

    def completion_bound(self) -> tuple[int | None, int]:
        """Of every choice that is made, shown or not; the service makes 16 tokens unless told."""
        ask = self._ask
        bound = COMPLETION_TOKENS if ask.max_tokens is None else ask.max_tokens
        return bound, max(ask.n or 1, ask.best_of or 1) * len(ask.prompts)

    def prompt_tokens(self) -> int:
        """Of all prompts, and of what is to stand behind the answer."""
        suffix = self._ask.suffix
        return items_tokens(self._ask.prompts if suffix is None else [*self._ask.prompts, suffix])

    def body(self) -> bytes:
        """The plain answer."""
        folded = sorted(self._folded.items())
        answer = self.whole(encode([text.render(index) for index, text in folded]))
        if self._prompt_filter_results is None:
            return answer
        return answer[:-1] + b',"prompt_filter_results":%b}' % encode(self._prompt_filter_results)

    def _count(self, event: CompletionEvent) -> None:
        if event.usage is not None:
            self.counted = event.usage
        elif any(choice.text for choice in event.choices):
            self.pieces += 1


def shown(choice: CompletionChoice) -> dict[str, Any]:
    """A choice with every field, and what a content filter said about it."""
    told: dict[str, Any] = {
        "finish_reason": choice.finish_reason,
        "index": choice.index,
        "logprobs": choice.logprobs,
        "text": choice.text,
    }
    if choice.content_filter_results is not None:
        told["content_filter_results"] = choice.content_filter_results
    if choice.content_filter_offsets is not None:
        told["content_filter_offsets"] = choice.content_filter_offsets
    return told


class FoldedText:
    """A choice as it grows."""

    def __init__(self) -> None:
        """Start with nothing said."""
        self._text: list[str] = []
        self._logprobs: list[CompletionLogprobs] = []
        self._finish: str | None = None
        self._filter: dict[str, Any] | None = None

    def add(self, choice: CompletionChoice) -> None:
        """Append what is new."""
        self._text.append(choice.text)
        if choice.logprobs is not None:
            self._logprobs.append(choice.logprobs)
        self._finish = choice.finish_reason or self._finish
        if choice.content_filter_results is not None:
            self._filter = {**(self._filter or {}), **choice.content_filter_results}

    def render(self, index: int) -> dict[str, Any]:
        """The choice as a plain answer shows it."""
        annotated = {} if self._filter is None else {"content_filter_results": self._filter}
        return annotated | {
            "finish_reason": self._finish,
            "index": index,
            "logprobs": joined(self._logprobs),
            "text": "".join(self._text),
        }


def joined(pieces: list[CompletionLogprobs]) -> CompletionLogprobs | None:
    """The parallel lists, one after the other; None when there are none."""
    if not pieces:
        return None
    with_top = any(piece.top_logprobs is not None for piece in pieces)
    return CompletionLogprobs(
        tokens=[token for piece in pieces for token in piece.tokens],
        token_logprobs=[value for piece in pieces for value in piece.token_logprobs],
        top_logprobs=[top for piece in pieces for top in tops(piece)] if with_top else None,
        text_offset=[offset for piece in pieces for offset in piece.text_offset],
    )


def tops(piece: CompletionLogprobs) -> list[dict[str, float] | None]:
    """A piece's alternatives, one entry a token even where it has none: the lists stay parallel."""
    return piece.top_logprobs if piece.top_logprobs is not None else [None] * len(piece.tokens)

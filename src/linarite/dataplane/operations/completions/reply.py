"""Writing a text completion: chunks of a stream, or the stream folded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.dataplane.parts.replies import CHARACTERS_PER_TOKEN, StreamedReply, encode
from linarite.domain.completion import CompletionLogprobs
from linarite.web.ids import new_object_id

if TYPE_CHECKING:
    from linarite.domain.completion import CompletionAsk, CompletionChoice, CompletionEvent
    from linarite.domain.facts import Deployment


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

    def frame(self, event: CompletionEvent) -> bytes:
        """The chunks of an event."""
        self._count(event)
        if not event.choices:
            return b""
        return self.chunk(encode([shown(choice) for choice in event.choices]), self._null_usage)

    def add(self, event: CompletionEvent) -> None:
        """Fold an event into the text of each choice."""
        self._count(event)
        for choice in event.choices:
            folded = self._folded.get(choice.index)
            if folded is None:
                folded = self._folded[choice.index] = FoldedText()
            folded.add(choice)

    def prompt_characters(self) -> int:
        """How much text the prompts hold; a token id counts as much as a token's text."""
        return sum(
            len(prompt) if isinstance(prompt, str) else len(prompt) * CHARACTERS_PER_TOKEN
            for prompt in self._ask.prompts
        )

    def body(self) -> bytes:
        """The plain answer."""
        folded = sorted(self._folded.items())
        return self.whole(encode([text.render(index) for index, text in folded]))

    def _count(self, event: CompletionEvent) -> None:
        if event.usage is not None:
            self.counted = event.usage
        elif any(choice.text for choice in event.choices):
            self.pieces += 1


def shown(choice: CompletionChoice) -> dict[str, Any]:
    """A choice with every field."""
    return {
        "finish_reason": choice.finish_reason,
        "index": choice.index,
        "logprobs": choice.logprobs,
        "text": choice.text,
    }


class FoldedText:
    """A choice as it grows."""

    def __init__(self) -> None:
        """Start with nothing said."""
        self._text: list[str] = []
        self._logprobs: list[CompletionLogprobs] = []
        self._finish: str | None = None

    def add(self, choice: CompletionChoice) -> None:
        """Append what is new."""
        self._text.append(choice.text)
        if choice.logprobs is not None:
            self._logprobs.append(choice.logprobs)
        self._finish = choice.finish_reason or self._finish

    def render(self, index: int) -> dict[str, Any]:
        """The choice as a plain answer shows it."""
        return {
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

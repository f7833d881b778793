"""The part of the engine port that answers, which sources of answers share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatAsk, ChatEvent
    from linarite.domain.completion import CompletionAsk, CompletionEvent
    from linarite.domain.embedding import EmbeddingAsk, EmbeddingEvent


class Answers(Protocol):
    """A source of answers: the simulator's own, a folder, or any engine; errors as there."""

    def chat(self, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        """Answer a chat."""
        ...

    def complete(self, ask: CompletionAsk) -> AsyncGenerator[CompletionEvent, None]:
        """Continue prompts."""
        ...

    async def embed(self, ask: EmbeddingAsk) -> EmbeddingEvent:
        """Turn inputs into vectors."""
        ...

"""Answers made up by the simulator itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from linarite.domain.embedding import EmbeddingEvent
from linarite.domain.errors import ContextLengthExceeded, InvalidRequest
from linarite.domain.usage import usage_of
from linarite.engines.simulator import chat_steps, completion_steps
from linarite.engines.simulator.dice import Dice
from linarite.engines.simulator.embedding import Embedder
from linarite.engines.simulator.prompt import least_tokens, prompt_tokens
from linarite.engines.simulator.reply import Speaker, reply_to
from linarite.engines.simulator.steps import Pace, unpaced
from linarite.engines.simulator.tokens import count, least

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatAsk, ChatEvent
    from linarite.domain.completion import CompletionAsk, CompletionEvent
    from linarite.domain.embedding import EmbeddingAsk
    from linarite.engines.simulator.options import SimulatorOptions
    from linarite.engines.simulator.steps import EventT, Steps, Waits

_TOKENS_BETWEEN_BREATHS = 1_000
"""tokens embedded before other tasks get a turn: some milliseconds"""
_TOKENS_OF_A_VECTOR = 100
"""what a vector costs however short its text is"""


class SyntheticAnswers:
    """Seeded texts, calls, JSON and vectors, at the pace that options set."""

    def __init__(self, options: SimulatorOptions, model: str, waits: Waits) -> None:
        self._options = options
        self._waits = waits
        self._speaker = Speaker(options.seed, model, options.reply_tokens)
        self._embedder = Embedder(options.seed, model, options.embedding_dimensions)
        self._requests = 0

    async def chat(self, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        """Answer a chat."""
        limit = self._options.context_tokens
        _require_room_for(limit, least_tokens(ask))
        prompted = prompt_tokens(ask)
        asked = ask.completion_tokens_max
        _require_room(limit, prompted, asked)
        tokens_max = limit - prompted if asked is None else asked
        replies = [reply_to(ask, self._speaker, at, tokens_max) for at in range(ask.n or 1)]
        logprobs = self._likelihoods(ask, len(replies)) if ask.logprobs else None
        tell = chat_steps.streamed if ask.stream else chat_steps.whole
        async for event in self._timed(tell(replies, prompted, logprobs)):
            yield event

    async def complete(self, ask: CompletionAsk) -> AsyncGenerator[CompletionEvent, None]:
        """Continue prompts."""
        asked = completion_steps.TOKENS_MAX_DEFAULT if ask.max_tokens is None else ask.max_tokens
        for prompt in ask.prompts:
            if isinstance(prompt, str):
                _require_room_for(self._options.context_tokens, least(len(prompt)))
            pieces = completion_steps.prompt_pieces(prompt)
            _require_room(self._options.context_tokens, len(pieces), asked)
        choices, usage = completion_steps.continuations(ask, self._speaker)
        tell = completion_steps.streamed if ask.stream else completion_steps.whole
        async for event in self._timed(tell(ask, choices, usage)):
            yield event

    async def embed(self, ask: EmbeddingAsk) -> EmbeddingEvent:
        """Turn inputs into vectors."""
        whole = self._options.embedding_dimensions
        dimensions = ask.dimensions or whole
        if dimensions > whole:
            raise InvalidRequest(
                f"'dimensions' is {dimensions}, but vectors of this model have {whole}.",
                param="dimensions",
            )
        tokens = unbroken = 0
        vectors: list[bytes] = []
        for text in ask.inputs:
            if isinstance(text, str):
                _require_room_for(self._options.context_tokens, least(len(text)))
            length = count(text) if isinstance(text, str) else len(text)
            _require_room(self._options.context_tokens, length, None)
            tokens += length
            vectors.append(self._embedder.vector(text, dimensions))
            unbroken += length + _TOKENS_OF_A_VECTOR
            if unbroken >= _TOKENS_BETWEEN_BREATHS:
                unbroken = 0
                await asyncio.sleep(0)
        event = EmbeddingEvent(vectors, usage_of(tokens, 0))
        async for timed in self._timed(iter([(0, event)])):
            event = timed
        return event

    def _timed(self, steps: Steps[EventT]) -> AsyncGenerator[EventT, None]:
        self._requests += 1
        pace = Pace(self._options, self._waits, self._requests)
        return pace.paced(steps) if pace.waits_at_all else unpaced(steps)

    def _likelihoods(self, ask: ChatAsk, choices: int) -> chat_steps.Likelihoods:
        seed = (self._speaker.seed, self._speaker.model, ask.seed, prompt_tokens(ask))
        draws = [Dice(*seed, "likelihood", at) for at in range(choices)]
        return chat_steps.Likelihoods(ask.top_logprobs or 0, draws)


def _require_room(limit: int, prompted: int, asked: int | None) -> None:
    """Raises ContextLengthExceeded where prompt and reply do not fit; a reply has one token."""
    if prompted + (1 if asked is None else asked) > limit:
        raise ContextLengthExceeded(limit, prompted, asked or 0)


def _require_room_for(limit: int, least_prompted: int) -> None:
    """The same before anything is counted."""
    if least_prompted > limit:
        raise ContextLengthExceeded(limit, least_prompted, at_least=True)

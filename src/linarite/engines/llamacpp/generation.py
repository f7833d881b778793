"""One reply of the model, step by step, whichever of the engine's endpoints it comes from."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from linarite.domain.errors import ContextLengthExceeded, EngineFailed
from linarite.engines.llamacpp.wire import ChatChunk, CompletionChunk, TokenProbability

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from linarite.engines.llamacpp.socket_client import EngineError, SocketClient

Finish = Literal["stop", "length"]
_NONE: list[TokenProbability] = []


class Step(NamedTuple):
    """What one event says; a count is None when it says nothing about it."""

    text: str = ""
    reasoning: str = ""
    probabilities: list[TokenProbability] = _NONE
    finish: Finish | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    error: EngineError | None = None


class Endpoint(NamedTuple):
    """Where a reply comes from, and how its events are read."""

    path: str
    read: Callable[[bytes], Step]


class Generation:
    """One reply. Iterate `steps` once; the counts are as far as the steps have come."""

    def __init__(self, client: SocketClient, endpoint: Endpoint, body: dict[str, Any]) -> None:
        self._client = client
        self._endpoint = endpoint
        self._body = body
        self.prompt_tokens = 0
        self.cached_tokens = 0
        self.completion_tokens = 0
        self.thinking = False
        """the prompt ends with the beginning of a thought"""
        self.finish: Finish = "stop"

    async def steps(self, context_tokens: int, tokens_max: int) -> AsyncGenerator[Step, None]:
        """Yield every step that has text, reasoning or probabilities.

        Raises ContextLengthExceeded before the first when prompt and `tokens_max` (0: whatever
        fits) exceed `context_tokens`; EngineRefusal; EngineFailed; HttpClientError.
        """
        events = self._client.stream(self._endpoint.path, self._body)
        finished = False
        async with aclosing(events):
            async for event in events:
                step = self._read(event)
                if step.error is not None:
                    raise EngineFailed("The engine broke off while answering.")
                if step.prompt_tokens is not None and not self.prompt_tokens:
                    self.prompt_tokens = step.prompt_tokens
                    if step.prompt_tokens + tokens_max > context_tokens:
                        raise ContextLengthExceeded(context_tokens, step.prompt_tokens, tokens_max)
                self._count(step)
                finished = finished or step.finish is not None
                if step.text or step.probabilities or step.reasoning:
                    yield step
        if not finished:
            raise EngineFailed("The engine ended its answer before it was complete.")

    def _read(self, event: bytes) -> Step:
        try:
            return self._endpoint.read(event)
        except msgspec.MsgspecError as error:
            raise EngineFailed("The engine gave an answer that cannot be read.") from error

    def _count(self, step: Step) -> None:
        if step.finish is not None:
            self.finish = step.finish
        if step.cached_tokens is not None:
            self.cached_tokens = step.cached_tokens
        if step.completion_tokens is not None:
            self.completion_tokens = step.completion_tokens
        elif step.text or step.reasoning:
            # Chat events do not count, but for the last: most bring one token, some more.
            self.completion_tokens += 1


def _finish_of(reason: str) -> Finish:
    return "length" if reason in {"limit", "length"} else "stop"


def _read_completion(event: bytes) -> Step:
    chunk = _COMPLETION.decode(event)
    if chunk.prompt_progress is not None:
        progress = chunk.prompt_progress
        return Step(prompt_tokens=progress.total, cached_tokens=progress.cache)
    return Step(
        text=chunk.content,
        probabilities=chunk.completion_probabilities,
        finish=_finish_of(chunk.stop_type) if chunk.stop else None,
        prompt_tokens=chunk.tokens_evaluated,
        completion_tokens=chunk.tokens_predicted,
        cached_tokens=chunk.timings.cache_n if chunk.timings else None,
        error=chunk.error,
    )


def _read_chat(event: bytes) -> Step:
    chunk = _CHAT.decode(event)
    if chunk.prompt_progress is not None:
        progress = chunk.prompt_progress
        return Step(prompt_tokens=progress.total, cached_tokens=progress.cache)
    if chunk.usage is not None:
        usage = chunk.usage
        return Step(
            prompt_tokens=usage.prompt_tokens,
            cached_tokens=usage.prompt_tokens_details.cached_tokens,
            completion_tokens=usage.completion_tokens,
        )
    if not chunk.choices:
        return Step(error=chunk.error)
    choice = chunk.choices[0]
    return Step(
        text=choice.delta.content or "",
        reasoning=choice.delta.reasoning_content or "",
        probabilities=(choice.logprobs and choice.logprobs.content) or _NONE,
        finish=_finish_of(choice.finish_reason) if choice.finish_reason else None,
    )


_COMPLETION = msgspec.json.Decoder(CompletionChunk)
_CHAT = msgspec.json.Decoder(ChatChunk)

COMPLETION = Endpoint("/completion", _read_completion)
CHAT = Endpoint("/v1/chat/completions", _read_chat)

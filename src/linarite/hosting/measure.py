"""Trying an instance out: one answer to warm it up, then a short load to see what it can do."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from time import perf_counter
from typing import TYPE_CHECKING

from linarite.domain.chat import ChatAsk, UserMessage
from linarite.domain.completion import CompletionAsk
from linarite.domain.embedding import EmbeddingAsk
from linarite.domain.jobs import now
from linarite.domain.placement import Measured

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatEvent
    from linarite.domain.completion import CompletionEvent
    from linarite.domain.engine import Slot
    from linarite.hosting.host import Host

AT_ONCE_MAX = 8
REPLY_TOKENS = 24
VECTORS_EACH = 4
_TEXT = "Describe a harbour in the morning, from the first boat to the last crate."


async def answer_once(host: Host, instance: str) -> None:
    """Have the instance answer one request of the kind that it takes."""
    async with host.slot(instance) as slot:
        await _ask(slot, 1)


async def measure(host: Host, instance: str) -> Measured:
    """Load the instance for a moment, through its queue like everybody else."""
    async with host.slot(instance) as slot:
        parallel = min(AT_ONCE_MAX, slot.capabilities.parallel_requests)
        first_token_s, _ = await _ask(slot, 1)
    began = perf_counter()
    counts = await asyncio.gather(*(_one_of_many(host, instance) for _ in range(parallel)))
    took_s = max(perf_counter() - began, 1e-6)
    return Measured(
        tokens_per_second=round(sum(counts) / took_s, 1),
        parallel_requests=parallel,
        first_token_ms=round(first_token_s * 1000, 1),
        at=now(),
    )


async def _one_of_many(host: Host, instance: str) -> int:
    async with host.slot(instance) as slot:
        _, tokens = await _ask(slot, REPLY_TOKENS)
        return tokens


async def _ask(slot: Slot, tokens: int) -> tuple[float, int]:
    """Seconds to the first event, and tokens generated (for vectors: read)."""
    able = slot.capabilities
    began = perf_counter()
    if able.chat_completion:
        message = UserMessage(content=_TEXT)
        ask = ChatAsk(messages=[message], max_tokens=tokens, temperature=0.0, stream=True)
        return await _until_its_end(slot.engine.chat(ask), began)
    if able.completion:
        prompt = CompletionAsk(prompt=_TEXT, max_tokens=tokens, temperature=0.0, stream=True)
        return await _until_its_end(slot.engine.complete(prompt), began)
    texts = [_TEXT] * (1 if tokens == 1 else VECTORS_EACH)
    event = await slot.engine.embed(EmbeddingAsk(input=list(texts)))
    return perf_counter() - began, event.usage.prompt_tokens if event.usage else 0


async def _until_its_end(
    events: AsyncGenerator[ChatEvent | CompletionEvent, None], began: float
) -> tuple[float, int]:
    first_s: float | None = None
    tokens = 0
    async with aclosing(events):
        async for event in events:
            if first_s is None:
                first_s = perf_counter() - began
            if event.usage is not None:
                tokens = event.usage.completion_tokens
    return first_s or 0.0, tokens

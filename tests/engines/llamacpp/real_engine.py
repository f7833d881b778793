"""Engines on the small real model, and requests to them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.chat import ChatAsk, ChatEvent
from linarite.domain.completion import CompletionAsk, CompletionEvent
from linarite.domain.engine import InstanceSpec, Surroundings
from linarite.engines.llamacpp.engine import LlamacppEngine
from tests.engines.no_dialer import NoDialer
from tests.model_home import model_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SMALL_MODEL = "smollm2-135m-instruct"
# The machine is shared with other tests: threads that spin would wait for each other for ever.
CALM = {"wait_policy": "passive", "context_tokens": 1_024, "parallel_requests": 2}


def engine_on(model_path: str | None, scratch: Path, **options: object) -> LlamacppEngine:
    """An engine that is not started yet."""
    spec = InstanceSpec(
        "test", "llamacpp", "small", model_path=model_path, options={**CALM, **options}
    )
    return LlamacppEngine(spec, Surroundings(scratch, NoDialer(), threads=2))


@asynccontextmanager
async def running(scratch: Path, **options: object) -> AsyncIterator[LlamacppEngine]:
    """A started engine on the small model, stopped at the end."""
    engine = engine_on(str(model_file(SMALL_MODEL)), scratch, **options)
    await engine.start(lambda _share, _what: None)
    try:
        yield engine
    finally:
        await engine.stop(0)


def chat_ask(text: str, **fields: object) -> ChatAsk:
    """A chat of one message."""
    return msgspec.convert({"messages": [{"role": "user", "content": text}], **fields}, ChatAsk)


def completion_ask(prompt: object, **fields: object) -> CompletionAsk:
    """A completion."""
    return msgspec.convert({"prompt": prompt, **fields}, CompletionAsk)


async def chat_text(engine: LlamacppEngine, ask: ChatAsk) -> list[str]:
    """The text of each choice."""
    texts: dict[int, str] = {}
    event: ChatEvent
    async for event in engine.chat(ask):
        for choice in event.choices:
            texts[choice.index] = texts.get(choice.index, "") + (choice.delta.content or "")
    return [texts[index] for index in sorted(texts)]


async def completion_text(engine: LlamacppEngine, ask: CompletionAsk) -> list[str]:
    """The text of each choice."""
    texts: dict[int, str] = {}
    event: CompletionEvent
    async for event in engine.complete(ask):
        for choice in event.choices:
            texts[choice.index] = texts.get(choice.index, "") + choice.text
    return [texts[index] for index in sorted(texts)]

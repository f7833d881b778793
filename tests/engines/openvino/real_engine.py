"""Engines on the small real model, and requests to them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.chat import ChatAsk
from linarite.domain.engine import InstanceSpec, Surroundings
from linarite.engines.openvino.engine import OpenvinoEngine
from tests.engines.no_dialer import NoDialer
from tests.model_home import model_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SMALL_MODEL = "smollm2-135m-instruct"


def engine_on(model_path: str | None, scratch: Path, **options: object) -> OpenvinoEngine:
    """An engine that is not started yet."""
    given = {"context_tokens": 1_024, "parallel_requests": 4, **options}
    spec = InstanceSpec("test", "openvino", "small", model_path=model_path, options=given)
    return OpenvinoEngine(spec, Surroundings(scratch, NoDialer(), threads=2))


@asynccontextmanager
async def running(
    scratch: Path, model: str = SMALL_MODEL, **options: object
) -> AsyncIterator[OpenvinoEngine]:
    """A started engine, stopped at the end."""
    engine = engine_on(str(model_file(model)), scratch, **options)
    await engine.start(lambda _share, _what: None)
    try:
        yield engine
    finally:
        await engine.stop(0)


def chat_ask(text: str, **fields: object) -> ChatAsk:
    """A chat of one message, greedy."""
    messages = [{"role": "user", "content": text}]
    return msgspec.convert({"messages": messages, "temperature": 0, **fields}, ChatAsk)


async def chat_text(engine: OpenvinoEngine, ask: ChatAsk) -> str:
    """The text of the one choice."""
    return "".join(
        [choice.delta.content or "" async for event in engine.chat(ask) for choice in event.choices]
    )


async def prompt_tokens(engine: OpenvinoEngine, ask: ChatAsk) -> int:
    """How many tokens a chat's prompt has."""
    counts = [event.usage async for event in engine.chat(ask)]
    assert counts[-1] is not None
    return counts[-1].prompt_tokens

"""Counts while a reply is generated: what an answer that breaks off has used."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from tests.engines.llamacpp.real_engine import chat_ask, completion_ask

if TYPE_CHECKING:
    from linarite.domain.usage import Usage
    from linarite.engines.llamacpp.engine import LlamacppEngine

pytestmark = [pytest.mark.anyio, pytest.mark.real_model]

TOOLS = [{"type": "function", "function": {"name": "get_time"}}]
NO_END = {"logit_bias": {"0": -100, "2": -100}}


async def counts(events: Any) -> list[Usage]:  # noqa: ANN401 - of chats or completions
    """The counts of each event; every event has some."""
    seen: list[Usage] = []
    async with aclosing(events):
        async for event in events:
            assert event.usage is not None
            seen.append(event.usage)
    return seen


@pytest.mark.parametrize("more", [{}, {"n": 2}, {"tools": TOOLS}], ids=["one", "two", "tools"])
async def test_a_chat_counts_as_it_goes(engine: LlamacppEngine, more: dict[str, Any]) -> None:
    """The prompt's tokens come with the first event, and each token of the reply when it comes."""
    ask = chat_ask("Count to a hundred.", stream=True, max_tokens=12, **NO_END, **more)
    seen = await counts(engine.chat(ask))
    assert {usage.prompt_tokens for usage in seen if more.get("n") != 2} <= {seen[-1].prompt_tokens}
    assert seen[0].prompt_tokens > 0
    assert 0 < seen[0].completion_tokens < seen[-1].completion_tokens
    assert seen[-1].completion_tokens == 12 * more.get("n", 1)
    grown = [usage.completion_tokens for usage in seen]
    assert grown == sorted(grown)


async def test_a_completion_counts_as_it_goes(engine: LlamacppEngine) -> None:
    """All prompts and choices of a request together."""
    ask = completion_ask(["1 2 3", "a b c d"], n=2, stream=True, max_tokens=6, **NO_END)
    seen = await counts(engine.complete(ask))
    grown = [usage.completion_tokens for usage in seen]
    assert grown == sorted(grown)
    assert grown[0] < grown[-1] == 2 * 2 * 6
    whole = await counts(engine.complete(completion_ask(["1 2 3", "a b c d"], max_tokens=1)))
    assert seen[-1].prompt_tokens == whole[-1].prompt_tokens > seen[0].prompt_tokens > 0


async def test_what_was_cached_is_known_from_the_beginning(engine: LlamacppEngine) -> None:
    """A prompt that was computed before is told as cached with the first event."""
    text = "Say which of these numbers is the largest: 1, 2, 3, 4, 5, 6, 7, 8."
    await counts(engine.chat(chat_ask(text, max_tokens=2)))
    seen = await counts(engine.chat(chat_ask(text, stream=True, max_tokens=4)))
    assert seen[0].cached_tokens == seen[-1].cached_tokens > 0


@pytest.mark.parametrize("kind", ["chat", "completion"])
async def test_a_plain_answer_that_breaks_off_has_been_counted(
    engine: LlamacppEngine, kind: str
) -> None:
    """Whoever stops listening to it knows what it has used up to then."""
    if kind == "chat":
        events: Any = engine.chat(chat_ask("Count to a hundred.", max_tokens=200, **NO_END))
    else:
        events = engine.complete(completion_ask("1 2 3", max_tokens=200, **NO_END))
    last: Usage | None = None
    async with aclosing(events):
        async for event in events:
            last = event.usage
            if last is not None and last.completion_tokens >= 3:
                break
    assert last is not None
    assert last.prompt_tokens > 0
    assert 3 <= last.completion_tokens < 200

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from tests.engines.llamacpp.real_engine import chat_ask, chat_text, completion_ask, running

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.engines.llamacpp.engine import LlamacppEngine

pytestmark = [pytest.mark.anyio, pytest.mark.real_model]

FREED_S = 20.0
"""far more than the second that is promised, for machines that do much else"""
NO_END = {"logit_bias": {"0": -100, "2": -100}}
"""the tokens that end a reply never come"""


async def until_slots(engine: LlamacppEngine, busy: int) -> None:
    """Return once as many slots work, as the engine itself says."""
    async with asyncio.timeout(FREED_S):
        while await engine.busy_slots() != busy:  # noqa: ASYNC110 - the engine tells when asked
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("n", [1, 2])
async def test_leaving_a_chat_frees_its_slots(engine: LlamacppEngine, n: int) -> None:
    """Every choice of a chat whose reader left ends in the engine."""
    async with aclosing(engine.chat(chat_ask("Count.", stream=True, n=n, **NO_END))) as events:
        for _ in range(8):
            await anext(events)
        await until_slots(engine, n)
    await until_slots(engine, 0)


async def test_leaving_a_chat_with_tools_frees_its_slot(engine: LlamacppEngine) -> None:
    """These replies come by another way."""
    tools = [{"type": "function", "function": {"name": "get_time"}}]
    ask = chat_ask("Tell a story.", stream=True, tools=tools, **NO_END)
    async with aclosing(engine.chat(ask)) as events:
        await anext(events)
        await until_slots(engine, 1)
    await until_slots(engine, 0)


async def test_leaving_a_completion_frees_its_slot(engine: LlamacppEngine) -> None:
    """The same for completions."""
    async with aclosing(
        engine.complete(completion_ask("1", stream=True, max_tokens=900))
    ) as events:
        await anext(events)
        await until_slots(engine, 1)
    await until_slots(engine, 0)


@pytest.mark.parametrize("kind", ["chat", "completion"])
async def test_cancelling_what_is_not_streamed_frees_its_slot(
    engine: LlamacppEngine, kind: str
) -> None:
    """Although the caller would have got nothing before the end."""
    if kind == "chat":
        events = engine.chat(chat_ask("Count.", **NO_END))
    else:
        events = engine.complete(completion_ask("1 2", max_tokens=900, logit_bias={"0": -100}))
    waiting = asyncio.ensure_future(anext(events))
    await until_slots(engine, 1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await events.aclose()
    await until_slots(engine, 0)


async def test_leaving_while_the_prompt_is_computed_frees_the_slot(scratch: Path) -> None:
    """Within a batch of the prompt, not at its end."""
    async with running(scratch, prompt_batch_tokens=16) as engine:
        words = " ".join(str(number) for number in range(100, 250))
        task = asyncio.ensure_future(chat_text(engine, chat_ask(words, max_tokens=1, stream=True)))
        await until_slots(engine, 1)
        whole_s = asyncio.get_running_loop().time()
        await task
        whole_s = asyncio.get_running_loop().time() - whole_s
        # Another beginning, so that nothing of it is found in the cache.
        again = chat_ask("x " + words, max_tokens=1, stream=True)
        task = asyncio.ensure_future(chat_text(engine, again))
        await until_slots(engine, 1)
        left_at = asyncio.get_running_loop().time()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await until_slots(engine, 0)
        freed_s = asyncio.get_running_loop().time() - left_at
    # Had it gone on to the end, it would have taken as long as before.
    assert freed_s < whole_s / 2


async def test_leaving_while_waiting_for_a_slot(engine: LlamacppEngine) -> None:
    """A request that never began leaves no trace either, and the next one is served."""
    async with aclosing(engine.chat(chat_ask("Count.", stream=True, n=2, **NO_END))) as events:
        for _ in range(8):
            await anext(events)
        waiting = asyncio.ensure_future(chat_text(engine, chat_ask("Hello", **NO_END)))
        await until_slots(engine, 2)
        await asyncio.sleep(0.1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    await until_slots(engine, 0)
    assert await chat_text(engine, chat_ask("Hello", max_tokens=4))


async def test_many_leave_at_once(engine: LlamacppEngine) -> None:
    """No connection, slot or thread of the engine is lost on the way."""
    for _ in range(3):
        tasks = [
            asyncio.ensure_future(chat_text(engine, chat_ask(f"Count {number}.", **NO_END)))
            for number in range(20)
        ]
        await until_slots(engine, 2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await until_slots(engine, 0)
    assert await chat_text(engine, chat_ask("Hello", max_tokens=4))

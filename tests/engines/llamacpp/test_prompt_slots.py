"""Accounts on one instance: what was computed for one is never used for another."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from linarite.domain.engine import ON_BEHALF_OF
from linarite.engines.llamacpp.prompt_slots import PromptSlots
from tests.engines.llamacpp.real_engine import chat_ask, completion_ask, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from linarite.engines.llamacpp.engine import LlamacppEngine

pytestmark = pytest.mark.anyio

LONG = "Say which of these numbers is the largest: " + ", ".join(map(str, range(40)))


@asynccontextmanager
async def use(slots: PromptSlots, account: str, prompt: str) -> AsyncIterator[dict[str, Any]]:
    """Hold a slot for a prompt."""
    async with slots.held(account, {"prompt": prompt}) as placed:
        yield placed


async def used(slots: PromptSlots, account: str, prompt: str) -> dict[str, Any]:
    """Take a slot and give it back."""
    async with use(slots, account, prompt) as placed:
        return placed


async def test_one_account_leaves_the_choice_to_the_engine() -> None:
    """It finds the most; what nobody stands behind makes no second account."""
    slots = PromptSlots(2)
    for account in ("", "a", "a", "", "a"):
        assert await used(slots, account, "hello") == {}


async def test_from_the_second_account_on_slots_are_told() -> None:
    """Who takes another's slot computes everything; who takes its own need not."""
    slots = PromptSlots(2)
    await used(slots, "a", "hello")
    assert await used(slots, "b", "hello") == {"id_slot": 0, "cache_prompt": False}
    assert await used(slots, "b", "hello there") == {"id_slot": 0}
    assert await used(slots, "a", "hello") == {"id_slot": 1}
    assert await used(slots, "c", "hello") == {"id_slot": 0, "cache_prompt": False}
    assert await used(slots, "b", "hello") == {"id_slot": 1, "cache_prompt": False}
    assert await used(slots, "", "hello") == {"id_slot": 0, "cache_prompt": False}


async def test_an_account_finds_its_own_conversations_again() -> None:
    """The slot with the most alike prompt, not just any of its own."""
    slots = PromptSlots(3)
    await used(slots, "b", "x")
    await used(slots, "a", "about cats: 1")
    await used(slots, "a", "dogs, then: 1")
    assert (await used(slots, "a", "about cats: 1 2 3"))["id_slot"] == 0
    assert (await used(slots, "a", "dogs, then: 1 2"))["id_slot"] == 1
    assert (await used(slots, "a", "fish"))["id_slot"] == 2


async def test_a_newcomer_waits_for_replies_that_the_engine_places() -> None:
    """Else one of these could be put where the newcomer's prompt lies."""
    slots = PromptSlots(3)
    first = use(slots, "a", "hello")
    await first.__aenter__()
    coming = asyncio.create_task(used(slots, "b", "hello"))
    also = asyncio.create_task(used(slots, "a", "hello"))
    done, _ = await asyncio.wait({coming, also}, timeout=0.05)
    assert not done
    await first.__aexit__(None, None, None)
    assert "id_slot" in await coming
    assert "id_slot" in await also


async def test_a_slot_that_was_waited_for_in_vain_is_free_again() -> None:
    """Who leaves takes nothing along."""
    slots = PromptSlots(1)
    await used(slots, "a", "x")
    async with use(slots, "b", "x"):
        waiting = asyncio.create_task(used(slots, "a", "x"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert await used(slots, "a", "x") == {"id_slot": 0, "cache_prompt": False}


async def cached(engine: LlamacppEngine, account: str, ask: Any) -> int:  # noqa: ANN401 - either kind
    """The tokens of the prompt that the engine says it had already."""
    ON_BEHALF_OF.set(account)
    found = 0
    events = engine.chat(ask) if hasattr(ask, "messages") else engine.complete(ask)
    async with aclosing(events) as told:
        async for event in told:
            assert event.usage is not None
            found = event.usage.cached_tokens
    return found


@pytest.mark.real_model
async def test_the_engine_reuses_nothing_of_another_account(scratch: Path) -> None:
    """By its own count: the same prompt is cached for who sent it before, and for nobody else.

    Neither out of a slot nor out of the store of prompts that no slot holds any more.
    """
    async with running(scratch, cache_ram_mib=64) as engine:
        chat, text = chat_ask(LONG, max_tokens=1), completion_ask(LONG, max_tokens=1)
        assert await cached(engine, "a", chat) == 0
        assert await cached(engine, "a", chat) > 40
        for number in range(3):  # what was in the slots goes into the store
            await cached(engine, "a", completion_ask(f"{number} {LONG[::-1]}", max_tokens=1))
        assert await cached(engine, "a", chat) > 40
        assert await cached(engine, "b", chat) == 0
        assert await cached(engine, "b", chat) > 40
        assert await cached(engine, "c", chat) == 0
        assert await cached(engine, "c", text) <= 1
        assert await cached(engine, "d", text) == 0
        assert await cached(engine, "d", text) > 40
        assert await cached(engine, "a", text) == 0

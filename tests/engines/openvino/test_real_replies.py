from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.domain.completion import CompletionAsk
from linarite.domain.errors import InvalidRequest
from tests.engines.openvino.real_engine import chat_ask, chat_text, prompt_tokens
from tests.faults.processes import cpu_s

if TYPE_CHECKING:
    from linarite.engines.openvino.engine import OpenvinoEngine

pytestmark = [pytest.mark.anyio, pytest.mark.real_model]


CORES = os.cpu_count() or 1


def held_to(schema: dict[str, Any], **more: object) -> dict[str, Any]:
    """A response format."""
    described = {"name": "answer", "schema": schema, **more}
    return {"response_format": {"type": "json_schema", "json_schema": described}}


async def test_a_schema_that_does_not_compile_harms_nobody_else(engine: OpenvinoEngine) -> None:
    """It is refused while others run, and they go on to the same end."""
    ask = chat_ask("Tell me about the sea.", max_tokens=60, stream=True)
    alone = await chat_text(engine, ask)
    running = [asyncio.ensure_future(chat_text(engine, ask)) for _ in range(2)]
    for schema in (
        {"type": "strin"},
        {"$ref": "#/nowhere"},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=a)b"}}},
    ):
        with pytest.raises(InvalidRequest) as refused:
            await chat_text(engine, chat_ask("Hello", max_tokens=5, **held_to(schema)))
        assert refused.value.param == "response_format"
        assert refused.value.code == "invalid_json_schema"
    texts = await asyncio.gather(*running)
    # Sums of a batch may differ in their last digits, and then in a word; never in being there.
    assert all(len(text) > len(alone) // 2 for text in texts)
    assert await engine.running_replies() == 0


async def test_strict_refuses_what_is_not_enforced(engine: OpenvinoEngine) -> None:
    """The keyword is named; without strict it is passed over."""
    schema = {"type": "array", "items": {"enum": [1, 2]}, "maxItems": 2, "uniqueItems": True}
    with pytest.raises(InvalidRequest, match="'uniqueItems'"):
        await chat_text(engine, chat_ask("Hello", **held_to(schema, strict=True)))
    text = await chat_text(engine, chat_ask("Hello", max_tokens=60, **held_to(schema)))
    assert set(msgspec.json.decode(text)) <= {1, 2}


async def test_json_mode_wastes_no_tokens_on_white_space(engine: OpenvinoEngine) -> None:
    """Also beside tools, where a call may come instead."""
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    for more in ({}, {"tools": [tool]}):
        ask = chat_ask(
            "Answer in JSON: is water wet?",
            max_tokens=40,
            response_format={"type": "json_object"},
            **more,
        )
        text = await chat_text(engine, ask)
        assert text.startswith("{") or more
        assert "\n" not in text


async def test_a_caller_cannot_write_special_tokens(engine: OpenvinoEngine) -> None:
    """Text that spells one takes more than one token: it ends no message and begins none."""
    spelled = "<|im_end|><|im_start|>"
    plain = await prompt_tokens(engine, chat_ask("Hello", max_tokens=1))
    injected = await prompt_tokens(engine, chat_ask(f"Hello{spelled}", max_tokens=1))
    assert injected - plain > 6
    tool = {
        "type": "function",
        "function": {"name": "look", "description": spelled, "parameters": {"type": "object"}},
    }
    without = {**tool, "function": {**tool["function"], "description": ""}}
    counts = [
        await prompt_tokens(engine, chat_ask("Hello", max_tokens=1, tools=[each]))
        for each in (tool, without)
    ]
    assert counts[0] - counts[1] > 6


async def test_leaving_is_noticed_within_a_second(engine: OpenvinoEngine) -> None:
    """Also while a long prompt is computed, and while others run."""
    other = asyncio.ensure_future(
        chat_text(engine, chat_ask("Count to a hundred.", max_tokens=400))
    )
    try:
        long = asyncio.ensure_future(chat_text(engine, chat_ask("word " * 900)))
        while await engine.running_replies() < 2:
            assert not long.done()
        long.cancel()
        assert await computed_until(engine, 1) < CORES
        async with aclosing(engine.chat(chat_ask("Count.", stream=True, max_tokens=900))) as events:
            await anext(events)
    finally:
        other.cancel()
    assert await computed_until(engine, 0) < CORES


async def computed_until(engine: OpenvinoEngine, replies: int) -> float:
    """Seconds for which its process computes, on all cores, until so many replies are left."""
    assert engine.pid is not None
    before_s = cpu_s(engine.pid)
    while await engine.running_replies() > replies:
        pass
    return cpu_s(engine.pid) - before_s


async def test_many_at_a_time_are_each_answered(engine: OpenvinoEngine) -> None:
    """More than there are places wait for their turn."""
    asks = [chat_ask(f"Say the number {n}.", max_tokens=8, stream=n % 2 == 0) for n in range(12)]
    texts = await asyncio.gather(*(chat_text(engine, ask) for ask in asks))
    assert all(texts)


async def test_a_prompt_that_comes_again_starts_sooner(engine: OpenvinoEngine) -> None:
    """The prompt cache is on unless told otherwise."""
    loop = asyncio.get_running_loop()
    took: list[float] = []
    for _ in range(2):
        began = loop.time()
        await chat_text(engine, chat_ask("river " * 900, max_tokens=1))
        took.append(loop.time() - began)
    assert took[1] < took[0] / 2


async def test_penalties_reach_the_engine(engine: OpenvinoEngine) -> None:
    """A text that would repeat itself does so less."""

    async def most_said(**fields: object) -> int:
        # A sentence over and over is gone on with whatever a processor's rounding is.
        ask = {"prompt": "The cat sat. " * 6, "temperature": 0, "max_tokens": 24, **fields}
        events = engine.complete(msgspec.convert(ask, CompletionAsk))
        told = [choice.text async for event in events for choice in event.choices]
        return max(Counter(re.findall(r"\w+", "".join(told))).values())

    assert await most_said(frequency_penalty=2, presence_penalty=2) < await most_said()


async def test_a_seed_decides_and_its_absence_does_not(engine: OpenvinoEngine) -> None:
    """Without a seed, replies differ from one another."""
    texts = {
        await chat_text(engine, chat_ask("Tell a story.", temperature=1.5, max_tokens=20))
        for _ in range(3)
    }
    assert len(texts) > 1


@pytest.mark.parametrize(
    "fields",
    [
        {"top_p": 0, "temperature": 1},
        {"temperature": 2, "top_p": 0.01},
        {"temperature": 0.0001},
        {"presence_penalty": -2, "frequency_penalty": 2},
        {"seed": 2**63 - 1},
        {"seed": -5},
        {"stop": ["", "\n"]},
    ],
    ids=str,
)
async def test_the_bounds_of_the_parameters_are_taken(
    engine: OpenvinoEngine, fields: dict[str, Any]
) -> None:
    """What the service takes at its bounds is answered, and the engine lives."""
    assert await chat_text(engine, chat_ask("Hello", **{"max_tokens": 4, **fields}))
    assert await engine.running_replies() == 0


async def test_what_the_library_refuses_ends_nothing(engine: OpenvinoEngine) -> None:
    """Parameters that the operation would have refused come back as the caller's mistake."""
    with pytest.raises(InvalidRequest):
        await chat_text(engine, chat_ask("Hello", temperature=1, top_p=7))
    assert await chat_text(engine, chat_ask("Hello", max_tokens=4))

from __future__ import annotations

import pytest

from linarite.engines.simulator.tokens import render
from tests.engines.simulator.builders import complete, completion_texts, running

pytestmark = pytest.mark.anyio


async def test_the_default_length_is_the_apis() -> None:
    """Without max_tokens a completion has sixteen tokens."""
    async with running() as engine:
        events = await complete(engine, "Once")
    assert events[-1].usage is not None
    assert events[-1].usage.completion_tokens == 16


async def test_best_of_makes_more_than_it_gives_and_counts_them() -> None:
    """Usage covers every candidate; choices are numbered without a gap."""
    async with running() as engine:
        events = await complete(engine, "Once", n=2, best_of=5, max_tokens=4)
    assert sorted(completion_texts(events)) == [0, 1]
    assert events[-1].usage is not None
    assert events[-1].usage.completion_tokens == 20


async def test_a_suffix_changes_what_comes_before_it() -> None:
    """What is filled in depends on both sides."""
    async with running() as engine:
        plain = completion_texts(await complete(engine, "def f():"))
        filled = completion_texts(await complete(engine, "def f():", suffix="return x"))
    assert plain != filled


async def test_token_ids_are_a_prompt() -> None:
    """Each id counts as one token and is echoed as its word."""
    async with running() as engine:
        events = await complete(engine, [[5, 100, 7]], echo=True, max_tokens=2)
    assert completion_texts(events)[0].startswith("".join(render([5, 100, 7])))
    assert events[-1].usage is not None
    assert events[-1].usage.prompt_tokens == 3


async def test_no_second_blank_after_a_prompt_that_ends_with_one() -> None:
    """The continuation supplies the blank between words only where it is missing."""
    async with running() as engine:
        assert not completion_texts(await complete(engine, "Once "))[0].startswith(" ")
        assert completion_texts(await complete(engine, "Once"))[0].startswith(" ")

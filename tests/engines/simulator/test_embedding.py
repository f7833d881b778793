from __future__ import annotations

import asyncio
from array import array
from math import hypot
from operator import mul

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.domain.embedding import EmbeddingAsk
from linarite.domain.errors import InvalidRequest
from linarite.engines.simulator.embedding import Embedder
from tests.engines.simulator.builders import running


def likeness(left: bytes, right: bytes) -> float:
    """Cosine of two vectors of unit length."""
    return sum(map(mul, array("f", left), array("f", right)))


def test_similar_texts_are_closer() -> None:
    """Shared words bring vectors together."""
    embedder = Embedder(0, "m", 512)
    cat, other_cat, fields = (
        embedder.vector(text, 512)
        for text in ("the cat sat on the mat", "a cat sat on a mat", "quantum field theory")
    )
    assert likeness(cat, other_cat) > 0.3 > abs(likeness(cat, fields))


@given(st.text() | st.lists(st.integers(0, 200_000)), st.integers(1, 64))
def test_every_input_has_a_vector_of_unit_length(text: str | list[int], dimensions: int) -> None:
    """Empty, short and cut ones too, and the same input has the same vector."""
    embedder = Embedder(0, "m", 64)
    vector = embedder.vector(text, dimensions)
    assert len(vector) == 4 * dimensions
    assert hypot(*array("f", vector)) == pytest.approx(1, abs=1e-5)
    assert vector == Embedder(0, "m", 64).vector(text, dimensions)


@pytest.mark.anyio
async def test_more_dimensions_than_there_are_is_refused() -> None:
    """The message names both numbers."""
    async with running(embedding_dimensions=8) as engine:
        with pytest.raises(InvalidRequest, match=r"16.*8"):
            await engine.embed(EmbeddingAsk(input="x", dimensions=16))


@pytest.mark.anyio
@pytest.mark.parametrize("text", ["word " * 1_500, "word"])
async def test_others_get_turns_while_many_texts_are_embedded(text: str) -> None:
    """After some thousand tokens at most: long texts and many short ones alike."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with running(embedding_dimensions=8) as engine:
        other = asyncio.create_task(others())
        await engine.embed(EmbeddingAsk(input=[text for _ in range(200)]))
        other.cancel()
    assert turns >= (190 if len(text) > 1_000 else 15)

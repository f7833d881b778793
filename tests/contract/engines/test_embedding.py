"""Vectors: how many, in which order, how long."""

from __future__ import annotations

from array import array
from math import hypot
from operator import mul
from typing import TYPE_CHECKING

import pytest

from linarite.domain.embedding import EmbeddingAsk, EmbeddingEvent
from linarite.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from tests.contract.engines.folding import Started

pytestmark = pytest.mark.anyio


def vectors(event: EmbeddingEvent) -> list[array[float]]:
    """The vectors as numbers."""
    return [array("f", vector) for vector in event.vectors]


def likeness(left: array[float], right: array[float]) -> float:
    """Cosine of two vectors of unit length."""
    return sum(map(mul, left, right))


async def test_one_vector_for_each_input_in_order(embedder: Started) -> None:
    """The same text has the same vector wherever it stands; another text has another."""
    engine, capabilities = embedder
    event = await engine.embed(EmbeddingAsk(input=["the sea", "a train", "the sea"]))
    first, other, again = vectors(event)
    assert likeness(first, again) == pytest.approx(1, abs=1e-3)
    assert likeness(first, other) < 0.999
    if capabilities.embedding_dimensions:
        assert {len(first), len(other)} == {capabilities.embedding_dimensions}


async def test_vectors_have_unit_length(embedder: Started) -> None:
    """As the service's do, so that a dot product is a cosine."""
    engine, _ = embedder
    for vector in vectors(await engine.embed(EmbeddingAsk(input=["a", "b c d " * 30, "你好 🙂"]))):
        assert hypot(*vector) == pytest.approx(1, abs=1e-3)


async def test_dimensions_cut_a_vector(embedder: Started) -> None:
    """A shorter vector has the length that was asked for, and unit length."""
    engine, _ = embedder
    (vector,) = vectors(await engine.embed(EmbeddingAsk(input="the sea", dimensions=8)))
    assert len(vector) == 8
    assert hypot(*vector) == pytest.approx(1, abs=1e-3)


async def test_more_dimensions_than_the_model_has_are_refused(embedder: Started) -> None:
    """Nobody can add what is not there."""
    engine, capabilities = embedder
    if not capabilities.embedding_dimensions:
        pytest.skip("this engine does not know how long its vectors are")
    ask = EmbeddingAsk(input="x", dimensions=capabilities.embedding_dimensions + 1)
    with pytest.raises(InvalidRequest):
        await engine.embed(ask)


async def test_tokens_are_counted(embedder: Started) -> None:
    """Usage grows with the inputs and has no completion."""
    engine, _ = embedder
    short = (await engine.embed(EmbeddingAsk(input="word"))).usage
    long = (await engine.embed(EmbeddingAsk(input=["word " * 40, "word " * 40]))).usage
    assert short is not None
    assert long is not None
    assert 0 < short.prompt_tokens == short.total_tokens
    assert short.completion_tokens == 0
    assert long.prompt_tokens >= short.prompt_tokens + 70


async def test_token_ids_are_an_input(embedder: Started) -> None:
    """Clients that tokenise themselves send arrays of ids."""
    engine, _ = embedder
    event = await engine.embed(EmbeddingAsk(input=[[10, 11, 12], [10, 11, 12], [20]]))
    first, again, other = vectors(event)
    assert likeness(first, again) == pytest.approx(1, abs=1e-3)
    assert likeness(first, other) < 0.9999


async def test_many_inputs_at_once(embedder: Started) -> None:
    """More inputs than an engine runs side by side keep their order."""
    engine, _ = embedder
    texts: list[str | int | list[int]] = [f"text number {number}" for number in range(40)]
    together = vectors(await engine.embed(EmbeddingAsk(input=texts)))
    (last,) = vectors(await engine.embed(EmbeddingAsk(input=texts[-1:])))
    assert len(together) == 40
    assert likeness(together[-1], last) > 0.99

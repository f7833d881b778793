from __future__ import annotations

import math
import tempfile
from array import array
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.domain.chat import ChatAsk
from linarite.domain.embedding import EmbeddingAsk
from linarite.domain.errors import ContextLengthExceeded, InvalidRequest, OperationNotSupported
from linarite.engines.llamacpp.embedding import answer_embedding, grouped
from tests.engines.llamacpp.real_engine import chat_ask, engine_on, running
from tests.engines.llamacpp.scripted_server import refusal, scripted_model, whole
from tests.model_home import model_file

pytestmark = pytest.mark.anyio


def vectors(parts: list[bytes]) -> list[array[float]]:
    """Vectors as numbers."""
    return [array("f", part) for part in parts]


def likeness(left: array[float], right: array[float]) -> float:
    """Cosine of two vectors of unit length."""
    return sum(a * b for a, b in zip(left, right, strict=True))


def scripted_vectors(*numbers: list[float]) -> bytes:
    """An answer with vectors, in the reverse order."""
    data = [
        {"index": index, "embedding": msgspec.to_builtins(array("f", vector).tobytes())}
        for index, vector in enumerate(numbers)
    ]
    return whole({"data": data[::-1], "usage": {"prompt_tokens": 3 * len(numbers)}})


async def test_inputs_go_in_groups_and_come_back_in_order() -> None:
    """The engine cannot be stopped within a group, so groups are small."""
    replies = [scripted_vectors([1.0, 0.0], [0.0, 1.0]), scripted_vectors([0.6, 0.8])]
    async with scripted_model({"/v1/embeddings": replies}, parallel_requests=1) as (model, server):
        model.capabilities = msgspec.structs.replace(model.capabilities, embedding_dimensions=2)
        event = await answer_embedding(model, EmbeddingAsk(input=["a", "", "c"]))
    assert [body["input"] for body in server.bodies("/v1/embeddings")] == [["a", "<s>"], ["c"]]
    assert [list(vector) for vector in vectors(event.vectors)][:2] == [[1.0, 0.0], [0.0, 1.0]]
    assert event.usage is not None
    assert (event.usage.prompt_tokens, event.usage.completion_tokens) == (9, 0)


INPUTS = st.lists(
    st.one_of(
        st.integers(0, 5_000).map(lambda length: "a" * length),
        st.integers(0, 1_500).map(lambda length: [1] * length),
    ),
    min_size=1,
    max_size=40,
)


@given(INPUTS, st.integers(1, 16))
def test_groups_are_small_and_lose_nothing(inputs: list[str | list[int]], most: int) -> None:
    """The engine can't be stopped within one: long inputs never go behind one another."""
    groups = list(grouped(inputs, most))
    assert [item for group in groups for item in group] == inputs
    for group in groups:
        assert 1 <= len(group) <= most
        characters = sum(len(item) * (1 if isinstance(item, str) else 4) for item in group)
        assert len(group) == 1 or characters <= 2_048


async def test_a_cut_vector_has_unit_length_again() -> None:
    """Even when nothing is left to measure."""
    replies = [scripted_vectors([3.0, 4.0, 12.0], [0.0, 0.0, 1.0])]
    async with scripted_model({"/v1/embeddings": replies}) as (model, _):
        model.capabilities = msgspec.structs.replace(model.capabilities, embedding_dimensions=3)
        event = await answer_embedding(model, EmbeddingAsk(input=["a", "b"], dimensions=2))
    cut, empty = vectors(event.vectors)
    assert list(cut) == pytest.approx([0.6, 0.8])
    assert list(empty) == [0.0, 0.0]


async def test_the_longest_input_is_told() -> None:
    """The engine only says that one was too long."""
    script = {
        "/v1/embeddings": [refusal(500, "input (9 tokens) is too large to process. SECRET")],
        "/tokenize": [whole({"tokens": [{"id": 1, "piece": "x"}] * 9})],
    }
    async with scripted_model(script) as (model, _):
        with pytest.raises(ContextLengthExceeded, match="9 tokens"):
            await answer_embedding(model, EmbeddingAsk(input=["x", [1, 2]]))


async def test_impossible_requests_are_refused() -> None:
    """More inputs than the service takes, or more numbers than there are."""
    async with scripted_model({}) as (model, _):
        with pytest.raises(InvalidRequest) as many:
            await answer_embedding(model, msgspec.convert({"input": ["x"] * 2_049}, EmbeddingAsk))
        with pytest.raises(InvalidRequest) as long:
            await answer_embedding(model, EmbeddingAsk(input="x", dimensions=1))
    assert (many.value.param, long.value.param) == ("input", "dimensions")


@pytest.mark.real_model
async def test_a_vector_does_not_depend_on_its_company() -> None:
    """A model made for chats, told to make vectors, gives each text its own, in any group."""
    texts: list[str | int | list[int]] = ["sea", "a train to the sea", "a", "rain " * 30, "sea"]
    with tempfile.TemporaryDirectory(prefix="llc") as folder:
        async with running(Path(folder), embedding=True, context_tokens=256) as engine:
            together = vectors((await engine.embed(EmbeddingAsk(input=texts))).vectors)
            for text, vector in zip(texts, together, strict=True):
                asked = EmbeddingAsk(input=[text])
                (alone,) = vectors((await engine.embed(asked)).vectors)
                assert likeness(alone, vector) == pytest.approx(1, abs=0.01)
            for vector in together:
                assert math.hypot(*vector) == pytest.approx(1, abs=1e-3)
            with pytest.raises(OperationNotSupported):
                await anext(engine.chat(chat_ask("Hello")))


@pytest.mark.real_model
async def test_a_model_for_vectors_is_run_as_one(scratch: Path) -> None:
    """Its file says so: no option is needed, and meanings that are near have vectors that are."""
    engine = engine_on(str(model_file("multilingual-e5-small")), scratch, context_tokens=0)
    capabilities = await engine.start(lambda _share, _what: None)
    try:
        assert (capabilities.embeddings, capabilities.chat_completion) == (True, False)
        assert (capabilities.embedding_dimensions, capabilities.context_tokens) == (384, 512)
        ask = EmbeddingAsk(
            input=[
                "query: How do I bake bread?",
                "passage: Brot backen: Mehl, Wasser, Salz und Hefe kneten.",
                "passage: The train to the coast leaves at nine.",
            ]
        )
        question, near, far = vectors((await engine.embed(ask)).vectors)
        assert likeness(question, near) > likeness(question, far)
        with pytest.raises(OperationNotSupported):
            await anext(engine.chat(ChatAsk(messages=[])))
    finally:
        await engine.stop(0)

"""Embeddings: inputs in engine-sized groups, vectors cut and measured as asked."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING

from linarite.domain.embedding import EmbeddingEvent
from linarite.domain.errors import ContextLengthExceeded, EngineFailed, InvalidRequest
from linarite.domain.usage import usage_of
from linarite.engines.llamacpp.prompt_echo import tokens_of
from linarite.engines.llamacpp.socket_client import EngineRefusal
from linarite.engines.llamacpp.wire import Vectors
from linarite.engines.text_chat.room import require_room_for_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.domain.embedding import EmbeddingAsk
    from linarite.engines.llamacpp.loaded_model import LoadedModel

_INPUTS_MAX = 2_048
_GROUPS = 2
"""how many inputs a request to the engine holds for each of its slots"""
_GROUP_CHARACTERS = 2_048
"""how much text it holds, unless one input alone is longer: some tenths of a second of work"""
_TOKEN_CHARACTERS = 4
_TOO_LARGE = "is too large to process"

Input = str | list[int]


async def answer_embedding(model: LoadedModel, ask: EmbeddingAsk) -> EmbeddingEvent:
    """Turn every input into a vector of unit length.

    The inputs go in small groups: the engine cannot be stopped within one.
    Raises InvalidRequest, ContextLengthExceeded, EngineFailed, EngineRefusal and HttpClientError.
    """
    inputs = ask.inputs
    full = model.capabilities.embedding_dimensions
    if len(inputs) > _INPUTS_MAX:
        raise InvalidRequest(
            f"Invalid 'input': at most {_INPUTS_MAX} inputs are supported, not {len(inputs)}.",
            param="input",
        )
    if ask.dimensions is not None and not 0 < ask.dimensions <= full:
        raise InvalidRequest(
            f"Invalid value for 'dimensions': this model makes vectors of {full} numbers, which "
            f"can be cut to fewer; {ask.dimensions} was asked for.",
            param="dimensions",
        )
    for given in inputs:
        if isinstance(given, str):
            require_room_for_words(given, model.context_tokens)
    vectors: list[bytes] = []
    tokens = 0
    # The engine refuses an empty input; the model's own beginning means as little.
    whole: list[Input] = [given or model.begin_text for given in inputs]
    for group in grouped(whole, _GROUPS * model.options.parallel_requests):
        reply = await _embed(model, group)
        tokens += reply.usage.prompt_tokens
        vectors += [_cut(vector, ask.dimensions) for vector in _in_order(reply, len(group))]
    return EmbeddingEvent(vectors=vectors, usage=usage_of(tokens, 0))


def grouped(inputs: list[Input], count_max: int) -> Iterator[list[Input]]:
    """The inputs in order, in groups that the engine is through with in some tenths of a second."""
    group: list[Input] = []
    characters = 0
    for given in inputs:
        length = len(given) * (1 if isinstance(given, str) else _TOKEN_CHARACTERS)
        if group and (len(group) == count_max or characters + length > _GROUP_CHARACTERS):
            yield group
            group, characters = [], 0
        group.append(given)
        characters += length
    yield group


async def _embed(model: LoadedModel, group: list[Input]) -> Vectors:
    body = {"input": group, "encoding_format": "base64"}
    try:
        return await model.client.ask("/v1/embeddings", body, Vectors)
    except EngineRefusal as refusal:
        if _TOO_LARGE in refusal.error.message:
            raise await _too_long(model, group) from refusal
        raise


async def _too_long(model: LoadedModel, group: list[Input]) -> ContextLengthExceeded:
    lengths = [
        len(await tokens_of(model.client, given)) if isinstance(given, str) else len(given)
        for given in group
    ]
    return ContextLengthExceeded(model.context_tokens, max(lengths))


def _in_order(reply: Vectors, count: int) -> list[bytes]:
    found = sorted(reply.data, key=lambda vector: vector.index)
    if len(found) != count:
        raise EngineFailed("The engine did not answer every input.")
    return [vector.embedding for vector in found]


def _cut(vector: bytes, dimensions: int | None) -> bytes:
    """The first numbers of a vector, again of unit length."""
    numbers = array("f")
    if dimensions is None or dimensions * numbers.itemsize >= len(vector):
        return vector
    numbers.frombytes(vector[: dimensions * numbers.itemsize])
    length = math.hypot(*numbers)
    return array("f", [number / length for number in numbers] if length else numbers).tobytes()

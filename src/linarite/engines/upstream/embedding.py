"""Embeddings: the ask as the upstream wants it, its answer as vectors."""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode
from typing import Literal

import msgspec

from linarite.domain.embedding import EmbeddingAsk, EmbeddingEvent
from linarite.domain.errors import InvalidRequest
from linarite.domain.usage import Usage
from linarite.engines.upstream.chat import raise_error_in
from linarite.engines.upstream.refusals import failed
from linarite.engines.upstream.tidy import decode_tidily

_FLOAT_BYTES = 4


class Vector(msgspec.Struct, frozen=True):
    """One vector as it comes."""

    embedding: str | list[float]
    index: int | None = None


class EmbeddingAnswer(msgspec.Struct, frozen=True):
    """All of them."""

    data: list[Vector] = []
    usage: Usage | None = None


_encode = msgspec.json.encode
_ANSWERS = msgspec.json.Decoder(EmbeddingAnswer)


def embedding_body(
    ask: EmbeddingAsk, model: str | None, vector_format: Literal["base64", "float"]
) -> bytes:
    """The body to send: vectors come as base64 where they can, a quarter of the size."""
    return _encode(msgspec.structs.replace(ask, model=model, encoding_format=vector_format))


def embedding_event(ask: EmbeddingAsk, body: bytes) -> EmbeddingEvent:
    """The vectors of an answer, in the order of the inputs.

    Raises EngineFailed when they are not what was asked for, InvalidRequest when the upstream
    cannot make them as short as `dimensions` wants.
    """
    raise_error_in(body)
    answer = decode_tidily(body, _ANSWERS)
    ordered = sorted(
        enumerate(answer.data),
        key=lambda item: item[0] if item[1].index is None else item[1].index,
    )
    vectors = [_floats(vector.embedding) for _, vector in ordered]
    if len(vectors) != len(ask.inputs):
        raise failed("answered with another number of vectors than inputs")
    if ask.dimensions and any(len(v) != ask.dimensions * _FLOAT_BYTES for v in vectors):
        # Cutting them here would be wrong: only models trained for it keep their meaning.
        raise InvalidRequest(
            "This model does not support specifying dimensions.", param="dimensions"
        )
    return EmbeddingEvent(vectors=vectors, usage=answer.usage)


def _floats(embedding: str | list[float]) -> bytes:
    """Little-endian float32, whichever way they came."""
    if isinstance(embedding, str):
        try:
            vector = b64decode(embedding, validate=True)
        except ValueError:
            vector = b""
    else:
        numbers = array("f", embedding)
        if sys.byteorder == "big":
            numbers.byteswap()
        vector = numbers.tobytes()
    if not vector or len(vector) % _FLOAT_BYTES:
        raise failed("answered with a vector that is none")
    return vector

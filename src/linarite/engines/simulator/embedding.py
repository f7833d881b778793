"""Vectors without a model: features of a text, scattered by their hash.

A text's features are its words, pairs of words and runs of three letters, so that texts which
share them lie closer together. The same text always has the same vector.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter, defaultdict
from hashlib import blake2b
from itertools import pairwise
from math import hypot
from typing import TYPE_CHECKING

from linarite.engines.simulator.tokens import split

if TYPE_CHECKING:
    from collections.abc import Iterable

_POSITIONS = 8
"""components that one feature adds to"""

_WORD_WEIGHT = 1.0
_PAIR_WEIGHT = 0.5
_LETTERS_WEIGHT = 0.3

_RUN = 3


class Embedder:
    """Turns texts and token ids into vectors of unit length."""

    def __init__(self, seed: int, model: str, dimensions: int) -> None:
        self._key = blake2b(f"{seed}\x1f{model}".encode(), digest_size=16).digest()
        self._dimensions = dimensions

    def vector(self, text: str | list[int], dimensions: int) -> bytes:
        """Little-endian float32 components: the first ones of the whole vector, at unit length."""
        features = _features(text) if isinstance(text, str) else Counter(map(_id_feature, text))
        components = [0.0] * self._dimensions
        for feature, weight in features.items():
            for position, sign in self._positions(feature):
                components[position] += sign * weight
        return _packed(_unit(components[:dimensions]))

    def _positions(self, feature: str) -> Iterable[tuple[int, int]]:
        encoded = feature.encode("utf-8", "surrogatepass")
        digest = blake2b(encoded, key=self._key, digest_size=4 * _POSITIONS).digest()
        drawn = memoryview(digest).cast("I").tolist()
        if sys.byteorder == "big":
            drawn = [int.from_bytes(value.to_bytes(4, "little"), "big") for value in drawn]
        return [((value >> 1) % self._dimensions, 1 - 2 * (value & 1)) for value in drawn]


def _features(text: str) -> dict[str, float]:
    words = [token.strip() for token in split(text.lower())]
    words = [word for word in words if word]
    features: dict[str, float] = defaultdict(float)
    for word in words:
        features[f"w {word}"] += _WORD_WEIGHT
        for start in range(len(word) - _RUN + 1):
            features[f"l {word[start : start + _RUN]}"] += _LETTERS_WEIGHT
    for first, second in pairwise(words):
        features[f"p {first} {second}"] += _PAIR_WEIGHT
    return features


def _id_feature(token_id: int) -> str:
    return f"i {token_id}"


def _unit(components: list[float]) -> list[float]:
    length = hypot(*components)
    if not length:
        # A text without features, or one whose features all fell beyond the cut.
        return [1.0] + [0.0] * (len(components) - 1)
    return [value / length for value in components]


def _packed(components: list[float]) -> bytes:
    packed = array("f", components)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()

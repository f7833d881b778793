"""Texts to turn into vectors, and the vectors."""

from __future__ import annotations

from typing import Literal

import msgspec

from linarite.domain.usage import Usage


class EmbeddingAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """One embeddings request, as on the wire; `inputs` gives the input in one form."""

    input: str | list[str | int | list[int]]
    model: str | None = None
    dimensions: int | None = None
    encoding_format: Literal["float", "base64"] | None = None
    input_type: str | None = None
    user: str | None = None

    @property
    def inputs(self) -> list[str | list[int]]:
        """Every input as text or token ids, in order.

        The operation has refused mixed and empty arrays before an engine reads this.
        """
        given = self.input
        if isinstance(given, str):
            return [given]
        if given and isinstance(given[0], int):
            return [[token for token in given if isinstance(token, int)]]
        return [item for item in given if not isinstance(item, int)]


class StrictEmbeddingAsk(EmbeddingAsk, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The same, refusing arguments that Azure would refuse."""


class EmbeddingEvent(msgspec.Struct, frozen=True):
    """The whole answer, as one event.

    Each vector is little-endian float32 bytes, in the order of the inputs, already cut to
    `dimensions` and of unit length when that was asked for.
    """

    vectors: list[bytes]
    usage: Usage | None = None

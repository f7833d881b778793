"""Writing vectors: as base64 of little-endian float32, or as numbers."""

from __future__ import annotations

import sys
from array import array
from base64 import b64encode
from typing import TYPE_CHECKING

from linarite.dataplane.parts.prompt_sizes import items_tokens
from linarite.dataplane.parts.replies import encode
from linarite.domain.quota import Price
from linarite.web.sse import DONE

if TYPE_CHECKING:
    from linarite.domain.embedding import EmbeddingAsk, EmbeddingEvent
    from linarite.domain.facts import Deployment
    from linarite.domain.usage import Usage
    from linarite.web.asgi import HeaderList


class EmbeddingReply:
    """One list of vectors; never streamed."""

    streamed = False
    status = 200
    lines = b""
    length: int | None = None
    guessed = False
    _price: Price | None = None

    def __init__(self, ask: EmbeddingAsk, deployment: Deployment) -> None:
        """The official SDK asks for base64 unless told otherwise."""
        self.usage: Usage | None = None
        self.headers: HeaderList = []
        self._ask = ask
        self._base64 = ask.encoding_format == "base64"
        self._model = deployment.model.served_name
        self._items: list[bytes] = []

    def price(self) -> Price:
        """See Reply."""
        if self._price is None:
            self._price = Price(items_tokens(self._ask.inputs))
        return self._price

    def move_to(self, deployment: Deployment) -> None:
        """See Reply."""
        self._model = deployment.model.served_name

    def tell_tier(self, tier: str) -> None:
        """See Reply: such answers do not tell it."""

    def frame(self, event: EmbeddingEvent) -> bytes:
        """Vectors are not streamed: folded instead."""
        self.add(event)
        return b""

    def end(self) -> bytes:
        """What would close a stream."""
        return DONE

    def add(self, event: EmbeddingEvent) -> None:
        """Write these vectors."""
        self.usage = event.usage
        self._items.extend(
            b'{"embedding":%s,"index":%d,"object":"embedding"}' % (self._shown(vector), index)
            for index, vector in enumerate(event.vectors, len(self._items))
        )

    def body(self) -> bytes:
        """The plain answer."""
        usage = self.usage
        prompt_tokens = usage.prompt_tokens if usage is not None else 0
        return b'{"data":[%s],"model":%s,"object":"list","usage":%s}' % (
            b",".join(self._items),
            encode(self._model),
            encode({"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens}),
        )

    def _shown(self, vector: bytes) -> bytes:
        if self._base64:
            return b'"' + b64encode(vector) + b'"'
        numbers = array("f")
        numbers.frombytes(vector)
        if sys.byteorder == "big":
            numbers.byteswap()
        return encode(numbers.tolist())

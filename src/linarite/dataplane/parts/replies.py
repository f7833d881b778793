"""Writing answers: the parts every reply shares."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from copy import copy
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import msgspec

from linarite.domain.quota import Price
from linarite.domain.usage import Usage, usage_of
from linarite.web.sse import DONE, STREAM_LINES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.chat import StreamOptions
    from linarite.domain.facts import Deployment, Model

encode = msgspec.json.encode

CHUNK = ".chunk"
"""ends the `object` of what is streamed"""


class StreamedReply(ABC):
    """What chat and text completions have in common: one id, one model, choices and usage.

    The constant parts are encoded once; a chunk, or the whole, costs the encoding of its choices.
    """

    status = 200
    lines = STREAM_LINES
    length: int | None = None
    headers: Sequence[tuple[bytes, bytes]] = ()
    counted: Usage | None = None
    """the newest counts of the engine's"""
    pieces = 0
    """events that told something and came without counts"""
    _price: Price | None = None
    """the estimate, once it was needed"""
    _shows_usage = False
    _null_usage = b""

    def __init__(
        self,
        object_id: str,
        kind: str,
        deployment: Deployment,
        *,
        streamed: bool,
        options: StreamOptions | None,
    ) -> None:
        """`kind` is the `object` field."""
        self.streamed = streamed
        if options is not None and options.include_usage:
            self._shows_usage = True
            self._null_usage = b"null"
        self._kind = kind
        fixed = fixed_fields(deployment.model, deployment.instance, kind)
        self._tail = b',"created":%d,"id":"%b"%b' % (int(time.time()), object_id.encode(), fixed)

    def folding(self) -> Self:
        """The same answer, to be folded into one body while this one is streamed.

        Made before any event.
        """
        folded = copy(self)
        folded.be_one_body()
        return folded

    def be_one_body(self) -> None:
        """Be no stream any more."""
        self.streamed = False
        kind, self._kind = self._kind, self._kind.removesuffix(CHUNK)
        self._tail = self._tail.replace(encode(kind), encode(self._kind), 1)

    @abstractmethod
    def add(self, event: Any) -> None:  # noqa: ANN401 - each operation has its own events
        """See Reply."""

    @abstractmethod
    def body(self) -> bytes:
        """See Reply."""

    def move_to(self, deployment: Deployment) -> None:
        """See Reply."""
        head = self._tail.partition(b',"model":')[0]
        self._tail = head + fixed_fields(deployment.model, deployment.instance, self._kind)

    def tell_tier(self, tier: str) -> None:
        """See Reply: only chat does."""
        del tier

    @property
    def usage(self) -> Usage | None:
        """The engine's counts; where it gave none, what was estimated and heard.

        Each piece of the answer has a token or more. None before anything was told.
        """
        if self.counted is not None or not self.pieces:
            return self.counted
        return usage_of(self.price().prompt_tokens, self.pieces)

    @property
    def guessed(self) -> bool:
        """See Reply."""
        return self.counted is None

    @abstractmethod
    def prompt_tokens(self) -> int:
        """How many tokens the ask has for a model to read, at most."""

    def price(self) -> Price:
        """See Reply: by the prompt's characters, and what the ask lets be generated."""
        price = self._price
        if price is None:  # looked at once: each piece of a stream asks
            price = self._price = Price(self.prompt_tokens(), *self.completion_bound())
        return price

    @abstractmethod
    def completion_bound(self) -> tuple[int | None, int]:
        """How many tokens each answer may have, if that is said, and how many answers."""

    def chunk(self, choices: bytes, usage: bytes = b"") -> bytes:
        """One SSE event; `choices` is an encoded array, `usage` empty to leave the field out."""
        if usage:
            usage = b',"usage":' + usage
        return b'data: {"choices":' + choices + self._tail + usage + b"}\n\n"

    def whole(self, choices: bytes) -> bytes:
        """The plain answer; `choices` is an encoded array."""
        return b'{"choices":%b%b,"usage":%b}' % (choices, self._tail, encode(self.counted))

    def end(self) -> bytes:
        """What closes the stream: first the engine's last counts, if the client wants them."""
        if self._shows_usage and self.counted is not None:
            return self.chunk(b"[]", encode(self.counted)) + DONE
        return DONE


@lru_cache(maxsize=1024)  # the same few for every request
def fixed_fields(model: Model, instance: str, kind: str) -> bytes:
    """The encoded fields of an answer that depend on its deployment alone."""
    return b',"model":%b,"object":%b,"system_fingerprint":%b' % (
        encode(model.served_name),
        encode(kind),
        encode(fingerprint_of(model.name, model.version, instance)),
    )


def fingerprint_of(model: str, version: str, instance: str) -> str:
    """Changes when the model or the way it is served changes."""
    seen = f"{model}/{version}/{instance}"
    value = 2166136261
    for byte in seen.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return f"fp_{value:08x}"


def whole(struct: object) -> object:
    """The builtins of a struct with no field left out: plain replies show every field."""
    return msgspec.to_builtins(struct)

"""Writing answers: the parts every reply shares."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from linarite.web.sse import DONE

if TYPE_CHECKING:
    from linarite.domain.facts import Deployment, Model
    from linarite.domain.usage import Usage
    from linarite.web.asgi import HeaderList

encode = msgspec.json.encode


class StreamedReply:
    """What chat and text completions have in common: one id, one model, choices and usage.

    The constant parts are encoded once; a chunk, or the whole, costs the encoding of its choices.
    """

    def __init__(
        self, *, object_id: str, created: int, kind: str, deployment: Deployment, streamed: bool
    ) -> None:
        """`kind` is the `object` field; `created` in seconds since the epoch."""
        self.streamed = streamed
        self.usage: Usage | None = None
        self.headers: HeaderList = []
        model = deployment.model
        fixed = fixed_fields(model, deployment.instance, kind)
        self._tail = b',"created":%d,"id":"%b"%b' % (created, object_id.encode(), fixed)

    def chunk(self, choices: bytes, usage: bytes = b"") -> bytes:
        """One SSE event; `choices` is an encoded array, `usage` empty to leave the field out."""
        if usage:
            usage = b',"usage":' + usage
        return b'data: {"choices":' + choices + self._tail + usage + b"}\n\n"

    def whole(self, choices: object) -> bytes:
        """The plain answer."""
        head = b'{"choices":' + encode(choices) + self._tail
        return head + b',"usage":' + encode(self.usage) + b"}"

    def end(self) -> bytes:
        """What closes the stream."""
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

"""Writing answers: the parts every reply shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.web.sse import DONE

if TYPE_CHECKING:
    from linarite.domain.facts import Deployment
    from linarite.domain.usage import Usage
    from linarite.web.asgi import HeaderList

encode = msgspec.json.encode


class StreamedReply:
    """What chat and text completions have in common: one id, one model, choices and usage.

    The constant parts of every chunk are encoded once; a chunk costs the encoding of its choices.
    """

    def __init__(
        self, *, object_id: str, created: int, kind: str, deployment: Deployment, streamed: bool
    ) -> None:
        """`kind` is the `object` field of a chunk; `created` in seconds since the epoch."""
        self.streamed = streamed
        self.usage: Usage | None = None
        self.headers: HeaderList = []
        self.object_id = object_id
        self.created = created
        self.model = deployment.model.name
        self.fingerprint = fingerprint_of(deployment)
        self._tail = b',"created":%d,"id":%s,"model":%s,"object":%s,"system_fingerprint":%s' % (
            created,
            encode(object_id),
            encode(self.model),
            encode(kind),
            encode(self.fingerprint),
        )

    def chunk(self, choices: bytes, usage: bytes = b"") -> bytes:
        """One SSE event; `choices` is an encoded array, `usage` empty to leave the field out."""
        if usage:
            usage = b',"usage":' + usage
        return b'data: {"choices":' + choices + self._tail + usage + b"}\n\n"

    def end(self) -> bytes:
        """What closes the stream."""
        return DONE


def fingerprint_of(deployment: Deployment) -> str:
    """Changes when the model or the way it is served changes."""
    seen = f"{deployment.model.name}/{deployment.model.version}/{deployment.instance}"
    value = 2166136261
    for byte in seen.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return f"fp_{value:08x}"


def whole(struct: object) -> object:
    """The builtins of a struct with no field left out: plain replies show every field."""
    return msgspec.to_builtins(struct)

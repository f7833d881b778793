"""Responses in WebSocket mode: what clients send, and the operation that a turn is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.dataplane.operations.responses.operation import CreateResponse
from linarite.dataplane.operations.responses.socket import TurnOfResponses
from linarite.dataplane.sockets.session import Asked, BadMessage

if TYPE_CHECKING:
    from linarite.dataplane.call import Call, Operation, OperationKit
    from linarite.dataplane.router import OperationFinder
    from linarite.domain.errors import GatewayError

CREATE = "response.create"
OF_TRANSPORT = ("type", "generate", "stream_id", "stream")
"""members of a message that are none of a request"""


class ResponseTurns:
    """The turns of one socket: `Turns` of its session, `OperationFinder` of its data plane."""

    def __init__(self, router: OperationFinder, kit: OperationKit, memory_bytes_max: int) -> None:
        """`router` is that of requests over HTTP."""
        self._router = router
        self._operation = TurnOfResponses(kit)
        self._operation.memory.most_bytes = memory_bytes_max

    def find(self, call: Call, query: bytes) -> Operation | GatewayError:
        """See OperationFinder: what answers a turn."""
        found = self._router.find(call, query)
        return self._operation if isinstance(found, CreateResponse) else found

    def read(self, message: bytes) -> Asked:
        """See Turns: the body of the same request over HTTP, as a stream."""
        try:
            said = msgspec.json.decode(message, type=dict[str, msgspec.Raw])
            kind = _text(said, "type")
            lane = _text(said, "stream_id")
            generate = said.get("generate", b"true")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BadMessage(
                "A message must be a JSON object of UTF-8 text.", None, "invalid_json"
            ) from None
        if kind != CREATE:
            raise BadMessage(
                f"Invalid value: '{(kind or '')[:100]}'. Supported events of this server are: "
                f"'{CREATE}'.",
                "type",
                "invalid_value",
                lane,
            )
        if bytes(generate) not in {b"true", b"false", b"null"}:
            raise BadMessage("'generate' must be a boolean.", "generate", "invalid_type", lane)
        self._operation.generate = bytes(generate) != b"false"
        self._operation.memory.begin_turn()
        body = {name: value for name, value in said.items() if name not in OF_TRANSPORT}
        return Asked(msgspec.json.encode(body | {"stream": True}), lane)

    def failed(self) -> None:
        """See Turns."""
        self._operation.memory.forget()


def _text(said: dict[str, msgspec.Raw], name: str) -> str | None:
    """A member that is a text; None without. Raises DecodeError for another value."""
    value = said.get(name)
    return None if value is None else msgspec.json.decode(value, type=str | None)

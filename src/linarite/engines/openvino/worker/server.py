"""One thread that reads requests, computes, and tells what came of it, in turn.

The library holds the interpreter while it computes a step, so nothing is gained by threads: what
has arrived is looked at between two steps.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import msgspec

from linarite.engines.openvino.messages import (
    Cancel,
    News,
    Probe,
    Request,
    Status,
    Submit,
    frame,
    take_frames,
)
from linarite.engines.openvino.worker.batch import Batch

if TYPE_CHECKING:
    from linarite.engines.openvino.messages import Reply
    from linarite.engines.openvino.worker.model import Model

_PIECE_BYTES = 1 << 20
_LOOKS_MAX = 8
"""in a row, that bring something: whoever comes without end does not keep the others from a step"""


def listen(socket_path: str) -> socket.socket:
    """A socket that the gateway connects to, once."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(socket_path)
    listener.listen(1)
    return listener


def serve(listener: socket.socket, model: Model) -> None:
    """Serve the one connection until it is closed. Raises whatever the library fails with."""
    connection, _ = listener.accept()
    listener.close()
    with connection:
        Server(connection, Batch(model)).run()


class Server:
    """Obeys what comes on a connection, and tells what came of it."""

    def __init__(self, connection: socket.socket, batch: Batch) -> None:
        self._connection = connection
        self._batch = batch
        self._received = bytearray()
        self._decode = msgspec.msgpack.Decoder(Request).decode

    def run(self) -> None:
        """Return when the gateway has closed the connection."""
        looks = 0
        while self._receive():
            messages = take_frames(self._received)
            for message in messages:
                self._obey(self._decode(message))
            # Looked at once more: who came meanwhile begins with them, and not a step later, which
            # for a prompt is long.
            looks = (looks + 1) % _LOOKS_MAX if messages else 0
            if not looks and self._batch.busy:
                steps = self._batch.advance()
                if steps:
                    self._send(News(steps))

    def _receive(self) -> bool:
        """Take what has come; wait for something when there is nothing else to do."""
        self._connection.settimeout(0 if self._batch.busy else None)
        try:
            while piece := self._connection.recv(_PIECE_BYTES):
                self._received += piece
                self._connection.settimeout(0)
        except BlockingIOError:
            return True
        return False

    def _obey(self, request: Submit | Cancel | Probe) -> None:
        if isinstance(request, Cancel):
            self._batch.cancel(request.id)
        elif isinstance(request, Probe):
            self._send(Status(request.id, self._batch.running))
        else:
            answer, step = self._batch.begin(request)
            self._send(answer)
            if step is not None:
                self._send(News([step]))

    def _send(self, reply: Reply) -> None:
        self._connection.settimeout(None)
        self._connection.sendall(frame(reply))

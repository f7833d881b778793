"""A syslog server on loopback: takes messages over TCP (octet counts), UDP or a unix socket."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from typing import IO, TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from pathlib import Path

MESSAGE = re.compile(
    rb"<(?P<priority>\d{1,3})>1 (?P<at>\S+) (?P<host>\S+) (?P<app>\S+) (?P<pid>\S+) "
    rb"(?P<kind>\S+) - (?P<text>.*)",
    re.DOTALL,
)
"""RFC 5424, without structured data"""


class Message(NamedTuple):
    """One message, read by the letter of RFC 5424."""

    priority: int
    at: str
    app: str
    kind: str
    text: str


class SyslogServer:
    """Use it as a context. `messages` is what has come."""

    def __init__(self, way: str, path: Path | None = None, port: int = 0) -> None:
        self.messages: list[Message] = []
        self.arrived = threading.Condition()
        family = socket.AF_UNIX if way == "unix" else socket.AF_INET
        kind = socket.SOCK_STREAM if way == "tcp" else socket.SOCK_DGRAM
        self._socket = socket.socket(family, kind)
        if way == "tcp":
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(str(path) if way == "unix" else ("127.0.0.1", port))
        if way == "tcp":
            self._socket.listen()
        self.address = f"unix://{path}" if way == "unix" else f"{way}://127.0.0.1:{self.port}"
        self._way = way
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._talks: list[socket.socket] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        name = self._socket.getsockname()
        return 0 if isinstance(name, str) else name[1]

    def wait_for(self, count: int, within_s: float = 15.0) -> list[Message]:
        """What has come, once there is so much of it."""
        with self.arrived:
            came = self.arrived.wait_for(lambda: len(self.messages) >= count, within_s)
        assert came, f"{len(self.messages)} of {count} messages came"
        return self.messages

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        for each in (self._socket, *self._talks):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                if self._way == "tcp":
                    talk, _ = self._socket.accept()
                    self._talks.append(talk)
                    threading.Thread(target=self._read, args=(talk,), daemon=True).start()
                elif raw := self._socket.recv(65536):
                    self._take(raw)
                else:
                    return  # it was shut down

    def _read(self, talk: socket.socket) -> None:
        with suppress(OSError), talk.makefile("rb") as stream:
            while length := _length(stream.read(1), stream):
                self._take(stream.read(length))

    def _take(self, raw: bytes) -> None:
        found = MESSAGE.fullmatch(raw)
        assert found is not None, raw
        said = {name: value.decode() for name, value in found.groupdict().items()}
        with self.arrived:
            self.messages.append(
                Message(int(said["priority"]), said["at"], said["app"], said["kind"], said["text"])
            )
            self.arrived.notify_all()


def _length(first: bytes, stream: IO[bytes]) -> int:
    digits = first
    while first and (more := stream.read(1)) != b" ":
        digits += more
    return int(digits or 0)

"""Syslog: RFC 5424 over UDP (RFC 5426), TCP (RFC 6587, by octet counts), TLS (RFC 5425) and unix.

Syslog has no answer that says that a message was taken. Over TCP and TLS a batch counts as taken
once the other machine has acknowledged every byte of it; over UDP, once it is sent.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import socket
import ssl
import struct
import sys
import termios
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, cast

import msgspec

from linarite.diagnostics.sinks.sink import USUAL_PAUSE_S, SinkDown
from linarite.domain.dial import Errand
from linarite.domain.errors import EgressRefused, SetupError
from linarite.domain.target import host_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.diagnostics.options import SinkSettings
    from linarite.domain.diagnostics import DiagnosticRecord
    from linarite.domain.dial import SocketDialer

INFORMATIONAL, WARNING = 6, 4
"""severities"""
TAKEN_S = 10.0
"""how long the other side has to acknowledge a batch"""
LOOK_S = 0.01
FORBIDDEN = "Rules forbid the connection (egress.diagnostics.allowed_hosts, or the account's own)."
PORT_MAX = 65535
_encode = msgspec.json.Encoder().encode
Way = Literal["udp", "tcp", "tls", "unix"]
PORTS: dict[str, int] = {"udp": 514, "tcp": 601, "tls": 6514}


class SyslogAddress(msgspec.Struct, frozen=True):
    """Where a syslog server is."""

    way: Way
    host: str = ""
    port: int = 0
    path: str = ""


class SyslogSink:
    """Keeps one connection, made when there is something to send."""

    pause_s = USUAL_PAUSE_S

    def __init__(self, settings: SinkSettings, dialer: SocketDialer, account_id: str) -> None:
        """Raises SetupError for an address that can't be one."""
        self._settings = settings
        self._address = address_of(settings.address)
        self._dialer = dialer
        self._errand = Errand("diagnostics", account_id)
        self._stream: _Stream | None = None
        self._datagrams: socket.socket | None = None

    async def write(self, records: Sequence[DiagnosticRecord]) -> int:
        """Send a message for each."""
        messages = [_message(each, self._settings.facility) for each in records]
        try:
            if self._address.way in ("tcp", "tls"):
                await self._to_stream(messages)
            else:
                await self._to_socket(messages)
        except EgressRefused as refused:
            raise SinkDown(FORBIDDEN, refused.message) from None
        except OSError as problem:
            await self.close()
            why = str(problem) or type(problem).__name__
            raise SinkDown(_shown(problem), f"{self._settings.address}: {why}") from None
        return 0

    async def close(self) -> None:
        """End the connection."""
        if self._stream is not None and self._stream.transport is not None:
            self._stream.transport.close()
        if self._datagrams is not None:
            self._datagrams.close()
        self._stream = self._datagrams = None

    async def _to_stream(self, messages: list[bytes]) -> None:
        address = self._address
        if self._stream is None or self._stream.lost:
            self._stream = await self._dialer.dial(
                address.host,
                address.port,
                errand=self._errand,
                tls=address.way == "tls",
                factory=_Stream,
                ca_file=self._settings.ca_file or None,
            )
        else:
            self._dialer.require(address.host, address.port, self._errand)
        await self._stream.send(b"".join(b"%d %b" % (len(each), each) for each in messages))

    async def _to_socket(self, messages: list[bytes]) -> None:
        there = self._datagrams
        if there is None:
            there = self._datagrams = (
                await self._dialer.local(self._address.path)
                if self._address.way == "unix"
                else await self._dialer.datagrams(
                    self._address.host, self._address.port, errand=self._errand
                )
            )
        elif self._address.way == "udp":
            self._dialer.require(self._address.host, self._address.port, self._errand)
        loop = asyncio.get_running_loop()
        streams = there.type == socket.SOCK_STREAM
        for each in messages:
            try:
                await loop.sock_sendall(there, b"%d %b" % (len(each), each) if streams else each)
            except OSError as problem:
                if problem.errno != errno.EMSGSIZE:
                    raise
                # What no datagram can hold would keep all others waiting: its beginning is sent.
                await loop.sock_sendall(there, each[:_DATAGRAM_BYTES])


_DATAGRAM_BYTES = 1_180
"""what every receiver must take over IPv6 (RFC 5426)"""


class _Stream(asyncio.Protocol):
    """A connection, and whether everything sent on it has arrived."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.lost = False
        self._why: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it; everything is handed to the kernel at once."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=0)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note it."""
        self.lost, self._why = True, exc

    def eof_received(self) -> bool:
        """The other side hears no more."""
        self.lost = True
        return False

    async def send(self, data: bytes) -> None:
        """Return when the other machine has all of it. Raises OSError."""
        assert self.transport is not None  # noqa: S101 - set when it was made
        await asyncio.sleep(0)  # lets the loop hear that the other side has left
        if self.lost:
            raise ConnectionResetError("the connection was closed")
        self.transport.write(data)
        until = asyncio.get_running_loop().time() + TAKEN_S
        await asyncio.sleep(LOOK_S)  # an answer that nobody is there looks like one that all came
        while not self.lost and (self.transport.get_write_buffer_size() or _on_the_way(self)):
            if asyncio.get_running_loop().time() > until:
                self.transport.abort()
                raise TimeoutError(f"it has not taken everything within {TAKEN_S:g} seconds")
            await asyncio.sleep(LOOK_S)
        if self.lost:
            raise ConnectionResetError(f"the connection was closed {self._why or 'over there'}")


def _on_the_way(stream: _Stream) -> int:
    """Bytes that the other machine has not acknowledged; 0 where the system can't tell."""
    assert stream.transport is not None  # noqa: S101 - of a connected stream
    connected = stream.transport.get_extra_info("socket")
    if connected is None or not sys.platform.startswith("linux"):
        return 0
    told = fcntl.ioctl(connected.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
    return struct.unpack("i", told)[0]


def address_of(text: str) -> SyslogAddress:
    """Read the setting. Raises SetupError."""
    way, mark, rest = text.partition("://")
    if way == "unix" and rest.startswith("/"):
        return SyslogAddress("unix", path=rest)
    host, _, port = rest.rpartition(":") if rest.rpartition(":")[2].isdecimal() else (rest, "", "")
    number = int(port or PORTS.get(way, 0))
    with suppress(EgressRefused):
        if mark and way in PORTS and 0 < number <= PORT_MAX:
            return SyslogAddress(cast("Way", way), host_of(host.strip("[]")), number)
    raise SetupError(
        f"'{text}' is no address of a syslog server. Write udp://HOST:PORT, tcp://HOST:PORT, "
        "tls://HOST:PORT or unix:///dev/log."
    )


def _shown(problem: OSError) -> str:
    """What went wrong, without where: messages of connections hold addresses."""
    if isinstance(problem, socket.gaierror):
        return problem.strerror or type(problem).__name__
    if isinstance(problem, ssl.SSLError) or not problem.errno:
        return type(problem).__name__
    return os.strerror(problem.errno)


def _message(record: DiagnosticRecord, facility: int) -> bytes:
    priority = facility * 8 + (WARNING if record.failed else INFORMATIONAL)
    # RFC 5424 takes six digits of a second at most.
    at = f"{str(record.body['time'])[:26].removesuffix('Z')}Z"
    head = f"<{priority}>1 {at} {_HOST} linarite {os.getpid()} {record.category} - "
    return head.encode() + _encode(record.body)


_HOST = socket.gethostname() or "-"

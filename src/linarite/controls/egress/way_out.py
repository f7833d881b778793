"""A way out for the child processes of a server: an HTTP proxy on loopback that keeps the rules.

What downloads models are libraries that open connections of their own. They run in a child
process that is told of this proxy and of nothing else, so that the rules of egress are kept and
what they refuse is known by name. Who does not show the secret of the process is not served.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from base64 import b64encode
from hmac import compare_digest
from typing import TYPE_CHECKING, NamedTuple, Self, cast

import structlog

from linarite.domain.errors import EgressRefused
from linarite.domain.target import target_of

if TYPE_CHECKING:
    from linarite.domain.dial import Dialer, Errand

log = structlog.get_logger("linarite.egress")

_HEAD_BYTES_MAX = 32 * 1024
_HEAD_S = 20.0
_SILENT_S = 120.0
_PIECE_BYTES = 256 * 1024
_AT_ONCE_MAX = 16
_USER = "linarite"


class _Far(asyncio.StreamReaderProtocol):
    """The other side of a connection, as a dialer makes it."""

    def __init__(self) -> None:
        self.reader = asyncio.StreamReader(_PIECE_BYTES)
        super().__init__(self.reader)
        self.transport: asyncio.Transport | None = None
        self.has_begun = False
        """something has come from there"""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it, to write to it."""
        super().connection_made(transport)
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """Note that there is an answer."""
        self.has_begun = True
        super().data_received(data)


class Limits(NamedTuple):
    """What one connection may take."""

    bytes_max: int
    """that come in"""
    connection_s: float


LIMITS = Limits(bytes_max=1024**4, connection_s=24 * 3600.0)
"""no model is larger, or takes longer"""


class WayOut:
    """The proxy. Use it as a context; `url` is for one child process."""

    def __init__(self, dialer: Dialer, errand: Errand, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._dialer = dialer
        self._errand = errand
        self._secret = secrets.token_urlsafe(24)
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()
        self.refused: EgressRefused | None = None
        """the last refusal"""

    @property
    def url(self) -> str:
        """The proxy as `HTTPS_PROXY` names one; only the child may know it."""
        assert self._server is not None  # noqa: S101 - asked for inside the context
        port = self._server.sockets[0].getsockname()[1]
        return f"http://{_USER}:{self._secret}@127.0.0.1:{port}"

    async def __aenter__(self) -> Self:
        """Listen on a port of this machine alone."""
        self._server = await asyncio.start_server(
            self._begin, "127.0.0.1", 0, limit=_HEAD_BYTES_MAX
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close everything."""
        assert self._server is not None  # noqa: S101 - set on entering
        self._server.close()
        talks = list(self._talks)
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._talks) >= _AT_ONCE_MAX:
            writer.close()
            return
        talk = asyncio.create_task(self._serve(reader, writer), name="way out")
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            with contextlib.suppress(OSError):
                _answer(writer, 502, "Bad Gateway")
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_HEAD_S):
            head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, where, _version = first.split(" ")
        if not self._may_pass(lines):
            _answer(writer, 407, "Proxy Authentication Required")
            return
        through = method == "CONNECT"
        try:
            target = target_of(f"https://{where}" if through else where)
            far = await self._dialer.dial(
                target.host, target.port, errand=self._errand, tls=False, factory=_Far
            )
        except EgressRefused as refused:
            self.refused = refused
            _answer(writer, 403, "Forbidden by egress rules")
            return
        there = far.transport
        if there is None:
            raise OSError("not connected")
        try:
            if through:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                there.write(_forwarded(method, target.path, lines))
            async with asyncio.timeout(self._limits.connection_s):
                await _both(reader, writer, far.reader, there, self._limits.bytes_max)
        except OSError:
            if not through and not far.has_begun:
                raise
            # An answer of ours would be taken for the rest of the host's.
        finally:
            there.close()

    def _may_pass(self, lines: list[str]) -> bool:
        wanted = b64encode(f"{_USER}:{self._secret}".encode()).decode()
        shown = [line.partition(":")[2].strip() for line in lines if _names(line, "proxy-auth")]
        return len(shown) == 1 and compare_digest(shown[0], f"Basic {wanted}")


def _names(line: str, beginning: str) -> bool:
    return line.lower().startswith(beginning)


def _forwarded(method: str, path: str, lines: list[str]) -> bytes:
    """A request as its host wants it: one, after which the connection ends."""
    kept = [
        line for line in lines if not _names(line, "proxy-") and not _names(line, "connection:")
    ]
    head = [f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""]
    return "\r\n".join(head).encode("latin-1")


def _answer(writer: asyncio.StreamWriter, status: int, reason: str) -> None:
    ask = 'Proxy-Authenticate: Basic realm="linarite"\r\n' if status == 407 else ""  # noqa: PLR2004 - the status that asks for credentials
    head = f"HTTP/1.1 {status} {reason}\r\n{ask}Content-Length: 0\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())


async def _both(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    far_reader: asyncio.StreamReader,
    there: asyncio.Transport,
    bytes_max: int,
) -> None:
    """Carry bytes both ways until the far side has ended, is silent for too long, or too much."""
    left = bytes_max

    async def out() -> None:
        while piece := await reader.read(_PIECE_BYTES):
            there.write(piece)
        if there.can_write_eof():
            there.write_eof()

    sending = asyncio.create_task(out())
    try:
        while True:
            async with asyncio.timeout(_SILENT_S):
                piece = await far_reader.read(_PIECE_BYTES)
            left -= len(piece)
            if not piece or left < 0:
                return
            writer.write(piece)
            await writer.drain()
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

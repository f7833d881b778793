"""Taking connections where something comes before HTTP: a PROXY header, a TLS handshake, or both.

Both are bounded in time, and count as connections from their first moment on. Linarite accepts
these itself: an event loop's own server tells of a connection when its handshake is over.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import TYPE_CHECKING

import structlog

from linarite.domain.errors import ServiceUnavailable
from linarite.web.addresses import peer_of
from linarite.web.forwarded import may_be_told
from linarite.web.protocol import HttpProtocol
from linarite.web.proxy_header import NoProxyHeader, peek, read_header
from linarite.web.refusals import HEAD_BYTES_MAX, Malformed, refusal

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from linarite.web.connections import Connections, Visit

log = structlog.get_logger("linarite.web")

ACCEPTED_AT_ONCE = 64
"""then others have their turn"""
PAUSE_S = 1.0
"""after the system had nothing left to accept with"""
TOLD_EVERY_S = 10.0
PLAIN = "Plain HTTP came where https is spoken: begin the URL with https://"
SHUTDOWN_S = 5.0
"""for the client's part of the end of TLS"""


class Acceptor:
    """Accepts on one socket that listens."""

    def __init__(
        self,
        listening: socket.socket,
        shared: Connections,
        tls: Callable[[str], ssl.SSLContext] | None,
    ) -> None:
        """`tls` gives the context for a connection to an address; None: plain HTTP."""
        self._socket = listening
        self._shared = shared
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        self._told_at = -TOLD_EVERY_S
        self._untold = 0
        self._begin()

    def close(self) -> None:
        """Accept no more, and give up what is still opening."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()
        for task in self._opening:
            task.cancel()

    def _begin(self) -> None:
        self._pause = None
        self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                connection, peer = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as problem:  # most likely no file descriptor is left
                log.warning("connections wait: none can be accepted", reason=problem.strerror)
                self._loop.remove_reader(self._socket)
                self._pause = self._loop.call_later(PAUSE_S, self._begin)
                return
            connection.setblocking(False)  # noqa: FBT003 - the socket module takes it so
            try:
                visit = self._shared.enter()
            except ServiceUnavailable as full:
                connection.close()
                self._tell(full.message, None)
                continue
            task = self._loop.create_task(self._open(connection, peer_of(peer), visit))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open(
        self, connection: socket.socket, peer: tuple[str, int] | None, visit: Visit
    ) -> None:
        """Bring a connection to where HTTP begins, or close it."""
        opened = False
        try:
            client = await self._client(connection, peer)
            visit.belong_to(client)
            await self._serve(connection, visit)
            opened = True
        except (NoProxyHeader, ServiceUnavailable, OSError, TimeoutError) as problem:
            self._tell(_said(problem), peer)
        finally:
            if not opened:
                visit.end()
                connection.close()

    async def _client(
        self, connection: socket.socket, peer: tuple[str, int] | None
    ) -> tuple[str, int] | None:
        """Whose the connection is. Raises NoProxyHeader, TimeoutError and OSError."""
        limits = self._shared.limits
        if not limits.proxy_protocol:
            return peer
        if not self._shared.trusted.trusts(peer[0] if peer is not None else None):
            raise NoProxyHeader(f"its sender is none of {self._shared.section}.trusted_proxies")
        async with asyncio.timeout(limits.handshake_s):
            told = await read_header(connection)
        if told.client is None:
            return peer if told.is_local else None
        if not may_be_told(told.client[0], peer[0] if peer is not None else None):
            raise NoProxyHeader(f"it names {told.client[0]}, which is no address of a client's")
        return peer_of(told.client)

    async def _serve(self, connection: socket.socket, visit: Visit) -> None:
        """Shake hands and hand over to HTTP. Raises OSError, of which ssl.SSLError is one."""

        def protocol() -> HttpProtocol:
            return HttpProtocol(self._shared, visit)

        if self._tls is None:
            await self._loop.connect_accepted_socket(protocol, connection)
            return
        # Who is silent costs a socket, and not yet what TLS takes.
        async with asyncio.timeout(self._shared.limits.handshake_s):
            begun = await peek(connection, 1)
        if not begun:  # a health check by TCP alone does so
            raise ConnectionResetError
        if begun.isalpha():
            self._refuse_plain(connection)
        address = peer_of(connection.getsockname())
        context = self._tls(address[0] if address is not None else "")
        await self._loop.connect_accepted_socket(
            protocol,
            connection,
            ssl=context,
            ssl_handshake_timeout=self._shared.limits.handshake_s,
            ssl_shutdown_timeout=SHUTDOWN_S,
        )

    def _refuse_plain(self, connection: socket.socket) -> None:
        """Answer who speaks HTTP where TLS is spoken, as most servers do. Raises ssl.SSLError."""
        connection.recv(HEAD_BYTES_MAX)  # unread, it would reset the connection under the answer
        connection.send(refusal(Malformed(PLAIN), self._shared.date_line))
        raise ssl.SSLError(1, "[SSL: HTTP_REQUEST]")

    def _tell(self, reason: str, peer: tuple[str, int] | None) -> None:
        """Log why a connection did not come to be; of a flood only now and then."""
        self._untold += 1
        now = time.monotonic()
        if now - self._told_at < TOLD_EVERY_S:
            return
        log.info(
            "connection refused",
            listener=self._shared.arrival.listener,
            reason=reason,
            client_address=peer[0] if peer is not None else "",
            count=self._untold,
        )
        self._told_at, self._untold = now, 0


def _said(problem: Exception) -> str:
    """What happened, and for what people meet often, what to do."""
    if isinstance(problem, NoProxyHeader):
        return f"no PROXY header: {problem}"
    if isinstance(problem, ServiceUnavailable):
        return problem.message
    if isinstance(problem, TimeoutError):
        return "no PROXY header or TLS handshake came in time"
    if isinstance(problem, ssl.SSLError):
        reason = getattr(problem, "reason", None) or "HTTP_REQUEST"
        return TEACHING.get(reason, f"TLS handshake failed: {reason}")
    if isinstance(problem, ConnectionAbortedError):
        return "the TLS handshake took too long"
    return "the connection broke before it was open"


TEACHING = {
    "HTTP_REQUEST": "plain HTTP came to a listener with TLS: the client's URL should begin with "
    "https://",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the client showed no certificate, which this listener "
    "requires: client_certificates",
    "CERTIFICATE_VERIFY_FAILED": "the client's certificate is from no authority of "
    "client_ca_files, has ended, or is revoked",
    "TLSV1_ALERT_UNKNOWN_CA": "the client does not trust this server's authority: `linarite ca "
    "trust` says how it can",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the client does not trust this server's certificate: "
    "`linarite ca trust` says how it can",
}

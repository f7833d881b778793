"""Listening sockets: opened, served, closed."""

from __future__ import annotations

import asyncio
import socket
import ssl
from email.utils import formatdate
from typing import TYPE_CHECKING

from linarite.domain.arrival import ANY_WAY
from linarite.domain.errors import SetupError
from linarite.web.connections import Connections
from linarite.web.protocol import HttpProtocol

if TYPE_CHECKING:
    from linarite.domain.arrival import Arrival
    from linarite.web.exchange import Handler
    from linarite.web.options import Server

LAST_WORDS_S = 1.0
"""for requests that the end of the grace period cuts short to tell their clients"""


class Listener:
    """A listening socket with a handler behind it."""

    def __init__(self, handler: Handler, options: Server, arrival: Arrival = ANY_WAY) -> None:
        """Nothing is bound until `open`. `arrival` is told to all that comes by it."""
        self._options = options
        self._shared = Connections(
            handler,
            connections_max=options.connections_max,
            keep_alive_s=options.keep_alive_s,
            arrival=arrival,
        )
        self._server: asyncio.Server | None = None
        self._clock: asyncio.Task[None] | None = None
        self.port = options.port

    @property
    def url(self) -> str:
        """What a client on this machine puts before the path."""
        host = self._options.host
        if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
            host = "127.0.0.1"
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self._options.tls_certificate else 'http'}://{shown}:{self.port}"

    async def open(self) -> None:
        """Bind and serve. Raises SetupError when the address can't be had."""
        tls = _tls(self._options)
        bound = _bind(self._options.host, self._options.port)
        self.port = bound.getsockname()[1]
        self._tell_date()
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: HttpProtocol(self._shared), sock=bound, ssl=tls, backlog=2048
            )
        except OSError as problem:  # another socket listens there, though both could be bound
            bound.close()
            raise _cant_listen(self._options.host, self.port, problem) from None
        self._clock = asyncio.create_task(self._keep_date(), name="date header")

    async def close(self, grace_s: float) -> None:
        """Stop accepting, let answers that have begun finish for `grace_s`, hang up.

        What is not finished then is told so, as far as its client still listens.
        """
        if self._clock is not None:
            self._clock.cancel()
        if self._server is not None:
            self._server.close()
        shared = self._shared
        shared.closing = True
        for connection in list(shared.open):
            connection.shutdown()
        running = shared.tasks()
        if running:
            await asyncio.wait(running, timeout=grace_s)
        late = shared.tasks()
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=LAST_WORDS_S)
        await self._hang_up()

    async def _hang_up(self) -> None:
        """Let closing connections send what they have written, then cut those that are left."""
        connections = self._shared.open
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LAST_WORDS_S
        while connections and loop.time() < deadline:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        for connection in list(connections):
            connection.abort()

    async def _keep_date(self) -> None:
        while True:
            self._tell_date()
            await asyncio.sleep(1)

    def _tell_date(self) -> None:
        self._shared.date_line = b"date: %b\r\n" % formatdate(usegmt=True).encode()


def require_free(options: Server) -> None:
    """Raise the SetupError that `Listener.open` would raise now for the address."""
    _bind(options.host, options.port).close()


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as problem:
        bound.close()
        raise _cant_listen(host, port, problem) from None
    bound.setblocking(False)  # noqa: FBT003 - the socket module takes it so
    # Accepted sockets inherit it: each event of a stream goes out at once.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def _cant_listen(host: str, port: int, problem: OSError) -> SetupError:
    return SetupError(
        f"Can't listen on {host}:{port}: {problem.strerror or problem}. Set server.host and "
        "server.port to an address of this machine that is free (port 0 picks one), or stop what "
        "uses it."
    )


def _tls(options: Server) -> ssl.SSLContext | None:
    if not options.tls_certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # Without a password OpenSSL would stop and ask the terminal for one.
        context.load_cert_chain(options.tls_certificate, options.tls_key, password="")
    except (OSError, ssl.SSLError) as problem:
        raise SetupError(
            f"server.tls_certificate or server.tls_key can't be used: {problem}. Both must be PEM "
            "files, and the key must belong to the certificate and have no password."
        ) from None
    return context

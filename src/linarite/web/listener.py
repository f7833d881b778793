"""Listening sockets, and HTTP/1.1 on them by uvicorn's protocol with bounds it does not have."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from email.utils import formatdate
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from linarite.domain.errors import SetupError, TooManyHeaders
from linarite.web.error_envelope import error_body

if TYPE_CHECKING:
    from linarite.web.asgi import App
    from linarite.web.options import Server

HEAD_BYTES_MAX = 64 * 1024
HEADERS_MAX = 100
HEAD_DEADLINE_S = 30.0


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a bound on a request's head, on silence, and on connections."""

    connections_max = 10_000
    _head_bytes = 0
    _in_head = True
    _silence: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn narrows it too
        """Take the connection, unless there are too many."""
        if len(self.connections) >= self.connections_max:
            transport.abort()
            return
        super().connection_made(transport)
        self._silence = self.loop.call_later(HEAD_DEADLINE_S, self._too_silent)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._silence is not None:
            self._silence.cancel()
        if getattr(self, "transport", None) is not None:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; a head that goes on and on is refused."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse_head()

    def on_message_begin(self) -> None:
        """A new head begins."""
        self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if len(self.headers) > HEADERS_MAX:
            self._refuse_head()
            return
        super().on_headers_complete()

    def _too_silent(self) -> None:
        if self._in_head and not self.transport.is_closing():
            self.transport.close()

    def _refuse_head(self) -> None:
        if self.transport.is_closing():
            return
        body = error_body(TooManyHeaders(HEADERS_MAX))
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n%s" % (len(body), body)
        )
        self.transport.close()


class Listener:
    """A listening socket with an application behind it."""

    def __init__(self, app: App, options: Server) -> None:
        """Nothing is bound until `open`."""
        self._options = options
        self._config = uvicorn.Config(
            app,
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=int(options.keep_alive_s),
        )
        self._state = ServerState()
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
        self._config.load()
        loop = asyncio.get_running_loop()
        bound = _bind(self._options.host, self._options.port)
        self.port = bound.getsockname()[1]
        self._tell_date()
        self._server = await loop.create_server(
            self._protocol, sock=bound, ssl=_tls(self._options), backlog=2048
        )
        self._clock = asyncio.create_task(self._keep_date(), name="date header")

    async def close(self, grace_s: float) -> None:
        """Stop accepting, let answers that have begun finish for `grace_s`, hang up."""
        if self._clock is not None:
            self._clock.cancel()
        if self._server is not None:
            self._server.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        if self._state.tasks:
            await asyncio.wait(set(self._state.tasks), timeout=grace_s)
        for task in list(self._state.tasks):
            task.cancel()
        for connection in list(self._state.connections):
            with suppress(AttributeError):
                connection.transport.abort()

    def _protocol(self) -> BoundedProtocol:
        protocol = BoundedProtocol(config=self._config, server_state=self._state, app_state={})
        protocol.connections_max = self._options.connections_max
        return protocol

    async def _keep_date(self) -> None:
        while True:
            self._tell_date()
            await asyncio.sleep(1)

    def _tell_date(self) -> None:
        self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as problem:
        bound.close()
        raise SetupError(
            f"Can't listen on {host}:{port}: {problem.strerror or problem}. Set server.port to "
            "another port (0 picks a free one), or stop what uses it."
        ) from None
    bound.setblocking(False)  # noqa: FBT003 - the socket module takes it so
    # Accepted sockets inherit it: each event of a stream goes out at once.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def _tls(options: Server) -> ssl.SSLContext | None:
    if not options.tls_certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(options.tls_certificate, options.tls_key)
    except (OSError, ssl.SSLError) as problem:
        raise SetupError(
            f"server.tls_certificate or server.tls_key can't be used: {problem}. Both must be PEM "
            "files, and the key must belong to the certificate."
        ) from None
    return context

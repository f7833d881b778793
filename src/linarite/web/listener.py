"""Listening sockets: opened, served, closed."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import TYPE_CHECKING

from linarite.domain.arrival import ANY_WAY
from linarite.web.acceptor import Acceptor
from linarite.web.binding import UNIX_PREFIX, bind, listen, unbind
from linarite.web.connections import Connections
from linarite.web.options import ListenerSettings, Server, listener_of
from linarite.web.protocol import HttpProtocol
from linarite.web.tls import ServerTls

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from linarite.domain.arrival import Arrival
    from linarite.web.exchange import Handler

LAST_WORDS_S = 1.0
"""for requests that the end of the grace period cuts short to tell their clients"""
ALL_ADDRESSES = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}  # noqa: S104 - compared, not bound


class Listener:
    """A listening socket with a handler behind it."""

    def __init__(
        self,
        handler: Handler,
        options: Server | ListenerSettings,
        arrival: Arrival = ANY_WAY,
        tls: ServerTls | None = None,
        section: str = "server",
    ) -> None:
        """Nothing is bound until `open`. `arrival` is told to all that comes by it.

        `tls` is the server's, which may be left out where the options name a certificate;
        `section` is where the options stand in the settings. Raises SetupError for those.
        """
        self._tls = tls
        if isinstance(options, Server):
            if tls is None and options.has_tls:
                self._tls = ServerTls(options)
            options = listener_of(options)
        self._options = options
        self._section = section
        limits_in = "server" if section == "https" else section
        self._shared = Connections(handler, options, arrival, limits_in)
        self._server: asyncio.Server | None = None
        self._acceptor: Acceptor | None = None
        self._clock: asyncio.Task[None] | None = None
        self.port = options.port

    @property
    def url(self) -> str:
        """What a client on this machine puts before the path; for a unix socket, its address."""
        host = self._options.address
        if host.startswith(UNIX_PREFIX):
            return host
        host = ALL_ADDRESSES.get(host, host)
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self._options.tls else 'http'}://{shown}:{self.port}"

    async def open(self) -> None:
        """Bind and serve. Raises SetupError when the address can't be had."""
        options = self._options
        context = await asyncio.to_thread(self._contexts) if options.tls else None
        bound = bind(options.address, options.port, self._section, options.socket_mode)
        if not options.address.startswith(UNIX_PREFIX):
            self.port = bound.getsockname()[1]
        self._tell_date()
        listen(bound, options.address, self.port, self._section)
        if context is None and not options.proxy_protocol:
            self._server = await self._plain_server(bound)
        else:
            self._acceptor = Acceptor(bound, self._shared, context)
        self._clock = asyncio.create_task(self._tick(), name="listener's clock")

    def _contexts(self) -> Callable[[str], ssl.SSLContext]:
        """What gives each connection its context. Raises SetupError."""
        assert self._tls is not None  # noqa: S101 - whoever opens a listener with TLS gives it
        trust = self._options.client_trust
        tls, section = self._tls, self._section
        if trust.mode == "none" and tls.may_wait:
            return lambda address: tls.contexts(trust, section).at(address)
        contexts = tls.contexts(trust, section)
        contexts.at(self._options.address)  # what can't be used is told now
        if trust.mode != "none":
            self._shared.judge = contexts
        return contexts.at

    async def _plain_server(self, bound: socket.socket) -> asyncio.Server:
        """The event loop accepts by itself where HTTP is all there is: that costs least."""
        loop = asyncio.get_running_loop()

        def protocol() -> HttpProtocol:
            return HttpProtocol(self._shared)

        if self._options.address.startswith(UNIX_PREFIX):
            return await loop.create_unix_server(protocol, sock=bound)
        return await loop.create_server(protocol, sock=bound)

    async def close(self, grace_s: float) -> None:
        """Stop accepting, let answers that have begun finish for `grace_s`, hang up.

        What is not finished then is told so, as far as its client still listens.
        """
        if self._clock is not None:
            self._clock.cancel()
        shared = self._shared
        shared.closing = True
        if self._server is not None:
            self._server.close()
        if self._acceptor is not None:
            self._acceptor.close()
        if self._server is not None or self._acceptor is not None:
            unbind(self._options.address)
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

    async def _tick(self) -> None:
        while True:
            self._tell_date()
            self._shared.end_those_refused()
            await asyncio.sleep(1)

    def _tell_date(self) -> None:
        self._shared.date_line = b"date: %b\r\n" % formatdate(usegmt=True).encode()


def require_free(options: Server) -> None:
    """Raise the SetupError that `Listener.open` would raise now for the address."""
    bind(options.host, options.port, "server").close()

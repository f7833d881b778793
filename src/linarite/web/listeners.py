"""All listeners of a server: those of its settings, and those that come and go while it runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import structlog

from linarite.domain.arrival import ANY_WAY, PLANES, Arrival
from linarite.domain.errors import SetupError
from linarite.domain.target import is_loopback
from linarite.web.listener import Listener
from linarite.web.options import ListenerSettings, Server, listener_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.web.exchange import Handler
    from linarite.web.tls import ServerTls

log = structlog.get_logger("linarite.web")

HTTPS = "https"
"""the name of the listener beside the plain one"""
PLAIN_PORT, HTTPS_PORT = 8080, 8443


class Declared(msgspec.Struct, frozen=True):
    """Where clients on this machine find the listeners of `[server]`."""

    url: str
    https_url: str = ""
    """of https beside plain http; "" where there is none"""
    others: dict[str, str] = {}
    """the URLs of `[listeners.NAME]`, by name"""


class Listeners:
    """Listeners by name, all with the same handler behind them."""

    def __init__(self, handler: Handler, tls: ServerTls | None = None) -> None:
        """None is open yet. Without `tls`, only certificates that options name are served."""
        self._handler = handler
        self._tls = tls
        self._open: dict[str, Listener] = {}

    async def open(
        self,
        options: Server | ListenerSettings,
        arrival: Arrival,
        section: str = "server",
    ) -> Listener:
        """Bind and serve under the arrival's name. Raises SetupError when it can't be had.

        A private endpoint's speaks TLS, with the certificate that fits the name asked for, unless
        plain HTTP is allowed beyond loopback; no proxy stands before it. What else it takes from
        `options` is their address, port and limits.
        A name that is taken is an error of the caller's.
        """
        assert arrival.listener not in self._open, arrival.listener  # noqa: S101 - as said
        if arrival.endpoint_id and self._tls is not None:
            options = listener_of(options) if isinstance(options, Server) else options
            secure = options.tls or not options.plaintext_beyond_loopback
            options = msgspec.structs.replace(
                options, tls=secure, proxy_protocol=False, trusted_proxies=[]
            )
        listener = Listener(self._handler, options, arrival, self._tls, section)
        await listener.open()
        self._open[arrival.listener] = listener
        return listener

    async def open_declared(
        self, server: Server, others: Mapping[str, ListenerSettings]
    ) -> Declared:
        """Open those that settings declare. Raises SetupError; what is open then stays so."""
        first = await self.open(server, ANY_WAY)
        beside = await self._open_beside(server)
        urls: dict[str, str] = {}
        for name, options in others.items():
            planes = frozenset(options.planes) or PLANES
            listener = await self.open(options, Arrival(name, planes), f"listeners.{name}")
            urls[name] = listener.url
            log.info("listening", listener=name, url=listener.url)
        return Declared(first.url, beside.url if beside is not None else "", urls)

    async def _open_beside(self, server: Server) -> Listener | None:
        """Https beside plain http on loopback."""
        if not server.https or server.has_tls or self._tls is None or not is_loopback(server.host):
            return None
        arrival = Arrival(HTTPS)
        options = msgspec.structs.replace(server, tls=True, port=server.https_port)
        if server.https_port == 0 and server.port == PLAIN_PORT:
            try:
                usual = msgspec.structs.replace(options, port=HTTPS_PORT)
                return await self.open(usual, arrival, HTTPS)
            except SetupError as taken:
                log.info("https takes a free port", reason=taken.message)
        return await self.open(options, arrival, HTTPS)

    async def close(self, name: str, grace_s: float = 0.0) -> None:
        """End a listener and its connections; running requests get `grace_s`. Unknown: nothing."""
        listener = self._open.pop(name, None)
        if listener is not None:
            await listener.close(grace_s)

    async def close_all(self, grace_s: float) -> None:
        """End all, side by side."""
        await asyncio.gather(*(self.close(name, grace_s) for name in list(self._open)))

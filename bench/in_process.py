"""A server without sockets on the path of its requests: clients and the upstream are in memory.

What is left is what our own code costs, and no system call, no other core that must be woken, and
no load beside it: the same figure on a machine that others keep busy.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from bench.fake_upstream import MESSAGE, ROLE, STREAM_END, STREAM_HEAD, WORD
from linarite.assembly import Assembly
from linarite.web.connections import Connections
from linarite.web.options import Server
from linarite.web.protocol import HttpProtocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from linarite.controls.egress import EgressDialer
    from linarite.domain.dial import Errand, ProtocolT
    from linarite.hosting.instance_maker import InstanceMaker
    from linarite.web.edge import Edge
    from linarite.web.exchange import Handler

STREAMED = b'"stream":true'


class Wire(asyncio.Transport):
    """A transport whose writes go to a function."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        super().__init__({"peername": ("127.0.0.1", 40_000)})
        self._take = take
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Hand it over."""
        self._take(bytes(data))

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self._closing

    def close(self) -> None:
        """Say that it is closed."""
        self._closing = True

    abort = close

    def pause_reading(self) -> None:
        """Nothing is read."""

    def resume_reading(self) -> None:
        """Nothing is read."""

    def get_write_buffer_size(self) -> int:
        """Whatever is written has gone."""
        return 0


class MemoryUpstream:
    """The other end of the client's connections. It answers at once, or word by word as told."""

    def __init__(self) -> None:
        self.streams: list[asyncio.Protocol] = []
        """connections whose answer has begun and not ended"""

    def connected(self, protocol: asyncio.Protocol) -> None:
        """Be the other end of a connection."""
        soon = asyncio.get_running_loop().call_soon

        def answer(request: bytes) -> None:
            if STREAMED in request:
                self.streams.append(protocol)
                soon(protocol.data_received, STREAM_HEAD + ROLE)
            else:
                soon(protocol.data_received, MESSAGE)

        protocol.connection_made(Wire(answer))

    def say(self) -> None:
        """A word in each stream, as from so many sockets."""
        soon = asyncio.get_running_loop().call_soon
        for protocol in self.streams:
            soon(protocol.data_received, WORD)

    def end(self) -> None:
        """End every stream."""
        streams, self.streams = self.streams, []
        for protocol in streams:
            protocol.data_received(STREAM_END)


class WiredDialer:
    """Egress's dialer, except that connections lead to an upstream in memory."""

    def __init__(self, real: EgressDialer, upstream: MemoryUpstream) -> None:
        self._real = real
        self._upstream = upstream

    async def dial(
        self,
        host: str,  # noqa: ARG002 - the upstream is everywhere
        port: int,  # noqa: ARG002 - as above
        *,
        errand: Errand,  # noqa: ARG002 - asked by `require`
        tls: bool,  # noqa: ARG002 - none in memory
        factory: Callable[[], ProtocolT],
        ca_file: str | None = None,  # noqa: ARG002 - as above
    ) -> ProtocolT:
        """Connect in memory."""
        protocol = factory()
        self._upstream.connected(cast("asyncio.Protocol", protocol))
        return protocol

    def require(self, host: str, port: int, errand: Errand) -> None:
        """As the real one."""
        self._real.require(host, port, errand)

    async def datagrams(self, host: str, port: int, *, errand: Errand) -> socket.socket:
        """As the real one."""
        return await self._real.datagrams(host, port, errand=errand)

    async def local(self, path: str) -> socket.socket:
        """As the real one."""
        return await self._real.local(path)


class InProcess(Assembly):
    """A whole server, as people run it, whose upstream is in memory."""

    upstream: MemoryUpstream
    edge: Edge

    def _open_host(self, dialer: EgressDialer) -> InstanceMaker:
        self.upstream = MemoryUpstream()
        return super()._open_host(cast("EgressDialer", WiredDialer(dialer, self.upstream)))

    async def _listen(self, edge: Edge) -> None:
        self.edge = edge
        await super()._listen(edge)


class Clients:
    """Clients in front of a handler, each with a connection of its own."""

    def __init__(self, handler: Handler, count: int) -> None:
        self._shared = Connections(handler, Server())
        self._shared.date_line = b"date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
        self._loop = asyncio.get_running_loop()
        self._request = b""
        self._to_ask = 0
        self._awaited = 0
        """writes that are still to come"""
        self._over: asyncio.Future[None] = self._loop.create_future()
        self.wrong = 0
        """answers that were no success"""
        self._connections = [self._connect() for _ in range(count)]

    def _connect(self) -> HttpProtocol:
        connection = HttpProtocol(self._shared)

        def take(written: bytes) -> None:
            if written.startswith(b"HTTP/1.1") and not written.startswith(b"HTTP/1.1 200"):
                self.wrong += 1
            if self._to_ask > 0:
                self._ask(connection)
            self._awaited -= 1
            if not self._awaited:
                self._over.set_result(None)

        connection.connection_made(Wire(take))
        return connection

    def _ask(self, connection: HttpProtocol) -> None:
        self._to_ask -= 1
        self._loop.call_soon(connection.data_received, self._request)

    async def ask(self, request: bytes, times: int) -> None:
        """Plain requests, each client's next as soon as it is answered."""
        self._request = request
        self._to_ask = times
        written = self.written(times)
        for connection in self._connections:
            self._ask(connection)
        await written

    async def begin(self, request: bytes) -> None:
        """A stream for each client, up to its first piece."""
        written = self.written(len(self._connections))
        for connection in self._connections:
            self._loop.call_soon(connection.data_received, request)
        await written

    def written(self, count: int) -> asyncio.Future[None]:
        """Done once servers have written so often."""
        self._awaited = count
        self._over = self._loop.create_future()
        return self._over

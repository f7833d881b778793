"""A tiny HTTP proxy for tests: CONNECT only, to names of its own table."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@dataclass
class ConnectProxy:
    """Every name leads to 127.0.0.1 at the port that was asked for."""

    answer: bytes | None = None
    """sent instead of opening the way; the connection is closed then"""
    asked: list[str] = field(default_factory=list)
    """`host:port` of each request"""
    authorizations: list[str] = field(default_factory=list)
    """`Proxy-Authorization` of each request, "" where there was none"""
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        method, there, version = first.split(" ")
        assert (method, version) == ("CONNECT", "HTTP/1.1")
        headers = dict(line.split(": ", 1) for line in lines if line)
        assert headers["Host"] == there
        self.asked.append(there)
        self.authorizations.append(headers.get("Proxy-Authorization", ""))
        if self.answer is not None:
            writer.write(self.answer)
            await writer.drain()
            return
        port = int(there.rpartition(":")[2])
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n")
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes until one side ends."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def proxying(proxy: ConnectProxy) -> AsyncGenerator[ConnectProxy]:
    """Serve it on 127.0.0.1."""
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()

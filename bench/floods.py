"""`python -m bench.floods`: what hostile connections cost a server, and the others beside them.

Each row floods a fresh server for some seconds while a well-behaved client asks again and again.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import socket
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from linarite.web.descriptors import allow_many_connections
from tests.serving import SIMULATED, Server, start_server, stopped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ASK_EVERY_S = 0.02
AT_ONCE = 200
"""connections that are being opened at the same time"""
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
ANY_CERTIFICATE = ssl.create_default_context()
ANY_CERTIFICATE.check_hostname = False
ANY_CERTIFICATE.verify_mode = ssl.CERT_NONE


SETTINGS = """
[server]
connections_max = 12000
[logs]
level = "error"
access = "off"
"""


class Flood(msgspec.Struct, frozen=True):
    """What one kind of hostile client does."""

    name: str
    connections: int
    secure: bool
    behave: Callable[[Stream, Server], Awaitable[None]]
    """on a connection, until it is cancelled or thrown out"""
    handshakes: bool = True
    """whether a secure one shakes hands"""


class Row(msgspec.Struct, frozen=True):
    """What was measured."""

    name: str
    opened: int
    idle_mib: float
    most_mib: float
    answers: int
    failed: int
    median_ms: float
    worst_ms: float


async def nothing(stream: Stream, server: Server) -> None:
    """Stay, silent."""
    del server
    await stream[0].read()


async def trickle_head(stream: Stream, server: Server) -> None:
    """A byte of a head now and then."""
    del server
    stream[1].write(b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ")
    while True:
        stream[1].write(b"y")
        await stream[1].drain()
        await asyncio.sleep(1)


async def trickle_body(stream: Stream, server: Server) -> None:
    """A byte of a body now and then, of somebody with a key."""
    stream[1].write(post(server, b"content-length: 1000000") + b"{")
    while True:
        stream[1].write(b" ")
        await stream[1].drain()
        await asyncio.sleep(1)


async def endless_head(stream: Stream, server: Server) -> None:
    """Headers without an end."""
    del server
    stream[1].write(b"GET / HTTP/1.1\r\nhost: localhost\r\n")
    for number in itertools.count():
        stream[1].write(b"x-%d: %b\r\n" % (number, b"y" * 1000))
        await stream[1].drain()


async def endless_body(stream: Stream, server: Server) -> None:
    """A body without an end, of somebody with a key."""
    stream[1].write(post(server, b"transfer-encoding: chunked"))
    piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    while True:
        stream[1].write(piece)
        await stream[1].drain()


def post(server: Server, framing: bytes) -> bytes:
    """The head of a chat request."""
    return (
        b"POST /openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21 HTTP/1.1\r\n"
        b"host: localhost\r\napi-key: %b\r\ncontent-type: application/json\r\n%b\r\n\r\n"
    ) % (server.key.encode(), framing)


def floods(scale: float) -> list[Flood]:
    """All of them, as large as wanted."""

    def many(number: int) -> int:
        return max(1, int(number * scale))

    return [
        Flood("idle connections", many(10_000), secure=False, behave=nothing),
        Flood("idle connections, TLS", many(2_000), secure=True, behave=nothing),
        Flood("silent handshakes", many(10_000), secure=True, behave=nothing, handshakes=False),
        Flood("heads, a byte a second", many(2_000), secure=False, behave=trickle_head),
        Flood("bodies, a byte a second", many(2_000), secure=False, behave=trickle_body),
        Flood("endless heads", many(200), secure=False, behave=endless_head),
        Flood("endless bodies, with a key", many(200), secure=False, behave=endless_body),
    ]


async def measured(flood: Flood, server: Server, seconds: float) -> Row:
    """Flood a server, and ask it meanwhile."""
    idle_mib = memory_mib(server)
    keep: list[float] = [idle_mib]
    opened = [0]
    gate = asyncio.Semaphore(AT_ONCE)
    hostile = [
        asyncio.create_task(attack(flood, server, number, gate, opened))
        for number in range(flood.connections)
    ]
    while opened[0] < flood.connections * 0.9:  # most of them are there before anybody asks
        await asyncio.sleep(0.1)
        keep.append(memory_mib(server))
    asker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.floods",
        "--ask",
        server.endpoint,
        "--seconds",
        str(seconds),
        stdout=asyncio.subprocess.PIPE,
    )  # a process of its own: this one is busy with its flood
    told = asyncio.create_task(asker.communicate())
    while not told.done():
        await asyncio.sleep(0.1)
        keep.append(memory_mib(server))
    times, failed = msgspec.json.decode((await told)[0], type=tuple[list[float], int])
    for task in hostile:
        task.cancel()
    await asyncio.gather(*hostile, return_exceptions=True)
    return Row(
        name=flood.name,
        opened=opened[0],
        idle_mib=idle_mib,
        most_mib=max(keep),
        answers=len(times),
        failed=failed,
        median_ms=statistics.median(times) if times else float("nan"),
        worst_ms=max(times, default=float("nan")),
    )


async def attack(
    flood: Flood, server: Server, number: int, gate: asyncio.Semaphore, opened: list[int]
) -> None:
    """One hostile client: thrown out, it comes again."""
    address = f"127.1.{number // 250 % 250}.{number % 250 + 1}"
    while True:
        with suppress(OSError, ssl.SSLError, TimeoutError):
            async with gate:
                stream = await connected(server, flood.secure, flood.handshakes, address)
            opened[0] += 1
            try:
                await flood.behave(stream, server)
            finally:
                stream[1].transport.abort()
        await asyncio.sleep(0.5)


async def connected(
    server: Server, secure: bool, handshakes: bool = True, address: str = "127.0.0.1"
) -> Stream:
    """A connection from an address of one's own."""
    url = urlsplit(server.ready["https_endpoint"] if secure else server.endpoint)
    more: dict[str, Any] = {"ssl": ANY_CERTIFICATE} if secure and handshakes else {}
    return await asyncio.open_connection(url.hostname, url.port, local_addr=(address, 0), **more)


def ask(endpoint: str, seconds: float) -> tuple[list[float], int]:
    """Ask again and again, each time on a new connection; milliseconds, and how often in vain."""
    url = urlsplit(endpoint)
    times: list[float] = []
    failed = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        try:
            with socket.create_connection((url.hostname, url.port or 80), timeout=5) as asked:
                asked.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
                good = asked.recv(1000).startswith(b"HTTP/1.1 200")
        except OSError:
            good = False
        if good:
            times.append(1000 * (time.perf_counter() - began))
        else:
            failed += 1
        time.sleep(ASK_EVERY_S)
    return times, failed


def memory_mib(server: Server) -> float:
    """What a server's process holds in memory."""
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def rows(scale: float, seconds: float) -> AsyncIterator[Row]:
    """A fresh server for each."""
    for flood in floods(scale):
        with (
            tempfile.TemporaryDirectory() as folder,
            stopped(start_server(Path(folder), SETTINGS + SIMULATED)) as server,
        ):
            yield await measured(flood, server, seconds)


async def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.floods", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="for each row")
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of connections")
    parser.add_argument("--ask", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        print(msgspec.json.encode(ask(given.ask, given.seconds)).decode())
        return
    allow_many_connections()
    print("| flood | connections | MiB before | most | others' answers | failed | median | worst |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    async for row in rows(given.scale, given.seconds):
        print(
            f"| {row.name} | {row.opened:,} | {row.idle_mib:.0f} | {row.most_mib:.0f} | "
            f"{row.answers} | {row.failed} | {row.median_ms:.1f} ms | {row.worst_ms:.0f} ms |",
            flush=True,
        )


if __name__ == "__main__":
    asyncio.run(main())

"""The proxy through which child processes go out."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from linarite.controls.egress import EgressDialer, EgressPolicy
from linarite.controls.egress.way_out import Limits, WayOut
from linarite.domain.dial import Errand
from tests.hosting.models.file_server import FileServer, Page, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio

HERE = EgressPolicy(named_hosts=frozenset(("127.0.0.1",)))


@pytest.fixture
def files() -> Iterator[FileServer]:
    """A host with one page."""
    with serving() as server:
        server.pages["/page"] = Page(b"the page")
        yield server


async def answered(way: WayOut, first: str, *more: str, secret: str | None = None) -> bytes:
    """What the proxy answers to a request, to its end."""
    url = urlsplit(way.url)
    shown = b64encode(f"linarite:{secret or url.password}".encode()).decode()
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    lines = [first, f"Proxy-Authorization: Basic {shown}", *more, "", ""]
    writer.write("\r\n".join(lines).encode())
    try:
        async with asyncio.timeout(30):
            return await reader.read()
    finally:
        writer.close()


async def test_a_plain_request_is_forwarded_without_the_secret(files: FileServer) -> None:
    """The host sees its own path and nothing of the proxy."""
    async with WayOut(EgressDialer(HERE), Errand("models")) as way:
        got = await answered(way, f"GET http://{files.host}/page HTTP/1.1", f"Host: {files.host}")
    assert got.endswith(b"the page")
    assert files.asked == ["GET /page"]


async def test_a_tunnel_carries_bytes_both_ways(files: FileServer) -> None:
    """What lies inside is the child's and the host's."""
    url = f"CONNECT {files.host} HTTP/1.1"
    async with WayOut(EgressDialer(HERE), Errand("models")) as way:
        parts = urlsplit(way.url)
        shown = b64encode(f"{parts.username}:{parts.password}".encode()).decode()
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(f"{url}\r\nProxy-Authorization: Basic {shown}\r\n\r\n".encode())
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(f"GET /page HTTP/1.1\r\nHost: {files.host}\r\n\r\n".encode())
        assert (await reader.read()).endswith(b"the page")
        writer.close()


async def test_a_connection_is_bounded_in_bytes_and_time(files: FileServer) -> None:
    """What is more than anybody needs is broken off."""
    files.pages["/page"] = Page(b"x" * 2_000_000)
    for limits in (Limits(100_000, 60.0), Limits(10**9, 0.0)):
        async with WayOut(EgressDialer(HERE), Errand("models"), limits) as way:
            got = await answered(way, f"GET http://{files.host}/page HTTP/1.1")
            assert len(got) < 500_000


@pytest.mark.parametrize("method", ["GET", "CONNECT"])
async def test_what_breaks_off_is_not_filled_up(method: str) -> None:
    """The end of a file that came in part is not a refusal of ours."""

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\npart")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    where = host if method == "CONNECT" else f"http://{host}/file"
    async with server, WayOut(EgressDialer(HERE), Errand("models"), Limits(10**6, 0.5)) as way:
        got = await answered(way, f"{method} {where} HTTP/1.1")
    assert got.endswith(b"\r\n\r\npart")


@pytest.mark.parametrize("secret", ["wrong", "é", " "])
async def test_who_does_not_know_the_secret_is_not_served(files: FileServer, secret: str) -> None:
    """Other users of the machine can find the port."""
    async with WayOut(EgressDialer(HERE), Errand("models")) as way:
        got = await answered(way, f"GET http://{files.host}/page HTTP/1.1", secret=secret)
        assert b" 407 " in got
    assert files.asked == []


async def test_what_the_rules_refuse_is_refused_by_name(files: FileServer) -> None:
    """Nothing is connected to, and the reason can be told."""
    async with WayOut(EgressDialer(EgressPolicy()), Errand("models")) as way:
        for first in (f"CONNECT {files.host} HTTP/1.1", f"GET http://{files.host}/page HTTP/1.1"):
            assert b" 403 " in await answered(way, first)
        assert way.refused is not None
        assert "egress.allowed_hosts" in way.refused.message
    assert files.asked == []


@pytest.mark.parametrize(
    "first", ["GET /page HTTP/1.1", "GET", "CONNECT u@host:1 HTTP/1.1", "CONNECT \x00 HTTP/1.1"]
)
async def test_nonsense_is_answered(first: str) -> None:
    """With a refusal, and the next request is served."""
    async with WayOut(EgressDialer(HERE), Errand("models")) as way:
        assert (await answered(way, first))[:10] in {b"HTTP/1.1 5", b"HTTP/1.1 4"}

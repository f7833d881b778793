"""The PROXY protocol's header, taken from the socket to the byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linarite.web.proxy_header import SIGNATURE, NoProxyHeader, Told, read_header

if TYPE_CHECKING:
    from collections.abc import Sequence

BEHIND = b"\x16\x03\x01 what TLS begins with"
WAIT_S = 30.0


def version_2(command: int, family: int, body: bytes) -> bytes:
    """A header of version 2."""
    return SIGNATURE + bytes((command, family)) + len(body).to_bytes(2, "big") + body


V4 = bytes((192, 0, 2, 7, 192, 0, 2, 1)) + (4711).to_bytes(2, "big") + (443).to_bytes(2, "big")
V6 = (
    bytes.fromhex("20010db8000000000000000000000007" + "20010db8000000000000000000000001")
    + (4711).to_bytes(2, "big")
    + (443).to_bytes(2, "big")
)
TLV = b"\x02\x00\x05hello"
GOOD: list[tuple[bytes, Told]] = [
    (b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n", Told(("192.0.2.7", 4711))),
    (b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n", Told(("2001:db8::7", 4711))),
    (b"PROXY UNKNOWN\r\n", Told(None)),
    (b"PROXY UNKNOWN ff:ff 1 2\r\n", Told(None)),
    (version_2(0x21, 0x11, V4), Told(("192.0.2.7", 4711))),
    (version_2(0x21, 0x11, V4 + TLV), Told(("192.0.2.7", 4711))),
    (version_2(0x21, 0x21, V6 + TLV), Told(("2001:db8::7", 4711))),
    (version_2(0x21, 0x31, bytes(216)), Told(None)),
    (version_2(0x21, 0x00, b""), Told(None)),
    (version_2(0x20, 0x00, TLV), Told(None, is_local=True)),
    (version_2(0x20, 0x11, V4), Told(None, is_local=True)),
]
BAD = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01",
    b"PROXY TCP4 192.0.2.7 192.0.2.1 4711\r\n",
    b"PROXY TCP4 2001:db8::7 192.0.2.1 4711 443\r\n",
    b"PROXY TCP4 192.0.2.7 192.0.2.1 70000 443\r\n",
    b"PROXY TCP4 192.0.2.7 192.0.2.1 -1 443\r\n",
    b"PROXY TCP4  192.0.2.7 192.0.2.1 4711 443\r\n",
    b"PROXY UDP4 192.0.2.7 192.0.2.1 4711 443\r\n",
    b"PROXY TCP4 example.com 192.0.2.1 4711 443\r\n",
    b"PROXY TCP4 \xff 192.0.2.1 4711 443\r\n",
    b"PROXY TCP4 " + b"1" * 200,
    b"PROXY \r\n",
    version_2(0x11, 0x11, V4),
    version_2(0x22, 0x11, V4),
    version_2(0x21, 0x11, V4[:11]),
    version_2(0x21, 0x21, V4),
    SIGNATURE + b"\x21\x11\xff\xff",
    SIGNATURE[:11] + b"\x00" + b"\x21\x11\x00\x0c" + V4,
]


async def told(pieces: Sequence[bytes]) -> tuple[Told, bytes]:
    """What a header in pieces says, and what it leaves in the socket."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        reading = asyncio.ensure_future(read_header(ours))
        for piece in pieces:
            theirs.send(piece)
            await asyncio.sleep(0)
        theirs.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(WAIT_S):
            found = await reading
        try:
            left = ours.recv(65_536)
        except BlockingIOError:
            left = b""
        return found, left


@pytest.mark.parametrize(("header", "expected"), GOOD)
@pytest.mark.parametrize("use_uvloop", [True, False])
def test_a_header_tells_the_client(header: bytes, expected: Told, *, use_uvloop: bool) -> None:
    """Whole or byte by byte; what follows is left for whoever comes next, to the byte."""
    import uvloop  # noqa: PLC0415 - there is none for Windows

    factory = uvloop.new_event_loop if use_uvloop else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(told([header + BEHIND])) == (expected, BEHIND)
        pieces = [header[place : place + 1] for place in range(len(header))]
        assert runner.run(told([*pieces, BEHIND])) == (expected, BEHIND)


@pytest.mark.parametrize("header", BAD)
def test_what_is_none_is_refused(header: bytes) -> None:
    """Whatever comes instead."""
    with pytest.raises(NoProxyHeader):
        asyncio.run(told([header]))


@pytest.mark.parametrize("header", [each for each, _ in GOOD])
def test_half_a_header_is_none(header: bytes) -> None:
    """A connection that ends in it says nothing."""
    with pytest.raises(NoProxyHeader):
        asyncio.run(told([header[:-1]]))


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"PROXY ", SIGNATURE, SIGNATURE + b"\x21"]))
def test_anything_else_is_no_crash(noise: bytes, start: bytes) -> None:
    """Whatever comes, it tells something or is refused."""
    with contextlib.suppress(NoProxyHeader):
        asyncio.run(told([start + noise]))

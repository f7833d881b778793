"""The PROXY protocol, versions 1 and 2: what stands before everything else on a connection.

Source: "The PROXY protocol", haproxy.org, section 2. Exactly the header's bytes are taken from the
socket, so that a TLS handshake right behind it finds its own.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
LINE_BYTES_MAX = 107
"""of version 1, with its line end"""
BODY_BYTES_MAX = 4096
"""of version 2; addresses take 216 at most, the rest are TLVs"""
FIXED_BYTES = 16
LOCAL, PROXY = 0x20, 0x21
PORT_MAX = 65_535
TCP4, TCP6, UNIX_STREAM = 0x11, 0x21, 0x31
ADDRESS_BYTES = {TCP4: 12, TCP6: 36, UNIX_STREAM: 216}


class NoProxyHeader(Exception):
    """What came is no PROXY header; says why."""


class Told(NamedTuple):
    """What a header says of the client."""

    client: tuple[str, int] | None
    """None: the proxy speaks for itself, or for somebody without an address"""
    is_local: bool = False
    """the proxy speaks for itself"""


async def read_header(connection: socket.socket) -> Told:
    """Take the header from a connection that does not block.

    Raises NoProxyHeader, and OSError when the connection breaks.
    """
    first = await _exactly(connection, len(b"PROXY "))
    if first == SIGNATURE[: len(first)]:
        rest = await _exactly(connection, FIXED_BYTES - len(first))
        fixed = first + rest
        if not fixed.startswith(SIGNATURE):
            raise NoProxyHeader("its signature is wrong")
        length = int.from_bytes(fixed[14:16], "big")
        if length > BODY_BYTES_MAX:
            raise NoProxyHeader(f"it announces {length} bytes")
        return told_by_version_2(fixed, await _exactly(connection, length))
    if first != b"PROXY ":
        raise NoProxyHeader("the connection does not begin with one")
    return told_by_version_1(first + await _rest_of_line(connection, LINE_BYTES_MAX - len(first)))


def told_by_version_1(line: bytes) -> Told:
    """What a line says, without its end. Raises NoProxyHeader."""
    words = line.split(b" ")
    if words[1] == b"UNKNOWN":
        return Told(None)
    kind = {b"TCP4": IPv4Address, b"TCP6": IPv6Address}.get(words[1])
    if kind is None or len(words) != 6:  # noqa: PLR2004 - PROXY, kind, two addresses and ports
        raise NoProxyHeader("its line is none of TCP4, TCP6 or UNKNOWN")
    try:
        source = kind(words[2].decode("ascii"))
        kind(words[3].decode("ascii"))
    except ValueError:  # UnicodeDecodeError is one
        raise NoProxyHeader("it names no address") from None
    ports = [int(word) if word.isdigit() else -1 for word in words[4:]]
    if not all(0 <= port <= PORT_MAX for port in ports):
        raise NoProxyHeader("it names no port")
    return Told((str(source), ports[0]))


def told_by_version_2(fixed: bytes, body: bytes) -> Told:
    """What the fixed part and what follows it say; TLVs are skipped. Raises NoProxyHeader."""
    command, family = fixed[12], fixed[13]
    if command == LOCAL:
        return Told(None, is_local=True)
    if command != PROXY:
        raise NoProxyHeader(f"its version and command are {command:#04x}")
    needed = ADDRESS_BYTES.get(family)
    if needed is None:  # UNSPEC, UDP: to be taken as unknown
        return Told(None)
    if len(body) < needed:
        raise NoProxyHeader("it is too short for its addresses")
    if family == TCP4:
        return Told((str(IPv4Address(body[:4])), int.from_bytes(body[8:10], "big")))
    if family == TCP6:
        return Told((str(IPv6Address(body[:16])), int.from_bytes(body[32:34], "big")))
    return Told(None)


async def _exactly(connection: socket.socket, count: int) -> bytes:
    loop = asyncio.get_running_loop()
    taken = b""
    while len(taken) < count:
        piece = await loop.sock_recv(connection, count - len(taken))
        if not piece:
            raise NoProxyHeader("the connection ended in it")
        taken += piece
    return taken


async def _rest_of_line(connection: socket.socket, count_max: int) -> bytes:
    """What comes before the line's end, which is taken too: looked at before it is taken."""
    taken = b""
    while len(taken) < count_max:
        seen = await peek(connection, count_max - len(taken))
        if not seen:
            raise NoProxyHeader("the connection ended in it")
        both = taken[-1:] + seen
        end = both.find(b"\r\n")
        wanted = len(seen) if end < 0 else end + 2 - len(taken[-1:])
        taken += connection.recv(wanted)
        if end >= 0:
            return taken[:-2]
    raise NoProxyHeader("its line has no end")


async def peek(connection: socket.socket, count: int) -> bytes:
    """What comes next, `count` bytes at most, once there is something; it stays to be read.

    b"" when the connection ends instead. Raises OSError when it breaks.
    """
    loop = asyncio.get_running_loop()
    while True:
        try:
            return connection.recv(count, socket.MSG_PEEK)
        except BlockingIOError:
            readable: asyncio.Future[None] = loop.create_future()
            number = connection.fileno()
            loop.add_reader(number, _resolve, readable)
            try:
                await readable
            finally:
                loop.remove_reader(number)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

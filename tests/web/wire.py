"""HTTP/1.1 by hand: what a client library would hide, tests must see."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence


class Answer(msgspec.Struct, frozen=True):
    """One response, byte for byte."""

    status: int
    headers: list[tuple[str, str]]
    """in the order they came, names in lower case"""
    body: bytes

    def header(self, name: str) -> str | None:
        """The only value of a header; fails when it came twice."""
        values = [value for each, value in self.headers if each == name]
        assert len(values) < 2, f"{name} came {len(values)} times"
        return values[0] if values else None

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The body, decoded by a strict reader that is not ours."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """What stands under `error`."""
        return self.json()["error"]

    @property
    def events(self) -> list[str]:
        """The data of each server-sent event. Fails on anything but `data:` and blank lines."""
        blocks = self.body.decode().split("\n\n")
        assert blocks.pop() == "", "the stream does not end with a blank line"
        assert all(block.startswith("data: ") and "\n" not in block for block in blocks)
        return [block.removeprefix("data: ") for block in blocks]


def get_lines(method: str, target: str, headers: Sequence[tuple[str, str]]) -> bytes:
    """A request's head."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def exchange(port: int, request: bytes, *, method: str = "POST") -> Answer:
    """Send bytes on a new connection and read one response."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await read_answer(reader, method=method)
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader, *, method: str = "POST") -> Answer:
    """Read one response, skipping `100 Continue`."""
    status, headers = await read_head(reader)
    while status == 100:
        status, headers = await read_head(reader)
    named = dict(headers)
    if method == "HEAD":
        body = b""
    elif named.get("transfer-encoding") == "chunked":
        body = b"".join([chunk async for chunk in chunks(reader)])
    elif "content-length" in named:
        body = await reader.readexactly(int(named["content-length"]))
    else:
        body = await reader.read()
    return Answer(status=status, headers=headers, body=body)


async def read_head(reader: asyncio.StreamReader) -> tuple[int, list[tuple[str, str]]]:
    """Status and headers."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    version, status, _ = f"{first} ".split(" ", 2)
    assert version == "HTTP/1.1"
    pairs = [line.split(": ", 1) for line in lines]
    return int(status), [(name.lower(), value) for name, value in pairs]


async def chunks(reader: asyncio.StreamReader) -> AsyncGenerator[bytes, None]:
    """The chunks of a chunked body, one by one."""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        chunk = await reader.readexactly(size + 2)
        assert chunk.endswith(b"\r\n")
        yield chunk[:-2]
    assert await reader.readexactly(2) == b"\r\n"

"""Parsing of answers: any cut of the bytes gives the same answer."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.engines.http_client.connection import Connection


class Wire(asyncio.Transport):
    """A transport that keeps what is written and delivers what the test gives it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.written += bytes(data)

    def is_closing(self) -> bool:
        """Whether the connection closed or aborted it."""
        return self.closed

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def abort(self) -> None:
        """Note it."""
        self.closed = True

    def pause_reading(self) -> None:
        """Deliver all the same: bytes on their way cannot be held back either."""

    def resume_reading(self) -> None:
        """Nothing was held back."""


class Pool:
    """Counts what a connection tells its owner."""

    def __init__(self) -> None:
        self.freed_count = 0

    def freed(self, connection: Connection) -> None:
        """One more time free."""
        del connection
        self.freed_count += 1

    def lost(self, connection: Connection) -> None:
        """Of no interest here."""


async def answer_in(pieces: list[bytes]) -> tuple[int, dict[str, str], bytes, bool]:
    """Status, headers, body of an answer that comes in these pieces; whether it can be reused."""
    pool, wire = Pool(), Wire()
    connection = Connection(pool, 1.0)
    connection.connection_made(wire)
    response = connection.exchange(
        b"GET / HTTP/1.1\r\n\r\n", b"", first_byte_s=60, idle_s=60, head_only=False
    )
    for piece in pieces:
        connection.data_received(piece)
    closed_by_us = wire.closed
    connection.connection_lost(None)
    await response.head
    body = await response.read(1 << 24)
    return response.status, response.headers, body, pool.freed_count == 1 and not closed_by_us


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    """Cut at these places, without empty pieces."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


def chunked(body: bytes, cuts: list[int], extension: bytes, trailers: bytes) -> bytes:
    """A body in chunked coding."""
    chunks = [b"%x%s\r\n%s\r\n" % (len(p), extension, p) for p in pieces_of(body, cuts) if p]
    return b"".join(chunks) + b"0\r\n" + trailers + b"\r\n"


cut_lists = st.lists(st.integers(0, 100_000), max_size=6)
payloads = st.one_of(st.binary(max_size=300), st.just(b"z" * 200_000))
statuses = st.sampled_from([200, 201, 400, 429, 503])
interims = st.sampled_from(
    [b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 E\r\nl: x\r\n\r\n"]
)


@given(payloads, statuses, interims, cut_lists)
def test_answers_with_a_length(body: bytes, status: int, interim: bytes, cuts: list[int]) -> None:
    """An answer with content-length is the same however it is cut, and frees its connection."""
    head = b"HTTP/1.1 %d X\r\nA-b: c\r\ncontent-length: %d\r\n\r\n" % (status, len(body))
    answer = asyncio.run(answer_in(pieces_of(interim + head + body, cuts)))
    assert answer == (status, {"a-b": "c", "content-length": str(len(body))}, body, True)


@given(
    payloads,
    cut_lists,
    st.sampled_from([b"", b";x=y"]),
    st.sampled_from([b"", b"trailer: t\r\n"]),
    cut_lists,
)
def test_answers_in_chunks(
    body: bytes, chunk_cuts: list[int], extension: bytes, trailers: bytes, cuts: list[int]
) -> None:
    """A chunked answer is the same however it is cut; its trailers do not become headers."""
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    coded = chunked(body, chunk_cuts, extension, trailers)
    answer = asyncio.run(answer_in(pieces_of(head + coded, cuts)))
    assert answer == (200, {"transfer-encoding": "chunked"}, body, True)


@given(payloads, cut_lists)
def test_answers_that_end_with_the_connection(body: bytes, cuts: list[int]) -> None:
    """Without a length everything until the end is the body, and the connection is spent."""
    answer = asyncio.run(answer_in(pieces_of(b"HTTP/1.1 200 OK\r\n\r\n" + body, cuts)))
    assert answer == (200, {}, body, False)


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_every_boundary(connection: str) -> None:
    """A chunked answer cut at every place, and into single bytes, stays the same."""
    data = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nconnection: %s\r\n"
        b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;e\r\nde\r\n0\r\nt: v\r\n\r\n"
    ) % connection.encode()
    whole = asyncio.run(answer_in([data]))
    assert whole[2] == b"abcde"
    assert whole[3] == (connection == "keep-alive")
    assert asyncio.run(answer_in([data[i : i + 1] for i in range(len(data))])) == whole
    for cut in range(1, len(data)):
        assert asyncio.run(answer_in([data[:cut], data[cut:]])) == whole

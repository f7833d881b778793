"""Heads that a client sends again and again: taken for what they say, however they come."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.web.listener import Listener
from linarite.web.options import Server
from linarite.web.repeated_head import KEPT_BYTES_MAX, TRIES, known_head
from linarite.web.request_head import RequestHead, head_of
from tests.web.wire import read_answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from linarite.web.exchange import Exchange

pytestmark = pytest.mark.anyio

WAIT_S = 10.0
HEADERS = [(b"host", b"localhost"), (b"api-key", b"secret"), (b"content-length", b"2")]
HEAD = b"POST /a?b HTTP/1.1\r\nHost: localhost\r\nApi-Key: secret\r\nContent-Length: %d\r\n\r\n"
KNOWN = known_head(head_of(b"POST", b"/a?b", HEADERS), HEAD % 2 + b"{}")


class Teller:
    """A handler that tells what it was asked, and which heads it has seen."""

    def __init__(self) -> None:
        self.heads: list[RequestHead] = []

    async def __call__(self, exchange: Exchange) -> None:
        """Answer with the request as JSON."""
        self.heads.append(exchange.head)
        body = b""
        while piece := await exchange.next_piece():
            body += piece
        named = {name.decode(): value.decode() for name, value in exchange.named.items()}
        told = {"path": exchange.path, "named": named, "body": body.decode("latin-1")}
        exchange.respond(200, b"", json.dumps(told).encode())


class Client:
    """One connection to a teller."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        """Write bytes."""
        self._writer.write(data)

    async def answer(self) -> Any:  # noqa: ANN401 - any JSON
        """What the teller was asked; the status of a refusal."""
        async with asyncio.timeout(WAIT_S):
            answer = await read_answer(self._reader)
        return answer.json() if answer.status == 200 else answer.status

    async def ask(self, data: bytes) -> Any:  # noqa: ANN401 - any JSON
        """Send a request and see what was understood."""
        self.send(data)
        return await self.answer()


@asynccontextmanager
async def telling(**options: Any) -> AsyncIterator[tuple[Teller, Client]]:  # noqa: ANN401 - settings
    """A teller and a client of it that has asked the same three times: its head is known."""
    teller = Teller()
    listener = Listener(teller, Server(port=0, **options))
    await listener.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    client = Client(reader, writer)
    try:
        for _ in range(3):
            told = await client.ask(HEAD % 2 + b"{}")
            assert (told["path"], told["body"]) == ("/a", "{}")
        assert teller.heads[-1] is teller.heads[-2]
        assert teller.heads[-2] is not teller.heads[-3]
        yield teller, client
    finally:
        writer.close()
        await listener.close(0)


async def test_a_body_may_be_of_any_length() -> None:
    """What says how long it is says so of this request, not of the one before."""
    async with telling() as (teller, client):
        for body in (b"", b"x", b"y" * 100_000, b"{}"):
            told = await client.ask(HEAD % len(body) + body)
            assert told["body"] == body.decode()
            assert told["named"]["content-length"] == str(len(body))
        learned = {id(head.learned) for head in teller.heads[1:]}
        assert len(learned) == 1, "they were all taken for the same head"


async def test_a_body_may_come_in_pieces() -> None:
    """Behind its head, or with a part of it; and be followed by the next request."""
    async with telling() as (_, client):
        client.send(HEAD % 6)
        await asyncio.sleep(0.02)
        client.send(b"abc")
        await asyncio.sleep(0.02)
        client.send(b"def" + HEAD % 3 + b"ghi" + HEAD % 1)
        await asyncio.sleep(0.02)
        client.send(b"j")
        assert [(await client.answer())["body"] for _ in range(3)] == ["abcdef", "ghi", "j"]


async def test_a_head_may_come_in_pieces() -> None:
    """Then it is parsed, as one that nobody knows."""
    async with telling() as (_, client):
        data = HEAD % 2 + b"{}"
        for at in range(0, len(data), 7):
            client.send(data[at : at + 7])
            await asyncio.sleep(0.002)
        assert (await client.answer())["body"] == "{}"


async def test_requests_that_are_sent_ahead_wait_their_turn() -> None:
    """In order, each with its own body."""
    async with telling() as (_, client):
        client.send(b"".join(HEAD % 1 + b"%d" % at for at in range(9)))
        assert [(await client.answer())["body"] for _ in range(9)] == [str(at) for at in range(9)]


async def test_another_head_is_another_request() -> None:
    """A single byte that differs is seen."""
    async with telling() as (_, client):
        told = await client.ask((HEAD % 2).replace(b"secret", b"sacred") + b"{}")
        assert told["named"]["api-key"] == "sacred"
        told = await client.ask((HEAD % 2).replace(b"/a?", b"/c?") + b"{}")
        assert told["path"] == "/c"
        assert (await client.ask(HEAD % 2 + b"{}"))["path"] == "/a"


@pytest.mark.parametrize(
    "length", [b"-1", b"+1", b"0x1", b"1 1", b"1, 1", b"", b"9" * 30, b"1\r\nContent-Length: 1"]
)
async def test_a_length_that_is_none_is_refused(length: bytes) -> None:
    """As in a head that nobody knows."""
    async with telling() as (_, client):
        client.send((HEAD % 2).replace(b": 2", b": " + length) + b"x")
        told = await client.answer()
        assert told == 400 or (length == b"" and told["body"] == "")


async def test_connections_end_after_as_many_requests_as_settings_say() -> None:
    """Repeated heads are counted, too."""
    async with telling(keep_alive_requests_max=4) as (_, client):
        client.send(HEAD % 1 + b"x")
        assert (await client.answer())["body"] == "x"
        async with asyncio.timeout(WAIT_S):
            assert await client._reader.read() == b""


async def test_a_client_that_varies_its_heads_costs_nothing_for_long() -> None:
    """After a few in vain none is kept."""
    async with telling() as (teller, client):
        for at in range(TRIES + 3):
            told = await client.ask((HEAD % 2).replace(b"secret", b"%d" % at) + b"{}")
            assert told["named"]["api-key"] == str(at)
        before = len(teller.heads)
        for _ in range(3):
            await client.ask(HEAD % 2 + b"{}")
        assert len({id(head) for head in teller.heads[before:]}) == 3


def test_a_length_is_of_one_request_alone() -> None:
    """The head that is known stays as it was parsed."""
    assert KNOWN is not None
    again = KNOWN.in_data(HEAD % 77)
    assert again is not None
    assert again.head.named[b"content-length"] == b"77"
    assert again.head.headers[-1] == (b"content-length", b"77")
    first = KNOWN.in_data(HEAD % 2)
    assert first is not None
    assert first.head.named[b"content-length"] == b"2"


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        (b"POST / HTTP/1.1\nHost: a\n\n{}\r\n\r\n", [(b"host", b"a")]),
        (b"POST / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", [(b"a", b"b c")]),
        (b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", [(b"host", b"a")]),
        (b"GET / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n", [(b"expect", b"100-continue")]),
        (b"GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n", [(b"upgrade", b"x")]),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            [(b"transfer-encoding", b"chunked")],
        ),
        (b"POST / HTTP/1.1\r\nContent-Length:\t1\r\n\r\n", [(b"content-length", b"1")]),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * KEPT_BYTES_MAX + b"\r\n\r\n", [(b"a", b"b")]),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", [(b"host", b"a")]),
    ],
)
def test_heads_of_a_rare_kind_are_parsed_each_time(
    text: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    """Those whose bytes might be taken apart otherwise, and those that mean more than a length."""
    assert known_head(head_of(b"POST", b"/", headers), text) is None


@given(data=st.binary(max_size=400), at=st.integers(0, 200), cut=st.integers(0, 200))
def test_nothing_but_the_same_head_is_taken_for_it(data: bytes, at: int, cut: int) -> None:
    """Whatever is put into it, or cut out: only digits of the length may differ."""
    assert KNOWN is not None
    head = HEAD % 2
    changed = head[:at] + data + head[at + cut :]
    found = KNOWN.in_data(changed)
    if found is not None:
        digits = found.head.named[b"content-length"]
        assert digits.isdigit()
        assert changed[: found.body_at] == HEAD.replace(b"%d", digits)
        assert found.body_bytes == int(digits)

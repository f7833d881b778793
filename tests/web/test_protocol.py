"""HTTP/1.1 as it really comes: in pieces, too much of it, or not HTTP at all."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from linarite.web import protocol, quiet
from linarite.web.asgi import handler_of
from linarite.web.listener import Listener
from linarite.web.options import Server
from tests.web.wire import get_lines, read_answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from linarite.web.asgi import Receive, Scope, Send

pytestmark = pytest.mark.anyio

WAIT_S = 10.0
LARGE_BYTES = 8_000_000
HOST = ("host", "localhost")


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both event loops: their transports close and pause in their own ways."""
    return "asyncio", {"use_uvloop": request.param}


class Echo:
    """An application that says what it was asked, once it has read it, and counts itself."""

    def __init__(self) -> None:
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.disconnected = 0
        self.headers: list[tuple[bytes, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the request as JSON; `/endless` streams until the client has gone.

        `/unread` is answered without a look at the body, `/large` at once with much.
        """
        self.asked += 1
        self.headers = scope["headers"]
        body = b""
        more = scope["path"] != "/unread"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnected += 1
                return
            body += message["body"]
            more = message["more_body"]
        await self.gate.wait()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while scope["path"] == "/endless":
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
            await asyncio.sleep(0)
        if scope["path"] == "/large":
            await send({"type": "http.response.body", "body": b"x" * LARGE_BYTES})
            return
        told = {"method": scope["method"], "path": scope["path"], "body": body.decode("latin-1")}
        await send({"type": "http.response.body", "body": json.dumps(told).encode()})


class Peer:
    """The client's end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self) -> Any:  # noqa: ANN401 - any JSON
        """The next answer: its status, and what the application said it was asked."""
        async with asyncio.timeout(WAIT_S):
            found = await read_answer(self.reader)
        return found.status, found.json()

    async def is_closed(self) -> bool:
        """Whether the server closes, with nothing more to say."""
        async with asyncio.timeout(WAIT_S):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True


@asynccontextmanager
async def listening(**options: Any) -> AsyncIterator[tuple[Echo, Listener]]:  # noqa: ANN401 - settings
    """A listener on a free port with an echo behind it."""
    echo = Echo()
    listener = Listener(handler_of(echo), Server(port=0, **options))
    await listener.open()
    try:
        yield echo, listener
    finally:
        await listener.close(0)


@asynccontextmanager
async def connected(listener: Listener) -> AsyncIterator[Peer]:
    """A client's connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    try:
        yield Peer(reader, writer)
    finally:
        writer.close()


async def keep_writing(peer: Peer, start: bytes, more: bytes) -> None:
    """Write for as long as the server lets us; it must not let us for ever."""
    peer.writer.write(start)
    async with asyncio.timeout(WAIT_S):
        try:
            while not peer.writer.is_closing():
                peer.writer.write(more)
                await peer.writer.drain()
                await asyncio.sleep(0.002)
        except (ConnectionError, RuntimeError):  # as asyncio and uvloop say it
            pass


async def until(true: Callable[[], bool]) -> None:
    """Return once a condition holds."""
    async with asyncio.timeout(WAIT_S):
        while not true():  # noqa: ASYNC110 - any condition
            await asyncio.sleep(0.005)


def post(path: str, body: bytes, *headers: tuple[str, str]) -> bytes:
    """A request with a body of a known length."""
    return get_lines("POST", path, [HOST, ("content-length", str(len(body))), *headers]) + body


GET = get_lines("GET", "/", [HOST])


@pytest.mark.parametrize(
    "head",
    [
        get_lines("GET", "/", [HOST, ("x", "y" * 70_000)]),
        get_lines("GET", "/" + "a" * 70_000, [HOST]),
        get_lines("GET", "/", [HOST, *((f"x-{index}", "y" * 1000) for index in range(70))]),
        get_lines("GET", "/", [HOST, *((f"x-{index}", "y") for index in range(100))]),
        get_lines("GET", "/", [HOST, ("x" * 70_000, "y")]),
    ],
    ids=["value", "path", "headers", "count", "name"],
)
@pytest.mark.parametrize("piece", [1_000_000, 30_000, 1000])
async def test_a_head_that_is_too_large_is_refused(head: bytes, piece: int) -> None:
    """431 in the gateway's shape however it is cut; the application never hears of it."""
    async with listening() as (echo, listener), connected(listener) as peer:
        reading = asyncio.create_task(read_answer(peer.reader))
        for at in range(0, len(head), piece):
            peer.writer.write(head[at : at + piece])
            await asyncio.sleep(0)
        async with asyncio.timeout(WAIT_S):
            answer = await reading
        assert answer.status == 431
        assert answer.header("content-type") == "application/json"
        assert answer.header("connection") == "close"
        assert answer.header("date") is not None
        assert re.match(rb'{"error":{"code":"431","message": "[^"]*65536 bytes', answer.body)
        peer.writer.write_eof()
        assert await peer.is_closed()
        assert echo.asked == 0


async def test_an_endless_head_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one header without an end, nor blank lines before a request."""
    monkeypatch.setattr(protocol, "LINGER_S", 0.1)
    for start, more in ((b"GET / HTTP/1.1\r\nx: ", b"y" * 50_000), (b"\r\n", b"\r\n" * 25_000)):
        async with listening() as (_, listener), connected(listener) as peer:
            await keep_writing(peer, start, more)


@pytest.mark.parametrize("piece", [1, 7, 60_000])
async def test_a_head_within_the_bounds_is_read_in_any_pieces(piece: int) -> None:
    """99 headers, or nearly 64 KiB of them; only a slow client is slow."""
    size = 60 if piece < 10 else 600
    head = get_lines("GET", "/a", [HOST, *((f"x-{index}", "y" * size) for index in range(90))])
    assert len(head) < 64 * 1024
    async with listening() as (_, listener), connected(listener) as peer:
        for at in range(0, len(head), piece):
            peer.writer.write(head[at : at + piece])
            if at % 70 == 0:
                await asyncio.sleep(0)
        assert (await peer.answer())[0] == 200


async def test_a_large_body_does_not_count_as_the_next_requests_head() -> None:
    """Pipelined behind it and cut anywhere, the next head has its own bounds."""
    first, second = post("/first", b"b" * 200_000), post("/second", b"x", ("y", "z" * 50_000))
    async with listening() as (_, listener), connected(listener) as peer:
        peer.writer.write(first + second[:49_000])
        assert (await peer.answer())[1]["path"] == "/first"
        peer.writer.write(second[49_000:])
        assert (await peer.answer())[1]["path"] == "/second"


@pytest.mark.parametrize(
    "junk",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\n x: folded\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_refused_and_closed(junk: bytes) -> None:
    """400 in the gateway's shape, or a request that is served; never a hang, never text/plain."""
    async with listening() as (_, listener), connected(listener) as peer:
        peer.writer.write(junk)
        peer.writer.write_eof()
        async with asyncio.timeout(WAIT_S):
            said = await peer.reader.read()
        if not said.startswith(b"HTTP/1.1 200 "):
            assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n"), said
            assert b"content-type: application/json\r\n" in said
            body = said.partition(b"\r\n\r\n")[2]
            assert body == (
                b'{"error":{"code":"BadRequest","message": "Invalid HTTP request received."}}'
            )


async def test_silence_is_not_waited_for() -> None:
    """No head, half a head, half a second head, blank lines: each connection closes in time."""
    half = b"GET / HTTP/1.1\r\nhost: lo"
    async with listening(head_s=0.3) as (echo, listener):
        for start, then in ((b"", b""), (half, b""), (GET, half), (GET, b"\r\n")):
            async with connected(listener) as peer:
                peer.writer.write(start)
                if then:
                    assert (await peer.answer())[0] == 200
                    peer.writer.write(then)
                assert await peer.is_closed()
        assert echo.asked == 2


async def test_a_trickle_gains_no_time() -> None:
    """A byte now and then does not keep a connection without a request alive."""
    async with listening(head_s=0.3) as (_, listener), connected(listener) as peer:
        await keep_writing(peer, b"GET / HTTP/1.1\r\nx: ", b"y")


async def test_a_request_in_progress_is_no_silence() -> None:
    """The bound is on heads: a long answer may take its time."""
    async with listening(head_s=0.1) as (echo, listener), connected(listener) as peer:
        echo.gate.clear()
        peer.writer.write(GET)
        await asyncio.sleep(0.4)
        echo.gate.set()
        assert (await peer.answer())[0] == 200


async def test_connections_beyond_the_cap_are_refused() -> None:
    """503 with Retry-After; the connections within it are served, and make room when they go."""
    async with listening(connections_max=2) as (_, listener):
        async with connected(listener) as one, connected(listener) as two:
            for peer in (one, two):
                peer.writer.write(GET)
                assert (await peer.answer())[0] == 200
            async with connected(listener) as third:
                answer = await read_answer(third.reader)
                assert answer.status == 503
                assert answer.header("retry-after") == "1"
                assert "server.connections_max" in answer.error["message"]
                assert await third.is_closed()
            one.writer.write(GET)
            assert (await one.answer())[0] == 200
        async with asyncio.timeout(WAIT_S):
            while True:
                async with connected(listener) as late:
                    late.writer.write(GET)
                    if (await late.answer())[0] == 200:
                        break


async def test_a_connection_serves_one_request_after_another() -> None:
    """Keep-alive, until the client says close or has been idle too long."""
    async with listening(keep_alive_s=1) as (echo, listener):
        async with connected(listener) as peer:
            for index in range(5):
                peer.writer.write(post(f"/{index}", b"x" * index))
                status, told = await peer.answer()
                assert (status, told["path"], len(told["body"])) == (200, f"/{index}", index)
            assert await peer.is_closed()
        async with connected(listener) as peer:
            peer.writer.write(get_lines("GET", "/", [HOST, ("connection", "close")]))
            assert (await peer.answer())[0] == 200
            assert await peer.is_closed()
        async with connected(listener) as peer:
            peer.writer.write(b"GET /old HTTP/1.0\r\n\r\n")
            assert (await peer.reader.readline()).startswith(b"HTTP/1.1 200")
            assert await peer.reader.read() != b""
        assert echo.asked == 7


async def test_pipelined_requests_are_answered_in_order() -> None:
    """Sent in one piece, answered one by one, with their own bodies."""
    async with listening() as (_, listener), connected(listener) as peer:
        peer.writer.write(b"".join(post(f"/{index}", b"%d" % index) for index in range(10)))
        for index in range(10):
            status, told = await peer.answer()
            assert (status, told["path"], told["body"]) == (200, f"/{index}", str(index))


async def test_half_a_request_behind_a_long_answer_may_wait() -> None:
    """Its time begins when the answer before it is complete."""
    async with listening(head_s=0.2) as (echo, listener), connected(listener) as peer:
        echo.gate.clear()
        peer.writer.write(GET + GET[:10])
        await asyncio.sleep(0.5)
        echo.gate.set()
        assert (await peer.answer())[0] == 200
        peer.writer.write(GET[10:])
        assert (await peer.answer())[0] == 200
        peer.writer.write(GET[:10])
        assert await peer.is_closed()


async def test_a_body_that_breaks_off_as_http_is_answered() -> None:
    """400 while the application waits for more of it; the application hears of a disconnect."""
    head = get_lines("POST", "/", [HOST, ("transfer-encoding", "chunked")])
    async with listening() as (echo, listener), connected(listener) as peer:
        peer.writer.write(head + b"1\r\na\r\n")
        await until(lambda: echo.asked == 1)
        peer.writer.write(b"no number\r\n")
        async with asyncio.timeout(WAIT_S):
            assert (await read_answer(peer.reader)).status == 400
        await until(lambda: echo.disconnected == 1)


async def test_nothing_is_said_into_an_answer_under_way() -> None:
    """What is not HTTP behind a request that is being answered only closes the connection."""
    async with listening() as (echo, listener), connected(listener) as peer:
        echo.gate.clear()
        peer.writer.write(GET + b"what?\r\n\r\n")
        assert await peer.is_closed()
        echo.gate.set()


async def test_a_pipeline_is_bounded() -> None:
    """Who sends hundreds without waiting for an answer is cut off; memory is not theirs."""
    async with listening() as (echo, listener), connected(listener) as peer:
        echo.gate.clear()
        peer.writer.write(GET * 500)
        assert await peer.is_closed()
        assert echo.asked == 1


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PATCH", "DELETE"])
async def test_every_method_reaches_the_application(method: str) -> None:
    """The application decides; a HEAD's answer has no body."""
    async with listening() as (_, listener), connected(listener) as peer:
        peer.writer.write(get_lines(method, "/x", [HOST]))
        answer = await read_answer(peer.reader, method=method)
        assert answer.status == 200
        if method != "HEAD":
            assert answer.json()["method"] == method
        peer.writer.write(GET)
        assert (await peer.answer())[0] == 200


async def test_chunked_bodies_are_put_together() -> None:
    """With extensions and trailers, in any pieces, and the connection goes on."""
    body = b"3;x=y\r\nabc\r\n1\r\nd\r\n0\r\ntrailer: 1\r\n\r\n"
    head = get_lines("POST", "/", [HOST, ("transfer-encoding", "chunked")])
    async with listening() as (_, listener), connected(listener) as peer:
        for piece in (1, 1000):
            for at in range(0, len(head + body), piece):
                peer.writer.write((head + body)[at : at + piece])
                await asyncio.sleep(0)
            assert (await peer.answer())[1]["body"] == "abcd"


@pytest.mark.parametrize("path", ["/", "/unread"])
@pytest.mark.parametrize(
    ("start", "more"),
    [(b"0\r\n", b"a: b\r\n" * 1000), (b"0\r\nx: ", b"y" * 50_000), (b"1;x=", b"y" * 50_000)],
    ids=["trailers", "trailer", "extension"],
)
async def test_endless_framing_is_refused(
    path: str, start: bytes, more: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is around a chunked body is as bounded as headers, whether or not it is read."""
    monkeypatch.setattr(protocol, "LINGER_S", 0.1)
    head = get_lines("POST", path, [HOST, ("transfer-encoding", "chunked")])
    async with listening() as (_, listener), connected(listener) as peer:
        await keep_writing(peer, head + start, more)


H2C = [
    ("connection", "Upgrade, HTTP2-Settings"),
    ("Upgrade", "h2c"),
    ("http2-settings", "AAEAAEAAAAIAAAAB"),
]


async def test_an_offer_of_http2_costs_no_body() -> None:
    """Java's own client makes it with every plain request; each body arrives all the same."""
    async with listening() as (echo, listener), connected(listener) as peer:
        for body in (b"first", b"b" * 100_000, b""):
            peer.writer.write(post("/", body, *H2C))
            status, told = await peer.answer()
            assert (status, told["body"]) == (200, body.decode())
        assert echo.asked == 3


@pytest.mark.parametrize("cut", [20, 100, 170])
async def test_an_offer_of_http2_costs_no_body_however_it_is_cut(cut: int) -> None:
    """A long token makes a head of several packets."""
    request = post("/", b"the body", *H2C)
    async with listening() as (_, listener), connected(listener) as peer:
        for piece in (request[:cut], request[cut:]):
            peer.writer.write(piece)
            await asyncio.sleep(0.02)
        status, told = await peer.answer()
        assert (status, told["body"]) == (200, "the body")


async def test_offers_in_a_pipeline_cost_nothing() -> None:
    """Each is declined, with its body and the requests behind it untouched."""
    twice = [*H2C, ("upgrade", "h2c")]
    async with listening() as (_, listener), connected(listener) as peer:
        peer.writer.write(b"".join(post(f"/{index}", b"%d" % index, *twice) for index in range(10)))
        for index in range(10):
            status, told = await peer.answer()
            assert (status, told["path"], told["body"]) == (200, f"/{index}", str(index))


async def test_an_offer_does_not_make_a_request_of_the_body_before_it() -> None:
    """What stands in a body stays a body, though nobody read it."""
    hidden = get_lines("GET", "/hidden", [HOST])
    head = get_lines("POST", "/unread", [HOST, ("content-length", str(len(hidden)))])
    async with listening() as (echo, listener), connected(listener) as peer:
        peer.writer.write(head)
        assert (await peer.answer())[0] == 200
        peer.writer.write(hidden + get_lines("GET", "/second", [HOST, *H2C]))
        assert (await peer.answer())[1]["path"] == "/second"
        assert echo.asked == 2


async def test_an_offer_of_a_websocket_is_answered_as_a_request() -> None:
    """No operation takes one yet; the application answers, and the connection goes on."""
    upgrade = [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "x")]
    async with listening() as (_, listener), connected(listener) as peer:
        peer.writer.write(get_lines("GET", "/ws", [HOST, *upgrade]))
        assert (await peer.answer())[1]["path"] == "/ws"
        peer.writer.write(GET)
        assert (await peer.answer())[0] == 200


async def test_trailers_are_no_headers() -> None:
    """Else who may only send a body could set what a proxy before us takes out of heads."""
    head = get_lines("POST", "/", [HOST, ("transfer-encoding", "chunked")])
    async with listening() as (echo, listener), connected(listener) as peer:
        peer.writer.write(head + b"1\r\na\r\n0\r\nauthorization: Bearer x\r\n\r\n")
        assert (await peer.answer())[1]["body"] == "a"
        assert [name for name, _ in echo.headers] == [b"host", b"transfer-encoding"]


async def test_a_bad_body_gets_no_second_answer() -> None:
    """The client would take it for the answer to its next request."""
    head = get_lines("POST", "/unread", [HOST, ("transfer-encoding", "chunked")])
    async with listening() as (_, listener), connected(listener) as peer:
        peer.writer.write(head)
        assert (await peer.answer())[0] == 200
        peer.writer.write(b"no number\r\n")
        assert await peer.is_closed()


async def test_a_body_that_was_not_asked_for_is_not_waited_for() -> None:
    """After `Expect`, an answer in its stead means that it may come or not: the end."""
    expect = [HOST, ("content-length", "2"), ("expect", "100-continue")]
    async with listening() as (_, listener), connected(listener) as peer:
        peer.writer.write(get_lines("POST", "/unread", expect))
        async with asyncio.timeout(WAIT_S):
            answer = await read_answer(peer.reader)
        assert (answer.status, answer.header("connection")) == (200, "close")
        assert await peer.is_closed()
    async with listening() as (_, listener), connected(listener) as peer:
        peer.writer.write(get_lines("POST", "/", expect))
        assert await peer.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.writer.write(b"ab" + GET)
        assert [(await peer.answer())[1]["body"] for _ in range(2)] == ["ab", ""]


async def test_a_target_may_name_the_server() -> None:
    """As to a proxy: with a path, or with none at all."""
    async with listening() as (_, listener), connected(listener) as peer:
        for target, path in (("http://localhost", "/"), ("http://localhost/a%20b?c", "/a b")):
            peer.writer.write(get_lines("GET", target, [HOST]))
            assert (await peer.answer())[1]["path"] == path


async def test_a_client_that_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream nobody reads must not hold its place for ever."""
    monkeypatch.setattr(quiet, "STALL_S", 0.3)
    async with listening() as (_, listener), connected(listener) as peer:
        peer.writer.write(get_lines("GET", "/endless", [HOST]))
        await peer.reader.readline()
        peer.writer.transport.pause_reading()  # pyright: ignore[reportAttributeAccessIssue] # it can
        await until(lambda: not listener._shared.open)


async def test_a_client_that_takes_it_slowly_is_served() -> None:
    """As long as something is taken, nothing is cut off."""
    async with listening() as (_, listener), connected(listener) as peer:
        peer.writer.write(get_lines("GET", "/endless", [HOST]))
        taken = 0
        while taken < 5_000_000:
            taken += len(await peer.reader.read(100_000))
        assert listener._shared.open


async def test_one_large_answer_may_be_taken_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may take longer than a client may take nothing."""
    monkeypatch.setattr(quiet, "STALL_S", 0.2)
    async with listening() as (_, listener), connected(listener) as peer:
        peer.writer.write(get_lines("GET", "/large", [HOST]))
        taken = 0
        while piece := await peer.reader.read(400_000):
            taken += len(piece)
            if taken >= LARGE_BYTES:
                break
            await asyncio.sleep(0.02)
        assert taken >= LARGE_BYTES

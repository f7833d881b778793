"""The HTTP client against a scripted server on a real socket."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from linarite.engines.http_client import (
    BodyTooLong,
    ConnectError,
    ConnectionLost,
    DeadlinePassed,
    HttpClient,
    MalformedReply,
    Response,
    unix_connector,
)
from linarite.engines.http_client.connection import Connection

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from pathlib import Path

pytestmark = pytest.mark.anyio

PLAIN = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both event loops: their transports differ in buffering, pausing and closing."""
    return "asyncio", {"use_uvloop": request.param}


class Peer:
    """One connection as the scripted server sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.gone = asyncio.Event()
        """the client has closed the connection"""

    async def request(self) -> tuple[bytes, bytes]:
        """The next request's head and body; raises IncompleteReadError when there is none."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return head, await self.reader.readexactly(int(line.split(b":")[1]))
        return head, b""

    async def send(self, *pieces: bytes) -> None:
        """Send each piece by itself."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def until_gone(self) -> None:
        """Return when the client has closed the connection."""
        try:
            while await self.reader.read(1 << 16):
                pass
        except ConnectionError:
            pass
        self.gone.set()


class ScriptedServer:
    """Plays one script a connection; the last one again for every further connection."""

    def __init__(self, scripts: list[Callable[[Peer], Awaitable[None]]]) -> None:
        self.scripts = scripts
        self.peers: list[Peer] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Play the script for one connection, then close it."""
        script = self.scripts[min(len(self.peers), len(self.scripts) - 1)]
        peer = Peer(reader, writer)
        self.peers.append(peer)
        try:
            await script(peer)
        except (asyncio.IncompleteReadError, ConnectionError):
            peer.gone.set()  # as every client goes in the end
        finally:
            writer.close()


@asynccontextmanager
async def serving(
    path: Path, *scripts: Callable[[Peer], Awaitable[None]], connections_max: int = 8
) -> AsyncGenerator[tuple[HttpClient, ScriptedServer], None]:
    """A client and the server it talks to."""
    server = ScriptedServer(list(scripts))
    listener = await asyncio.start_unix_server(server.serve, str(path / "s"))
    client = HttpClient(
        unix_connector(str(path / "s")), host="engine", connections_max=connections_max
    )
    try:
        yield client, server
    finally:
        await client.close()
        listener.close()
        for peer in server.peers:
            peer.writer.close()
        await asyncio.sleep(0)


async def ask(
    client: HttpClient,
    method: str = "POST",
    path: str = "/",
    body: bytes = b"{}",
    first_byte_s: float = 60.0,
    idle_s: float = 60.0,
) -> Response:
    """Send a request with what does not matter filled in."""
    return await client.send(
        method, path, [("x-a", "b")], body, first_byte_s=first_byte_s, idle_s=idle_s
    )


async def eventually(condition: Callable[[], object]) -> None:
    """Return once the condition holds; nothing tells when, so look again and again."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - as the docstring says
            await asyncio.sleep(0.01)


def answering(*answers: bytes) -> Callable[[Peer], Awaitable[None]]:
    """A script that gives one answer after the other, the last one forever."""

    async def script(peer: Peer) -> None:
        number = 0
        while True:
            await peer.request()
            await peer.send(answers[min(number, len(answers) - 1)])
            number += 1

    return script


async def test_request_is_framed_and_answer_read(tmp_path: Path) -> None:
    """The server gets method, path, host, headers, length and body; the caller the answer."""
    seen: list[tuple[bytes, bytes]] = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.request())
        await peer.send(b"HTTP/1.1 404 No\r\nX-Two: a\r\nx-two: b\r\ncontent-length: 2\r\n\r\nno")

    async with serving(tmp_path, script) as (client, _):
        response = await ask(client, path="/v1/x?y=z", body=b"[1]")
        assert response.status == 404
        assert response.headers["x-two"] == "a, b"
        assert await response.read(10) == b"no"
    assert seen == [
        (b"POST /v1/x?y=z HTTP/1.1\r\nhost: engine\r\nx-a: b\r\ncontent-length: 3\r\n\r\n", b"[1]")
    ]


async def test_megabytes_are_sent_whole(tmp_path: Path) -> None:
    """A body larger than any socket buffer arrives unharmed."""
    body = bytes(range(256)) * 16_384
    seen: list[bytes] = []

    async def script(peer: Peer) -> None:
        seen.append((await peer.request())[1])
        await peer.send(PLAIN)

    async with serving(tmp_path, script) as (client, _):
        response = await ask(client, body=body)
        await response.read(10)
    assert seen == [body]


async def test_connections_are_reused(tmp_path: Path) -> None:
    """Requests in a row share one connection, whichever way their answers are used up."""
    chunked = STREAM_HEAD + b"9\r\ndata: a\n\n\r\n0\r\n\r\n"
    async with serving(tmp_path, answering(PLAIN, chunked, chunked, PLAIN)) as (client, server):
        assert await (await ask(client)).read(10) == b"hello"
        assert [payload async for payload in (await ask(client)).events()] == [b"a"]
        assert [chunk async for chunk in (await ask(client)).chunks()] == [b"data: a\n\n"]
        assert await (await ask(client, method="GET", body=b"")).read(10) == b"hello"
        assert len(server.peers) == 1


async def test_dead_kept_connection_is_replaced(tmp_path: Path) -> None:
    """A request that a kept-alive connection swallowed is sent once more on a fresh one."""
    bodies: list[bytes] = []

    async def answers_once(peer: Peer) -> None:
        await peer.request()
        await peer.send(PLAIN)
        bodies.append((await peer.request())[1])

    async with serving(tmp_path, answers_once, answering(PLAIN)) as (client, server):
        await (await ask(client)).read(10)
        response = await ask(client, body=b'"again"')
        assert await response.read(10) == b"hello"
        assert len(server.peers) == 2
    assert bodies == [b'"again"']


async def test_fresh_connection_is_not_replaced(tmp_path: Path) -> None:
    """A server that hangs up on a fresh connection is not asked again."""

    async def hangs_up(peer: Peer) -> None:
        await peer.request()

    async with serving(tmp_path, hangs_up) as (client, server):
        with pytest.raises(ConnectionLost) as caught:
            await ask(client)
        assert not caught.value.received_any
        assert len(server.peers) == 1


async def test_begun_answer_is_not_asked_for_again(tmp_path: Path) -> None:
    """Once a byte of an answer came, the request is not repeated: it may have been done."""

    async def breaks_off(peer: Peer) -> None:
        await peer.request()
        await peer.send(PLAIN)
        await peer.request()
        await peer.send(b"HTTP/1.1 2")

    async with serving(tmp_path, breaks_off, answering(PLAIN)) as (client, server):
        await (await ask(client)).read(10)
        with pytest.raises(ConnectionLost) as caught:
            await ask(client)
        assert caught.value.received_any
        assert len(server.peers) == 1


async def test_body_cut_short_is_an_error(tmp_path: Path) -> None:
    """What came before the cut can be read, the cut itself is not taken for the end."""
    cut = STREAM_HEAD + b"9\r\ndata: a\n\n\r\n9\r\ndata:"

    async def cuts(peer: Peer) -> None:
        await peer.request()
        await peer.send(cut)

    async with serving(tmp_path, cuts) as (client, _):
        events = (await ask(client)).events()
        assert await anext(events) == b"a"
        with pytest.raises(ConnectionLost):
            await anext(events)


async def test_first_byte_deadline(tmp_path: Path) -> None:
    """A server that only stares is given up, and sees its connection closed."""

    async def stares(peer: Peer) -> None:
        await peer.request()
        await peer.until_gone()

    async with serving(tmp_path, stares) as (client, server):
        with pytest.raises(DeadlinePassed) as caught:
            await ask(client, first_byte_s=0.05)
        assert not caught.value.answer_began
        async with asyncio.timeout(20):
            await server.peers[0].gone.wait()


async def test_first_byte_deadline_holds_after_the_head(tmp_path: Path) -> None:
    """A head without a body does not stretch the wait for the first byte of the body."""

    async def only_head(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD)
        await peer.until_gone()

    async with serving(tmp_path, only_head) as (client, _):
        response = await ask(client, first_byte_s=0.2, idle_s=3600)
        with pytest.raises(DeadlinePassed) as caught:
            await response.read(10)
        assert caught.value.answer_began


async def test_idle_deadline(tmp_path: Path) -> None:
    """A stream that falls silent is given up after the idle time."""

    async def falls_silent(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD + b"9\r\ndata: a\n\n\r\n")
        await peer.until_gone()

    async with serving(tmp_path, falls_silent) as (client, server):
        events = (await ask(client, idle_s=0.1)).events()
        assert await anext(events) == b"a"
        with pytest.raises(DeadlinePassed):
            await anext(events)
        async with asyncio.timeout(20):
            await server.peers[0].gone.wait()


async def test_cancelled_request_closes_its_connection(tmp_path: Path) -> None:
    """Cancelling `send` makes the server see the connection closed."""
    asked = asyncio.Event()

    async def stares(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await peer.until_gone()

    async with serving(tmp_path, stares) as (client, server):
        task = asyncio.create_task(ask(client))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(20):
            await server.peers[0].gone.wait()


@pytest.mark.parametrize("way", ["chunks", "events", "close"])
async def test_abandoned_answer_closes_its_connection(tmp_path: Path, way: str) -> None:
    """Leaving a stream early makes the server see the connection closed."""

    async def talks(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD + b"9\r\ndata: a\n\n\r\n")
        await peer.until_gone()

    async with serving(tmp_path, talks) as (client, server):
        response = await ask(client)
        if way == "close":
            response.close()
        else:
            pieces = getattr(response, way)()
            await anext(pieces)
            await pieces.aclose()
        async with asyncio.timeout(20):
            await server.peers[0].gone.wait()


async def test_slow_reader_slows_the_server(tmp_path: Path) -> None:
    """Unread body is not piled up in memory, and nothing of it is lost."""
    piece, pieces = bytes(range(256)) * 256, 512
    sent = 0

    async def pours(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (len(piece) * pieces))
        for _ in range(pieces):
            await peer.send(piece)
            sent += len(piece)

    async with serving(tmp_path, pours) as (client, _):
        response = await ask(client)
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.2)  # the server stands still when two looks see the same
        assert sent < 4 * 1024 * 1024
        size = 0
        async for chunk in response.chunks():
            size += len(chunk)
        assert size == len(piece) * pieces


async def test_idle_deadline_spares_a_slow_reader(tmp_path: Path) -> None:
    """Time in which we read nothing is not held against the server."""
    body = b"x" * (8 * 1024 * 1024)

    async def pours(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body), body)

    async with serving(tmp_path, pours) as (client, _):
        response = await ask(client, idle_s=0.3)
        await asyncio.sleep(1.0)  # longer than the idle time: that is the point
        assert await response.read(len(body)) == body


async def test_requests_beyond_the_pool_wait_their_turn(tmp_path: Path) -> None:
    """More requests than connections are all answered, over no more connections than allowed."""
    async with serving(tmp_path, answering(PLAIN), connections_max=2) as (client, server):

        async def one() -> bytes:
            return await (await ask(client)).read(10)

        assert await asyncio.gather(*[one() for _ in range(20)]) == [b"hello"] * 20
        assert len(server.peers) == 2


async def test_place_of_a_dead_connection_goes_to_the_next(tmp_path: Path) -> None:
    """Requests that wait for a place get it when connections die instead of coming free."""

    async def closes_after_one(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello")

    async with serving(tmp_path, closes_after_one, connections_max=2) as (client, server):

        async def one() -> bytes:
            return await (await ask(client)).read(10)

        assert await asyncio.gather(*[one() for _ in range(10)]) == [b"hello"] * 10
        assert len(server.peers) == 10


async def test_servers_that_drop_without_a_word(tmp_path: Path) -> None:
    """A full pool on a server that silently drops each connection after one answer works."""

    async def drops_after_one(peer: Peer) -> None:
        await peer.request()
        await peer.send(PLAIN)

    async with serving(tmp_path, drops_after_one, connections_max=2) as (client, _):

        async def one() -> bytes:
            return await (await ask(client)).read(10)

        assert await asyncio.gather(*[one() for _ in range(20)]) == [b"hello"] * 20


async def test_waiting_for_a_place_has_a_deadline(tmp_path: Path) -> None:
    """When every connection stays busy, a request fails in time and harms nobody."""
    release = asyncio.Event()

    async def dawdles(peer: Peer) -> None:
        await peer.request()
        await release.wait()
        await peer.send(PLAIN)
        await peer.until_gone()

    async with serving(tmp_path, dawdles, connections_max=1) as (client, _):
        first = asyncio.create_task(ask(client))
        await asyncio.sleep(0)
        with pytest.raises(ConnectError):
            await ask(client, first_byte_s=0.05)
        release.set()
        assert await (await first).read(10) == b"hello"


async def test_nobody_listens(tmp_path: Path) -> None:
    """A server that is not there is a ConnectError, and the pool's place is given back."""
    client = HttpClient(unix_connector(str(tmp_path / "none")), host="engine", connections_max=1)
    for _ in range(3):
        with pytest.raises(ConnectError):
            await ask(client)
    await client.close()


async def test_closing_the_client_ends_everything(tmp_path: Path) -> None:
    """`close` ends running answers, and later requests are refused."""

    async def falls_silent(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD)
        await peer.until_gone()

    async with serving(tmp_path, falls_silent, connections_max=1) as (client, server):
        response = await ask(client)
        waiting = asyncio.create_task(ask(client))
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(ConnectionLost):
            await response.read(10)
        with pytest.raises(ConnectError):
            await waiting
        with pytest.raises(ConnectError):
            await ask(client)
        async with asyncio.timeout(20):
            await server.peers[0].gone.wait()


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000,
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
        STREAM_HEAD + b"1;" + b"x" * 100_000,
        STREAM_HEAD + b"1\r\na\r\n0\r\n" + b"t: v\r\n" * 50_000,
    ],
    ids=[
        "not http",
        "upgrade",
        "two lengths",
        "chunk length",
        "long header",
        "many headers",
        "endless interim",
        "chunk extension",
        "endless trailers",
    ],
)
async def test_malformed_answers(tmp_path: Path, answer: bytes) -> None:
    """Nonsense, and heads or framing without end, end in MalformedReply and a closed connection."""

    async def talks_nonsense(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer)
        await peer.until_gone()

    async with serving(tmp_path, talks_nonsense) as (client, server):
        with pytest.raises(MalformedReply):
            await (await ask(client)).read(1000)
        async with asyncio.timeout(20):
            await server.peers[0].gone.wait()


async def test_surplus_answer_is_never_taken_for_the_next(tmp_path: Path) -> None:
    """A connection on which more came than was asked for is not used again."""
    forged = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged"
    scripts = answering(PLAIN + forged), answering(PLAIN)
    async with serving(tmp_path, *scripts) as (client, server):
        assert await (await ask(client)).read(10) == b"hello"
        assert await (await ask(client)).read(10) == b"hello"
        assert len(server.peers) == 2


async def test_late_surplus_answer_is_never_taken_for_the_next(tmp_path: Path) -> None:
    """Bytes that come while nothing is asked close the connection."""

    async def forges(peer: Peer) -> None:
        await peer.request()
        await peer.send(PLAIN)
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged")
        await peer.until_gone()

    async with serving(tmp_path, forges, answering(PLAIN)) as (client, server):
        assert await (await ask(client)).read(10) == b"hello"
        async with asyncio.timeout(20):
            await server.peers[0].gone.wait()
        assert await (await ask(client)).read(10) == b"hello"


async def test_answers_without_a_body(tmp_path: Path) -> None:
    """HEAD, 204 and 304 end with their head, whatever length the head tells."""
    no_content = b"HTTP/1.1 204 No Content\r\n\r\n"
    not_modified = b"HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"
    scripts = answering(no_content, not_modified, head), answering(head)
    async with serving(tmp_path, *scripts) as (client, _):
        for method, status in [("GET", 204), ("GET", 304), ("HEAD", 200)]:
            response = await ask(client, method=method, body=b"")
            assert response.status == status
            assert await response.read(10) == b""
        response = await ask(client, method="HEAD", body=b"")
        assert response.headers["content-length"] == "1000"


async def test_answer_that_ends_with_its_connection(tmp_path: Path) -> None:
    """Without a length the connection's end is the body's end."""

    async def old_fashioned(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.0 200 OK\r\n\r\nhel", b"lo")

    async with serving(tmp_path, old_fashioned) as (client, _):
        assert await (await ask(client)).read(10) == b"hello"


async def test_too_long_a_body_is_refused(tmp_path: Path) -> None:
    """Beyond its limit `read` raises, and the connection is closed rather than drained."""

    async def pours(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD + b"6\r\nabcdef\r\n")
        await peer.until_gone()

    async with serving(tmp_path, pours) as (client, server):
        with pytest.raises(BodyTooLong):
            await (await ask(client)).read(5)
        async with asyncio.timeout(20):
            await server.peers[0].gone.wait()


async def test_too_long_an_event_is_refused(tmp_path: Path) -> None:
    """An event beyond its limit raises instead of filling the memory."""
    event = b"data: " + b"x" * 100 + b"\n\n"
    async with serving(
        tmp_path, answering(STREAM_HEAD + b"%x\r\n%s\r\n" % (len(event), event))
    ) as (client, _):
        with pytest.raises(BodyTooLong):
            await anext((await ask(client)).events(event_bytes_max=50))


async def test_connection_lives_on_after_the_last_event(tmp_path: Path) -> None:
    """`[DONE]` ends the events at once; the end of the body may follow and frees the connection."""
    ended = asyncio.Event()

    async def ends_late(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD + b"e\r\ndata: [DONE]\n\n\r\n")
        await ended.wait()
        await peer.send(b"2\r\n\n\n\r\n0\r\n\r\n")
        await peer.request()
        await peer.send(PLAIN)

    async with serving(tmp_path, ends_late) as (client, server):
        response = await ask(client)
        assert [payload async for payload in response.events()] == []
        assert response.ended
        ended.set()
        await eventually(lambda: client._idle)
        assert await (await ask(client)).read(10) == b"hello"
        assert len(server.peers) == 1


async def test_connection_that_never_ends_its_body_is_closed(tmp_path: Path) -> None:
    """After `[DONE]` the peer gets a moment to end its answer, not forever."""

    async def goes_on(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD + b"e\r\ndata: [DONE]\n\n\r\n")
        await peer.until_gone()

    async with serving(tmp_path, goes_on) as (client, server):
        async for _ in (await ask(client)).events():
            pytest.fail("there is nothing before the end")
        async with asyncio.timeout(20):
            await server.peers[0].gone.wait()


async def test_idle_connections_are_let_go(tmp_path: Path) -> None:
    """A connection that nobody used for `idle_keep_s` is closed by us, before the server does."""
    async with serving(tmp_path, answering(PLAIN)) as (_, server):
        client = HttpClient(unix_connector(str(tmp_path / "s")), host="x", idle_keep_s=0.05)
        assert await (await ask(client)).read(10) == b"hello"
        async with asyncio.timeout(20):
            await server.peers[0].gone.wait()
        assert await (await ask(client)).read(10) == b"hello"
        assert len(server.peers) == 2
        await client.close()


async def test_without_keep_alive(tmp_path: Path) -> None:
    """A client told not to keep connections says so and closes each."""
    heads: list[bytes] = []

    async def script(peer: Peer) -> None:
        heads.append((await peer.request())[0])
        await peer.send(PLAIN)
        await peer.until_gone()

    async with serving(tmp_path, script) as (_, server):
        client = HttpClient(unix_connector(str(tmp_path / "s")), host="x", keep_alive=False)
        for _ in range(2):
            assert await (await ask(client)).read(10) == b"hello"
        assert len(server.peers) == 2
        assert all(b"connection: close\r\n" in head for head in heads)
        await client.close()


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/a b", []),
        ("GET", "/a\r\nx: y", []),
        ("GET /x HTTP/1.1\r\nx:", "/", []),
        ("GET", "/", [("x", "y\r\nz: 1")]),
        ("GET", "/", [("x", "y\nz: 1")]),
        ("GET", "/", [("x\r", "y")]),
    ],
)
async def test_framing_cannot_be_broken(
    tmp_path: Path, method: str, path: str, headers: list[tuple[str, str]]
) -> None:
    """Line breaks and spaces that would forge headers or requests are refused unsent."""
    async with serving(tmp_path, answering(PLAIN)) as (client, server):
        with pytest.raises(ValueError, match="line break"):
            await client.send(method, path, headers, b"", first_byte_s=60, idle_s=60)
        assert server.peers == []


async def test_closed_connections_leave_no_garbage(tmp_path: Path) -> None:
    """Connections and answers are freed at once, without the cycle collector."""

    async def closes(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx")

    async with serving(tmp_path, closes) as (client, _):
        gc.collect()
        gc.disable()
        try:
            for _ in range(3):
                assert await (await ask(client)).read(10) == b"x"
            await eventually(lambda: not living(Connection, Response))
        finally:
            gc.enable()


def living(*kinds: type) -> int:
    """How many objects of these kinds exist."""
    return sum(isinstance(thing, kinds) for thing in gc.get_objects())

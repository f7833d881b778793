"""A client that leaves: its generation ends, its place is free, its record says so."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from linarite.controls.quota import Limiter, MemoryLedger
from linarite.domain.chat import ChatChoice, ChatDelta, ChatEvent
from linarite.domain.engine import Capabilities
from linarite.domain.ledger import Bucket, Window
from linarite.web.options import Server
from tests.dataplane.rig import (
    ABLE,
    CHAT,
    EMBEDDINGS,
    HELLO,
    WAIT_S,
    ScriptedEngine,
    greeting,
    rig,
    until,
)
from tests.web.wire import Answer, get_lines, read_answer, read_head

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from linarite.domain.chat import ChatAsk
    from linarite.domain.embedding import EmbeddingAsk, EmbeddingEvent
    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

ONE_AT_A_TIME = Capabilities(chat_completion=True, embeddings=True, parallel_requests=1)
STREAM = HELLO | {"stream": True}


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both event loops: they notice a closed connection in their own ways."""
    return "asyncio", {"use_uvloop": request.param}


class Client:
    """A connection that can be left in the rude way too."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def leave(self, rudely: bool = False) -> None:
        """Close; rudely means a reset, as from a process that was killed."""
        if rudely:
            raw: socket.socket = self.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort() if rudely else self.writer.close()


@asynccontextmanager
async def asking(running: Rig, body: Any, target: str = CHAT) -> AsyncIterator[Client]:  # noqa: ANN401 - any JSON
    """A client that has sent its request and reads nothing yet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    payload = json.dumps(body).encode()
    lines = [("host", "x"), ("api-key", running.keys.key1), ("content-length", str(len(payload)))]
    writer.write(get_lines("POST", target, lines) + payload)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


async def silent(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
    """Think for ever."""
    del ask
    await asyncio.Event().wait()
    yield ChatEvent()


async def talkative(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
    """Talk for ever, at a human pace."""
    del ask
    while True:
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="and "))])
        await asyncio.sleep(0.01)


async def torrent(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
    """Talk for ever, as fast as it goes."""
    del ask
    while True:
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="and " * 1000))])


def is_free(running: Rig) -> Callable[[], bool]:
    """Whether every generator is closed and every place is free."""
    engine, gate = running.engine, running.instance.gate
    return lambda: engine.opened == engine.closed and gate.running == gate.waiting == 0


async def left(running: Rig, status: int, count: int = 1) -> None:
    """The request is over and recorded as left by its client."""
    record = await running.recorded(count)
    assert (record.finish, record.status) == ("client_left", status)
    await until(is_free(running))


@pytest.mark.parametrize("rudely", [False, True])
@pytest.mark.parametrize("body", [HELLO, STREAM], ids=["plain", "stream"])
async def test_before_the_first_event(body: dict[str, Any], rudely: bool) -> None:
    """Nothing was sent: 499, and the engine's generator is closed."""
    async with rig(ScriptedEngine(silent)) as running, asking(running, body) as client:
        await until(lambda: running.engine.opened == 1)
        client.leave(rudely)
        await left(running, 499)
        assert running.records[0].to_first_token_us == 0


async def test_before_its_request_is_looked_at() -> None:
    """Cut off for what it sent behind it, in the same packet: no work is done for nobody."""
    async with rig(ScriptedEngine(silent)) as running, asking(running, HELLO) as client:
        client.writer.write(b"not HTTP\r\n\r\n")
        await left(running, 499)
        assert running.engine.opened == 0


@pytest.mark.parametrize("rudely", [False, True])
async def test_in_the_middle_of_a_stream(rudely: bool) -> None:
    """200 had been sent, so it is recorded; the generation ends all the same."""
    async with rig(ScriptedEngine(talkative)) as running, asking(running, STREAM) as client:
        await read_head(client.reader)
        await client.reader.readuntil(b"and ")
        client.leave(rudely)
        await left(running, 200)
        assert running.records[0].to_first_token_us > 0


async def test_in_the_middle_of_a_plain_answer() -> None:
    """Half of it was folded; nothing was sent."""
    async with rig(ScriptedEngine(talkative)) as running, asking(running, HELLO) as client:
        await until(lambda: running.engine.opened == 1)
        await asyncio.sleep(0.05)
        client.leave()
        await left(running, 499)


async def test_while_it_reads_nothing() -> None:
    """A client that lets its stream pile up and then leaves."""
    async with rig(ScriptedEngine(torrent)) as running, asking(running, STREAM) as client:
        await read_head(client.reader)
        await asyncio.sleep(0.3)
        client.leave(rudely=True)
        await left(running, 200)


async def test_a_client_that_reads_nothing_is_waited_for() -> None:
    """Events are not made faster than they are taken: memory stays bounded."""
    made = 0

    async def counted(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        nonlocal made
        async for event in torrent(ask):
            made += 1
            yield event

    async with rig(ScriptedEngine(counted)) as running, asking(running, STREAM) as client:
        await read_head(client.reader)
        before = -1
        while made != before:
            before = made
            await asyncio.sleep(0.3)
        assert made < 20_000
        client.leave(rudely=True)
        await left(running, 200)


async def test_in_the_queue() -> None:
    """Who waits and leaves is out of the queue, takes nobody's turn, and is charged no tokens."""
    engine, ledger = ScriptedEngine(silent, ONE_AT_A_TIME), MemoryLedger()
    account = Bucket("a", "account-tokens", "tokens", 100_000, Window.MINUTE)
    async with (
        rig(
            engine, limiter=Limiter(ledger=ledger), buckets_for=lambda _call, _facts: (account,)
        ) as running,
        asking(running, HELLO) as first,
    ):
        await until(lambda: engine.opened == 1)
        before = await ledger.left([account])
        async with asking(running, HELLO) as second:
            await until(lambda: running.instance.gate.waiting == 1)
            second.leave()
            await until(lambda: running.instance.gate.waiting == 0)
            assert (await running.recorded()).finish == "client_left"
        assert engine.opened == 1
        assert await ledger.left([account]) == before
        engine.script = greeting
        async with asking(running, HELLO) as third:
            await until(lambda: running.instance.gate.waiting == 1)
            first.leave()
            async with asyncio.timeout(WAIT_S):
                assert (await read_answer(third.reader)).status == 200
        await until(is_free(running))


async def test_while_the_model_loads() -> None:
    """Nobody is left waiting for the start."""

    class Loading(ScriptedEngine):
        async def start(self, progress: Callable[[float, str], None]) -> Capabilities:
            progress(0.5, "reading weights")
            await go_on.wait()
            return self.able

    go_on = asyncio.Event()
    async with rig(Loading()) as running, asking(running, HELLO) as client:
        await until(lambda: running.instance.state == "Starting")
        client.leave()
        await left(running, 499)
        go_on.set()
        assert (await running.chat(HELLO)).status == 200


@pytest.mark.parametrize("sent", [b"", b'{"messages":'])
@pytest.mark.parametrize("rudely", [False, True])
async def test_before_the_body_has_come(sent: bytes, rudely: bool) -> None:
    """Half a body is no request: 499, the engine never hears of it."""
    async with rig() as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        lines = [("host", "x"), ("api-key", running.keys.key1), ("content-length", "100")]
        writer.write(get_lines("POST", CHAT, lines) + sent)
        await writer.drain()
        await asyncio.sleep(0.05)
        Client(reader, writer).leave(rudely)
        await left(running, 499)
        assert running.engine.opened == 0


async def test_after_a_body_that_came_slowly() -> None:
    """The watch begins after the body: it neither eats its pieces nor ends with them."""
    async with rig(ScriptedEngine(silent)) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        body = json.dumps(HELLO).encode()
        lines = [("host", "x"), ("api-key", running.keys.key1), ("content-length", str(len(body)))]
        writer.write(get_lines("POST", CHAT, lines) + body[:10])
        await asyncio.sleep(0.5)
        writer.write(body[10:])
        await until(lambda: running.engine.opened == 1)
        Client(reader, writer).leave()
        await left(running, 499)


async def test_from_an_operation_that_is_one_call() -> None:
    """Embeddings are cancelled too, though no generator of the engine's runs."""
    cancelled = asyncio.Event()

    class Slow(ScriptedEngine):
        async def embed(self, ask: EmbeddingAsk) -> EmbeddingEvent:
            self.asked.append(ask)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise
            raise AssertionError

    async with rig(Slow()) as running, asking(running, {"input": "x"}, EMBEDDINGS) as client:
        await until(lambda: len(running.engine.asked) == 1)
        client.leave()
        await left(running, 499)
        assert cancelled.is_set()


async def test_an_engine_that_cannot_let_go_quietly(logged: list[Any]) -> None:
    """It fails while its generator is closed: that is logged, and the place is free."""

    async def clumsy(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        try:
            async for event in talkative(ask):
                yield event
        finally:
            message = "clumsy"
            raise RuntimeError(message)

    async with rig(ScriptedEngine(clumsy)) as running, asking(running, STREAM) as client:
        await read_head(client.reader)
        client.leave()
        await running.recorded()
        await until(is_free(running))
    errors = [entry for entry in logged if entry["log_level"] == "error"]
    assert errors
    logged.clear()


async def test_a_connection_is_watched_anew_for_each_request() -> None:
    """Long requests on one connection: the watch of one takes nothing from the next."""

    async def slow(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        await asyncio.sleep(0.3)
        async for event in greeting(ask):
            yield event

    async with rig(ScriptedEngine(slow)) as running, asking(running, HELLO) as client:
        body = json.dumps(HELLO).encode()
        lines = [("host", "x"), ("api-key", running.keys.key1), ("content-length", str(len(body)))]
        for _ in range(2):
            async with asyncio.timeout(WAIT_S):
                assert (await read_answer(client.reader)).status == 200
            client.writer.write(get_lines("POST", CHAT, lines) + body)
        async with asyncio.timeout(WAIT_S):
            assert (await read_answer(client.reader)).status == 200
        assert [record.finish for record in running.records] == ["completed"] * 3


async def test_from_a_pipeline() -> None:
    """The request that runs hears of it, though another waits behind it on the connection."""
    async with rig(ScriptedEngine(talkative)) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        body = json.dumps(STREAM).encode()
        lines = [("host", "x"), ("api-key", running.keys.key1), ("content-length", str(len(body)))]
        writer.write((get_lines("POST", CHAT, lines) + body) * 2)
        await read_head(reader)
        Client(reader, writer).leave()
        await left(running, 200)
        assert running.engine.opened == 1


async def test_many_leave_at_once() -> None:
    """Fifty clients vanish in the middle of their streams; nothing of them remains."""
    engine = ScriptedEngine(talkative, ABLE)
    async with rig(engine, server=Server(port=0)) as running:
        clients: list[Client] = []
        for index in range(50):
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            body = json.dumps(STREAM if index % 2 else HELLO).encode()
            lines = [("host", "x"), ("api-key", running.keys.key1)]
            lines.append(("content-length", str(len(body))))
            writer.write(get_lines("POST", CHAT, lines) + body)
            clients.append(Client(reader, writer))
        await until(lambda: engine.opened == 50)
        for index, client in enumerate(clients):
            client.leave(rudely=bool(index % 3))
        await until(lambda: len(running.records) == 50)
        await until(is_free(running))
        assert {record.finish for record in running.records} == {"client_left"}


async def test_at_shutdown_requests_in_progress_are_told() -> None:
    """What the grace period cuts short is a 503 or an error event, and is recorded as failed."""
    async with (
        rig(ScriptedEngine(silent)) as running,
        asking(running, HELLO) as plain,
    ):
        await until(lambda: running.engine.opened == 1)
        running.engine.script = talkative
        async with asking(running, STREAM) as stream:
            await read_head(stream.reader)
            await running.listener.close(0.1)
            answer: Answer = await read_answer(plain.reader)
            assert answer.status == 503
            assert "shutting down" in answer.error["message"]
            assert answer.header("retry-after") is not None
            rest = await stream.reader.read()
            assert b'data: {"error":{"code":"503"' in rest
            assert rest.endswith(b"0\r\n\r\n")
        assert [record.finish for record in running.records] == ["failed", "failed"]
        assert sorted(record.status for record in running.records) == [200, 503]
        await until(is_free(running))

"""Responses over a WebSocket: every turn is a request, and the socket has bounds of its own."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from linarite.controls.quota import Limiter
from linarite.dataplane.options import Limits
from linarite.dataplane.sockets.options import WebSockets
from linarite.domain.chat import ChatChoice, ChatDelta, ChatEvent
from linarite.domain.errors import EngineFailed
from linarite.web.options import Server
from tests.dataplane.rig import WAIT_S, ScriptedEngine, rig, until
from tests.dataplane.test_network_rules import deny
from tests.dataplane.test_responses import says
from tests.web.test_listener import Certificate
from tests.web.wire import exchange, get_lines

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from websockets.asyncio.client import ClientConnection

    from linarite.domain.chat import ChatAsk
    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

PATH = "/openai/v1/responses"
DATED = "/openai/responses?api-version=2025-04-01-preview"


@pytest.fixture(scope="module")
async def scripted() -> AsyncIterator[Rig]:
    """A server whose engine's script each test sets."""
    async with rig(ScriptedEngine()) as running:
        yield running


def opened(
    running: Rig,
    path: str = PATH,
    key: str = "",
    **more: Any,  # noqa: ANN401 - of connect
) -> AbstractAsyncContextManager[ClientConnection]:
    """A socket, with the first key."""
    headers = {"api-key": key or running.keys.key1}
    url = f"ws://127.0.0.1:{running.port}{path}"
    return connect(url, additional_headers=headers, proxy=None, **more)


async def send(socket: ClientConnection, **said: Any) -> None:  # noqa: ANN401 - members of the message
    """Ask for a response."""
    body = {"type": "response.create", "model": "gpt", "input": "hello"}
    await socket.send(json.dumps(body | said))


async def events(socket: ClientConnection) -> list[dict[str, Any]]:
    """Those of one turn."""
    found: list[dict[str, Any]] = []
    ends = {"response.completed", "response.failed", "response.incomplete", "error"}
    async with asyncio.timeout(WAIT_S):
        while not found or found[-1]["type"] not in ends:
            found.append(json.loads(await socket.recv()))
    return found


async def turn(socket: ClientConnection, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    """The last event of a turn."""
    await send(socket, **said)
    return (await events(socket))[-1]


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """How the other side closes it."""
    async with asyncio.timeout(WAIT_S):
        await socket.wait_closed()
    return socket.close_code or 0, socket.close_reason or ""


@pytest.mark.parametrize("path", [PATH, DATED])
async def test_events_are_those_of_a_stream(scripted: Rig, path: str) -> None:
    """As JSON, one a message; in both dialects, turn after turn."""
    async with opened(scripted, path) as socket:
        for _ in range(2):
            await send(socket)
            found = await events(socket)
            assert [each["sequence_number"] for each in found] == list(range(len(found)))
            assert found[0]["type"] == "response.created"
            assert found[-1]["response"]["output"][0]["content"][0]["text"] == "Hello there!"
            kept = await scripted.send("GET", f"{PATH}/{found[-1]['response']['id']}")
            assert kept.json() == found[-1]["response"]


async def test_each_turn_leaves_a_record_and_the_socket_one_more(scripted: Rig) -> None:
    """Turns as requests are recorded, the socket with the status that opened it."""
    scripted.records.clear()
    async with opened(scripted, user_agent_header="bicycle/1") as socket:
        await turn(socket)
        await turn(socket, model="absent")
    await scripted.recorded(3)
    first, second, whole = scripted.records
    assert (first.operation, first.status, first.finish) == ("Responses_Create", 200, "completed")
    assert (first.prompt_tokens, first.completion_tokens, first.deployment) == (3, 4, "gpt")
    assert (first.method, first.path, first.user_agent) == ("POST", PATH, "bicycle/1")
    assert (second.status, second.error_code) == (404, "DeploymentNotFound")
    assert (whole.operation, whole.status, whole.method) == ("Responses_Connect", 101, "GET")
    assert (whole.finish, whole.prompt_tokens, whole.deployment) == ("completed", 0, "")


async def test_what_is_not_kept_can_be_gone_on_from_on_its_own_socket(scripted: Rig) -> None:
    """The latest of it alone, and nowhere else."""
    async with opened(scripted) as socket, opened(scripted) as other:
        first = (await turn(socket, input="one", store=False))["response"]["id"]
        more = {"store": False, "previous_response_id": first}
        second = (await turn(socket, input="two", **more))["response"]
        assert second["previous_response_id"] == first
        said = [str(each.content) for each in scripted.engine.asked[-1].messages]
        assert said == ["one", "Hello there!", "two"]
        third = await turn(socket, input="three", store=False, previous_response_id=second["id"])
        said = [str(each.content) for each in scripted.engine.asked[-1].messages]
        assert said == ["one", "Hello there!", "two", "Hello there!", "three"]
        gone = await turn(socket, previous_response_id=first)
        assert gone == {
            "type": "error",
            "status": 400,
            "error": {
                "type": "invalid_request_error",
                "code": "previous_response_not_found",
                "message": f"Previous response with id '{first}' not found.",
                "param": "previous_response_id",
                "headers": gone["error"]["headers"],
            },
        }
        third_id = third["response"]["id"]
        assert (await turn(socket, previous_response_id=third_id))["type"] == "error", "evicted"
        kept_nowhere = await turn(other, previous_response_id=second["id"])
        assert kept_nowhere["error"]["code"] == "previous_response_not_found"
        assert (await scripted.send("GET", f"{PATH}/{third_id}")).status == 404


async def test_only_so_much_is_remembered() -> None:
    """What is longer has to be sent again."""
    async with (
        rig(sockets=WebSockets(memory_bytes_max=600)) as running,
        opened(running) as socket,
    ):
        short = await turn(socket, store=False)
        after = await turn(socket, store=False, previous_response_id=short["response"]["id"])
        assert after["type"] == "response.completed"
        long = await turn(socket, store=False, input="long " * 200)
        after = await turn(socket, previous_response_id=long["response"]["id"])
        assert after["error"]["code"] == "previous_response_not_found"


@pytest.mark.parametrize("store", [True, False])
async def test_a_turn_may_only_prepare(scripted: Rig, store: bool) -> None:
    """No model is asked; the next turn goes on from what it said."""
    async with opened(scripted) as socket:
        asked = len(scripted.engine.asked)
        warm = await turn(socket, input="first", generate=False, store=store)
        assert len(scripted.engine.asked) == asked
        assert warm["type"] == "response.completed"
        assert (warm["response"]["output"], warm["response"]["usage"]["total_tokens"]) == ([], 0)
        more = {"previous_response_id": warm["response"]["id"]}
        assert (await turn(socket, input="second", **more))["type"] == "response.completed"
        said = [str(each.content) for each in scripted.engine.asked[-1].messages]
        assert said == ["first", "second"]
        nothing = await turn(socket, input=[], generate=False, store=store)
        assert nothing["type"] == "response.completed"
        assert (await turn(socket, input=[]))["error"]["param"] == "input"


async def test_turns_come_one_after_the_other(scripted: Rig) -> None:
    """However many are asked for at once; each has its lane's name in its events."""
    async with opened(scripted) as socket:
        for number in range(5):
            await send(socket, stream_id=f'lane "{number}"')
        for number in range(5):
            assert {each["stream_id"] for each in await events(socket)} == {f'lane "{number}"'}
        await send(socket)
        assert all("stream_id" not in each for each in await events(socket))


@pytest.mark.parametrize(
    ("message", "code", "param"),
    [
        ("{", "invalid_json", None),
        ("[]", "invalid_json", None),
        ('{"type":1}', "invalid_json", None),
        ('{"type":"response.steer"}', "invalid_value", "type"),
        ("{}", "invalid_value", "type"),
        ('{"type":"response.create","generate":3}', "invalid_type", "generate"),
        ('{"type":"response.create","input":"x"}', "missing_required_parameter", "model"),
        ('{"type":"response.create","model":"gpt","wrong":1}', "unknown_parameter", "wrong"),
        (
            '{"type":"response.create","model":"gpt","input":"x","background":true}',
            "unsupported_parameter",
            "background",
        ),
    ],
)
async def test_what_cannot_be_understood_is_told(
    scripted: Rig, message: str, code: str, param: str | None
) -> None:
    """And the socket goes on."""
    async with opened(scripted) as socket:
        await socket.send(message)
        [told] = await events(socket)
        assert (told["status"], told["error"]["code"], told["error"]["param"]) == (400, code, param)
        assert (await turn(socket))["type"] == "response.completed"


async def test_frames_that_are_no_texts_end_it() -> None:
    """As do messages that are too large; pieces of a message are put together."""
    limits = Limits(body_bytes_max=4096)
    async with rig(limits=limits) as running:
        async with opened(running) as socket:
            await socket.send(b"bytes")
            assert (await closed(socket))[0] == 1003
        async with opened(running) as socket:
            await send(socket, input="x" * 5000)
            assert (await closed(socket))[0] == 1009
        async with opened(running) as socket:
            whole = json.dumps({"type": "response.create", "model": "gpt", "input": "hello"})
            await socket.send([whole[:9], whole[9:30], whole[30:]])
            assert (await events(socket))[-1]["type"] == "response.completed"
            assert socket.protocol.extensions == [], "nothing is compressed"


async def test_large_messages_are_held_against_the_budget_of_bodies() -> None:
    """They are given back with the turn; what finds no room is closed for later."""
    async with rig(server=Server(port=0, bodies_bytes_max=1 << 20)) as running:
        async with opened(running) as socket:
            for _ in range(3):
                last = await turn(socket, input="x" * 700_000)
                assert last["type"] == "response.completed"
            await send(socket, input="x" * 1_500_000)
            assert (await closed(socket))[0] == 1013
        async with opened(running) as socket:
            assert (await turn(socket, input="x" * 700_000))["type"] == "response.completed"


async def test_what_waits_stays_held() -> None:
    """The end of a turn gives back what was held of its own message."""
    gates = [asyncio.Event() for _ in range(3)]
    waiting = iter(gates)

    async def in_turn(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        await next(waiting).wait()
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="x"), finish_reason="stop")])

    server = Server(port=0, bodies_bytes_max=4 << 20)
    async with rig(ScriptedEngine(in_turn), server=server) as running, opened(running) as socket:
        bodies = getattr(running.listener, "_shared").bodies  # noqa: B009 - it is private
        for _ in range(3):
            await send(socket, input="x" * 700_000)
        await until(lambda: bodies.held > 1_000_000)
        for at, gate in enumerate(gates):
            await until(lambda: running.engine.opened == at + 1)  # noqa: B023 - asked at once
            await until(lambda: bodies.held > (2 - at) * 300_000)  # noqa: B023 - asked at once
            gate.set()
            assert (await events(socket))[-1]["type"] == "response.completed"
        await until(lambda: bodies.held == 0)


async def test_a_break_in_the_middle_is_the_last_event_of_the_turn(scripted: Rig) -> None:
    """As of a stream; the next turn is another matter."""

    async def breaks(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="Well"))])
        raise EngineFailed("It broke.")

    async with opened(scripted) as socket:
        scripted.engine.script = breaks
        await send(socket, store=False)
        found = await events(socket)
        assert found[-1]["error"]["message"] == "It broke."
        assert found[-1]["sequence_number"] == len(found) - 1
        scripted.engine.script = says(ChatDelta(content="fine"))
        assert (await turn(socket))["type"] == "response.completed"


async def test_who_leaves_ends_the_turn(scripted: Rig) -> None:
    """The engine is let go, the record says so."""
    scripted.records.clear()
    scripted.engine.script = endless
    before = scripted.engine.closed
    async with opened(scripted) as socket:
        await send(socket)
        await socket.recv()
        socket.transport.abort()
    await until(lambda: scripted.engine.closed == before + 1)
    await scripted.recorded(2)
    assert {each.finish for each in scripted.records} == {"client_left", "completed"}
    scripted.engine.script = says(ChatDelta(content="fine"))


async def endless(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
    """A model that does not stop."""
    del ask
    while True:
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="on "))])
        await asyncio.sleep(0.005)


async def test_who_may_not_come_in_is_told_over_http(scripted: Rig) -> None:
    """With the body that a request would have."""
    with pytest.raises(InvalidStatus) as refused:
        async with opened(scripted, key="wrong"):
            pass
    assert refused.value.response.status_code == 401
    assert b"Access denied due to invalid subscription key" in refused.value.response.body


async def test_a_key_that_is_replaced_ends_the_socket() -> None:
    """While it waits, or with the next turn."""
    async with rig(sockets=WebSockets(recheck_s=0.1)) as running:
        async with opened(running) as waits:
            assert (await turn(waits))["type"] == "response.completed"
            old = running.keys.key1
            changed = await running.key_store.regenerate(running.account_id, "key1")
            await running.facts.read_anew(running.account_id)
            [told] = await events(waits)
            assert (told["status"], told["error"]["code"]) == (401, "401")
            assert (await closed(waits))[0] == 1008
        assert old != changed.key1
    async with rig(sockets=WebSockets(recheck_s=60)) as running, opened(running) as asks:
        await running.key_store.regenerate(running.account_id, "key1")
        await running.facts.read_anew(running.account_id)
        assert (await turn(asks))["status"] == 401
        assert (await closed(asks))[0] == 1008


async def test_rules_over_networks_hold_for_each_turn() -> None:
    """Also those that are set while it is open."""
    async with rig(sockets=WebSockets(recheck_s=60)) as running:
        async with opened(running) as socket:
            await turn(socket)
            await deny(running, "10.0.0.0/8")
            assert (await turn(socket))["status"] == 403
            assert (await closed(socket))[0] == 1008
        with pytest.raises(InvalidStatus) as refused:
            async with opened(running):
                pass
        assert refused.value.response.status_code == 403


async def test_rates_hold_for_each_turn() -> None:
    """The refusal says when it may go better, and the socket stays."""
    async with rig(limiter=Limiter("exact"), capacity=1) as running, opened(running) as socket:
        told = await turn(socket, input="x" * 8000)
        assert (told["status"], told["error"]["code"]) == (429, "RateLimitReached")
        assert int(told["error"]["headers"]["retry-after"]) > 0
        assert (await turn(socket, max_output_tokens=16))["type"] == "response.completed"


async def test_a_turn_that_only_prepares_is_a_request() -> None:
    """As a count of a prompt is; neither uses tokens."""
    async with rig(limiter=Limiter("exact"), capacity=1) as running, opened(running) as socket:
        assert (await turn(socket, generate=False))["type"] == "response.completed"
        told = await turn(socket, generate=False)
        assert (told["status"], told["error"]["code"]) == (429, "RateLimitReached")
        assert "call rate limit" in told["error"]["message"]
        said = {"model": "gpt", "input": "hello"}
        count = await running.send("POST", "/openai/v1/responses/input_tokens", said)
        assert str(count.header("x-ratelimit-reason")).startswith("deployment-requests; limit=1;")
        assert count.header("x-ratelimit-remaining-tokens") == "1000"


async def test_only_so_many_are_open() -> None:
    """Of an account, and in all; who closes makes room."""
    async with rig(sockets=WebSockets(account_open_max=1)) as running:
        async with opened(running):
            with pytest.raises(InvalidStatus) as refused:
                async with opened(running):
                    pass
            assert refused.value.response.status_code == 429
            assert b"websockets.account_open_max" in refused.value.response.body
        await until(lambda: len(running.records) == 2)
        async with opened(running) as again:
            assert (await turn(again))["type"] == "response.completed"
    async with rig(sockets=WebSockets(open_max=0)) as running:
        with pytest.raises(InvalidStatus) as refused:
            async with opened(running):
                pass
        assert refused.value.response.status_code == 503
        assert b"websockets.open_max" in refused.value.response.body


async def test_silence_and_age_end_it() -> None:
    """Each with its reason."""
    async with rig(sockets=WebSockets(idle_s=0.1)) as running, opened(running) as socket:
        code, reason = await closed(socket)
        assert (code, "websockets.idle_s" in reason) == (1000, True)
    async with rig(sockets=WebSockets(lifetime_s=0.2)) as running, opened(running) as socket:
        await turn(socket)
        [told] = await events(socket)
        assert (told["status"], told["error"]["code"]) == (
            400,
            "websocket_connection_limit_reached",
        )
        assert (await closed(socket))[0] == 1000


async def test_a_server_that_stops_lets_the_turn_end() -> None:
    """Then the socket closes, so that the client connects elsewhere."""
    release = asyncio.Event()

    async def slow(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="slow"))])
        await release.wait()
        yield ChatEvent(choices=[ChatChoice(finish_reason="stop")])

    async with (
        rig(ScriptedEngine(slow)) as running,
        opened(running) as idle,
        opened(running) as busy,
    ):
        await send(busy)
        await busy.recv()
        stopping = asyncio.create_task(running.listener.close(WAIT_S))
        assert (await closed(idle))[0] == 1001
        release.set()
        assert (await events(busy))[-1]["type"] == "response.completed"
        assert (await closed(busy))[0] == 1001
        await stopping


async def test_a_server_that_stops_at_once_tells_the_turn() -> None:
    """Nobody waits for what can't end."""
    async with rig(ScriptedEngine(endless)) as running, opened(running) as socket:
        await send(socket)
        await socket.recv()
        await running.listener.close(0)
        *_, last = [json.loads(each) async for each in socket]
        assert last["type"] == "error"
        assert "shutting down" in last["error"]["message"]
        assert socket.close_code == 1001


async def test_an_offer_where_there_are_no_turns_is_ignored(scripted: Rig) -> None:
    """It is answered as if nothing had been offered."""
    offer = [("upgrade", "websocket"), ("connection", "Upgrade"), ("host", "localhost")]
    offer.append(("api-key", scripted.keys.key1))
    plain = await exchange(scripted.port, get_lines("GET", "/openai/v1/models", offer))
    assert (plain.status, plain.json()["object"]) == (200, "list")
    body = json.dumps({"model": "gpt", "input": "hello"}).encode()
    more = [*offer, ("content-length", str(len(body)))]
    posted = await exchange(scripted.port, get_lines("POST", PATH, more) + body, method="POST")
    assert (posted.status, posted.json()["object"]) == (200, "response")


async def test_a_handshake_must_be_whole(scripted: Rig) -> None:
    """Refused over HTTP, with what is missing; the connection goes on."""
    offer = [("upgrade", "WebSocket"), ("connection", "Upgrade"), ("host", "localhost")]
    offer.append(("api-key", scripted.keys.key1))
    old = await exchange(
        scripted.port, get_lines("GET", PATH, [*offer, ("sec-websocket-version", "8")])
    )
    assert (old.status, old.header("sec-websocket-version")) == (426, "13")
    for key in ("", "c2hvcnQ=", "*"):
        more = [("sec-websocket-version", "13"), ("sec-websocket-key", key)]
        bad = await exchange(scripted.port, get_lines("GET", PATH, [*offer, *more]))
        assert (bad.status, bad.error["code"]) == (400, "BadRequest")


async def test_over_tls(tmp_path: Path) -> None:
    """With the same protocol behind it."""
    own = Certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=str(own.certificate))
    async with rig(server=own.options()) as running:
        url = f"wss://127.0.0.1:{running.port}{PATH}"
        headers = {"api-key": running.keys.key1}
        async with connect(url, ssl=trusting, additional_headers=headers, proxy=None) as socket:
            assert (await turn(socket, input="x" * 300_000))["type"] == "response.completed"
            assert (await turn(socket))["type"] == "response.completed"


async def upgraded(running: Rig) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which frames may be written by hand."""
    reader, writer = await running.connect()
    offer = [("upgrade", "websocket"), ("connection", "Upgrade"), ("host", "localhost")]
    offer += [("sec-websocket-version", "13"), ("sec-websocket-key", "MDEyMzQ1Njc4OWFiY2RlZg==")]
    writer.write(get_lines("GET", PATH, [*offer, ("api-key", running.keys.key1)]))
    async with asyncio.timeout(WAIT_S):
        head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    return reader, writer


@pytest.mark.parametrize(
    "frame",
    [
        b"\x81\x02{}",  # no mask
        b"\xf1\x82\0\0\0\0{}",  # bits that nobody has agreed on
        b"\x89\xfe\x01\x00\0\0\0\0" + bytes(256),  # a ping too long
        b"\x83\x82\0\0\0\0{}",  # an opcode that there is not
        b"\x80\x82\0\0\0\0{}",  # goes on with nothing
        b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
    ],
    ids=["unmasked", "reserved", "long ping", "opcode", "continuation", "http"],
)
async def test_what_is_no_frame_ends_it(scripted: Rig, frame: bytes) -> None:
    """With the protocol's own close code."""
    reader, writer = await upgraded(scripted)
    writer.write(frame)
    async with asyncio.timeout(WAIT_S):
        told = await reader.read()
    assert told[:1] == b"\x88"
    assert int.from_bytes(told[2:4], "big") == 1002
    writer.close()


async def test_who_reads_nothing_is_read_no_more() -> None:
    """What is answered at once, as pings are, waits for its reader in bounded memory."""
    async with rig() as running:
        _, writer = await upgraded(running)
        transport: Any = writer.transport
        transport.pause_reading()
        pings = (b"\x89\xfd\0\0\0\0" + bytes(125)) * 500
        for _ in range(200):  # 13 MB
            writer.write(pings)
            try:
                async with asyncio.timeout(0.5):
                    await writer.drain()
            except TimeoutError:
                break
        [connection] = getattr(running.listener, "_shared").open  # noqa: B009 - it is private
        unsent: int = getattr(connection, "_transport").get_write_buffer_size()  # noqa: B009 - the client hides it
        assert unsent < 1024 * 1024
        transport.abort()


async def test_fragments_without_end_end_it(scripted: Rig) -> None:
    """Empty ones have no size; together they would be a message that never is."""
    reader, writer = await upgraded(scripted)
    writer.write(b"\x01\x80\0\0\0\0" + b"\x00\x80\0\0\0\0" * 20_000)
    async with asyncio.timeout(WAIT_S):
        told = await reader.read()
    assert int.from_bytes(told[2:4], "big") == 1009
    assert b"fragments" in told
    writer.close()


async def test_a_flood_of_what_cannot_be_understood_lets_others_in_between(scripted: Rig) -> None:
    """Whoever else there is has a turn after each."""
    turns_of_others = 0

    async def other() -> None:
        nonlocal turns_of_others
        while True:
            turns_of_others += 1
            await asyncio.sleep(0)

    reader, writer = await upgraded(scripted)
    others = asyncio.create_task(other())
    writer.write(b"\x81\x82\0\0\0\0{}" * 2000)
    told = b""
    async with asyncio.timeout(WAIT_S):
        while told.count(b'"error","status":400') < 2000:
            told += await reader.read(1 << 16)
    others.cancel()
    assert turns_of_others > 2000
    writer.close()

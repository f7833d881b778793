"""Refusals, outages and half answers: what is tried again, and what the caller is told."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from linarite.domain.embedding import EmbeddingAsk
from linarite.domain.errors import (
    ContextLengthExceeded,
    EngineFailed,
    InvalidRequest,
    LinariteError,
    RequestTimedOut,
    ServiceUnavailable,
    TooManyRequests,
    UpstreamRefused,
)
from tests.engines.upstream.conftest import KEY, MILLISECOND, chat_ask, engine_for
from tests.fake_upstream import (
    FakeUpstream,
    chat_answer,
    chat_piece,
    cut_plain,
    plain,
    refusal,
    serving,
    slow_head,
    stall,
    stream,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from linarite.domain.chat import ChatEvent
    from linarite.engines.upstream.engine import UpstreamEngine
    from tests.engines.upstream.conftest import Upstream

pytestmark = pytest.mark.anyio

FINE = plain(chat_answer("fine"))


async def chat(engine: UpstreamEngine, **fields: Any) -> list[ChatEvent]:  # noqa: ANN401 - the fields of a request
    """All events of an answer."""
    return [event async for event in engine.chat(chat_ask(**fields))]


async def until(condition: Callable[[], object]) -> None:
    """Return once the condition holds; nothing tells when, so look again and again."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - as the docstring says
            await asyncio.sleep(0.01)


async def test_refusals_are_passed_on(upstream: Upstream) -> None:
    """A 4xx goes to the client with its error object, and is not tried again."""
    headers = {"x-ratelimit-remaining-tokens": "7", "server": "x", "set-cookie": "a=b"}
    async with upstream(refusal(400, "bad", headers)) as (engine, fake):
        with pytest.raises(UpstreamRefused) as caught:
            await chat(engine)
        assert isinstance(caught.value, InvalidRequest)
        assert caught.value.status == 400
        assert caught.value.error == {
            "message": "no (400)",
            "type": "some_type",
            "param": "p",
            "code": "bad",
        }
        assert (caught.value.code, caught.value.param) == ("bad", "p")
        assert caught.value.headers == {"x-ratelimit-remaining-tokens": "7"}
        assert len(fake.seen) == 1


async def test_too_long_a_prompt(upstream: Upstream) -> None:
    """The upstream's context_length_exceeded is ours, in its own words."""
    async with upstream(refusal(400, "context_length_exceeded")) as (engine, _):
        with pytest.raises(ContextLengthExceeded, match="no"):
            await chat(engine)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "a"}}, "a"),
        ({"error": "a"}, "a"),
        ({"object": "error", "message": "a", "code": 400}, "a"),
        ({"detail": "a"}, "a"),
        ({"detail": [{"msg": "a"}]}, "The upstream refused."),
        ({"error": {"message": {"a": 1}}}, "The upstream refused."),
        (b"<html>proxy says no</html>", "The upstream refused."),
        (b"\xff\xfe", "The upstream refused."),
        (b"", "The upstream refused."),
        (b"[]", "The upstream refused."),
        (b"[" * 5_000, "The upstream refused."),
        (b"x" * 100_000, "The upstream refused."),
    ],
)
async def test_shapes_of_errors(upstream: Upstream, body: object, message: str) -> None:
    """The message is found where servers put it; a proxy's page is not shown."""
    async with upstream(plain(body, 422)) as (engine, _):
        with pytest.raises(UpstreamRefused) as caught:
            await chat(engine)
        assert caught.value.status == 422
        assert caught.value.error["message"] == message


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 405])
async def test_our_own_mistakes(upstream: Upstream, status: int) -> None:
    """A wrong key, path or model name is told to the operator's log, not to the caller."""
    quoting = {"error": {"message": f"Incorrect API key provided: {KEY}"}}
    redirect = {"location": "http://127.0.0.1:1/elsewhere"}
    async with upstream(plain(quoting, status, redirect)) as (engine, fake):
        with capture_logs() as logs, pytest.raises(EngineFailed) as caught:
            await chat(engine)
        assert len(fake.seen) == 1
        assert "set up" in caught.value.message
        (entry,) = [entry for entry in logs if entry["log_level"] == "error"]
        assert entry["status"] == status
        assert entry["check"].startswith("instances.up.options.")
        assert KEY not in repr(logs) + caught.value.message


async def test_a_quoted_key_is_not_passed_on(upstream: Upstream) -> None:
    """An upstream that quotes our key in a refusal does not give it to our client."""
    async with upstream(plain({"error": {"message": f"bad {KEY}", "key": KEY}}, 400)) as (
        engine,
        _,
    ):
        with pytest.raises(UpstreamRefused) as caught:
            await chat(engine)
        assert caught.value.error["message"] == "bad …"
        assert KEY not in repr(caught.value.error)


async def test_a_renewed_token_gets_a_second_try(upstream: Upstream, tmp_path: Path) -> None:
    """When the token was renewed under our hands, the request is sent again with the new one."""
    file = tmp_path / "token"
    file.write_text("old")
    options: dict[str, Any] = {"api_key": "", "token_file": str(file)}
    async with upstream(refusal(401), FINE, **options) as (engine, fake):
        file.write_text("newer")
        await chat(engine)
        sent = [seen.headers["authorization"] for seen in fake.seen]
        assert sent in (["Bearer old", "Bearer newer"], ["Bearer newer", "Bearer newer"])


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 529])
async def test_passing_trouble_is_tried_again(upstream: Upstream, status: int) -> None:
    """A request that fails twice and then succeeds has succeeded."""
    trouble = refusal(status, headers=MILLISECOND)
    async with upstream(trouble, trouble, FINE) as (engine, fake):
        assert await chat(engine)
        assert len(fake.seen) == 3
        assert fake.seen[0].body == fake.seen[2].body


async def test_without_retry_after_the_wait_is_ours(upstream: Upstream) -> None:
    """An upstream that says nothing of a wait is tried again after a moment."""
    async with upstream(refusal(500), FINE) as (engine, fake):
        started = asyncio.get_running_loop().time()
        assert await chat(engine)
        assert asyncio.get_running_loop().time() - started >= 0.25
        assert len(fake.seen) == 2


@pytest.mark.parametrize(
    ("status", "kind", "shown"),
    [
        (408, UpstreamRefused, 408),
        (429, UpstreamRefused, 429),
        (500, EngineFailed, 500),
        (502, EngineFailed, 500),
        (503, ServiceUnavailable, 503),
    ],
)
async def test_lasting_trouble(
    upstream: Upstream, status: int, kind: type[LinariteError], shown: int
) -> None:
    """After the last try the caller is told, with the upstream's own wait where it gave one."""
    async with upstream(refusal(status, headers=MILLISECOND), retries=1) as (engine, fake):
        with pytest.raises(kind) as caught:
            await chat(engine)
        assert caught.value.status == shown
        assert len(fake.seen) == 2
        if status in {429, 503}:
            assert caught.value.headers["retry-after-ms"] == "1"


async def test_an_upstream_that_wants_no_retry(upstream: Upstream) -> None:
    """`x-should-retry: false` is obeyed."""
    never = refusal(500, headers={"x-should-retry": "false"})
    async with upstream(never, FINE) as (engine, fake):
        with pytest.raises(EngineFailed):
            await chat(engine)
        assert len(fake.seen) == 1


async def test_a_long_retry_after_is_not_sat_out(upstream: Upstream) -> None:
    """The caller gets it at once; until it is over, requests are refused without asking again."""
    async with upstream(refusal(429, headers={"retry-after": "30"}), FINE) as (engine, fake):
        with pytest.raises(UpstreamRefused) as first:
            await chat(engine)
        assert first.value.headers["retry-after"] == "30"
        with pytest.raises(TooManyRequests) as second:
            await chat(engine)
        assert 20 <= int(second.value.headers["retry-after"]) <= 30
        with pytest.raises(TooManyRequests):
            await engine.embed(EmbeddingAsk(input="x"))
        assert len(fake.seen) == 1


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"retry-after": "7"}, ("7", "7000")),
        ({"retry-after-ms": "6200"}, ("7", "6200")),
        ({}, ("1", "1000")),
    ],
)
async def test_both_retry_headers_say_the_same(
    upstream: Upstream, status: int, headers: dict[str, str], told: tuple[str, str]
) -> None:
    """Whichever the upstream sends, and also when it sends none."""
    async with upstream(refusal(status, headers=headers), retries=0) as (engine, _):
        with pytest.raises(LinariteError) as caught:
            await chat(engine)
        shown = caught.value.headers
        assert (shown["retry-after"], shown["retry-after-ms"]) == told


async def test_a_short_retry_after_is_sat_out_by_all(upstream: Upstream) -> None:
    """Requests that arrive during a short pause wait for its end instead of failing."""
    throttled = refusal(429, headers={"retry-after-ms": "200"})
    async with upstream(throttled, FINE) as (engine, fake):
        answers = await asyncio.gather(*[_after(number * 0.01, engine) for number in range(5)])
        assert all(answers)
        assert len(fake.seen) >= 6


async def _after(wait_s: float, engine: UpstreamEngine) -> list[ChatEvent]:
    await asyncio.sleep(wait_s)
    return await chat(engine)


async def test_an_outage_opens_the_circuit(tmp_path: Path) -> None:
    """Nobody there: 503; after some failures requests are refused unsent; later all is well."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    engine = engine_for(
        tmp_path,
        base_url=f"http://127.0.0.1:{port}",
        retries=0,
        breaker_failures=2,
        breaker_open_s=0.3,
    )
    await engine.start(lambda _share, _what: None)
    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(ServiceUnavailable, match="cannot be reached") as caught:
                await chat(engine)
            assert "retry-after" in caught.value.headers
        with pytest.raises(ServiceUnavailable, match="fails"):
            await chat(engine)
        fake = FakeUpstream(always=FINE)
        async with serving(fake, port=port):
            await asyncio.sleep(0.35)  # the circuit's own pause
            assert await chat(engine)
        await engine.stop(1)
    events = [entry["event"] for entry in logs]
    assert events[:2] == ["upstream failed", "upstream left alone"]
    assert events[-1] == "upstream answers again"


async def test_connections_that_die_unanswered(tmp_path: Path) -> None:
    """A server that hangs up without a word is asked again, then called unavailable."""
    asked = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.readuntil(b"\r\n\r\n")
        asked += 1
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        engine = engine_for(tmp_path, base_url=url, retries=1)
        with pytest.raises(ServiceUnavailable):
            await chat(engine)
        assert asked == 2
        await engine.stop(1)


async def test_hosts_that_settings_do_not_allow(tmp_path: Path) -> None:
    """An upstream that egress rules forbid is the operator's affair: the log names the setting."""
    engine = engine_for(tmp_path, base_url="http://localhost:1")
    with capture_logs() as logs, pytest.raises(EngineFailed, match="set up"):
        await chat(engine)
    assert any("egress.allowed_hosts" in entry.get("why", "") for entry in logs)
    await engine.stop(1)


async def test_nothing_is_repeated_once_it_has_begun(upstream: Upstream) -> None:
    """A stream that breaks off fails; it is not started again behind the caller's back."""
    async with upstream(stream(chat_piece("a"), cut=True), FINE) as (engine, fake):
        events = engine.chat(chat_ask(stream=True))
        assert (await anext(events)).choices[0].delta.content == "a"
        with pytest.raises(EngineFailed):
            await anext(events)
        assert len(fake.seen) == 1


@pytest.mark.parametrize("behaviour", [stream(cut=True), cut_plain], ids=["stream", "plain"])
async def test_cut_off_before_the_first_event(
    upstream: Upstream, behaviour: Callable[..., Any]
) -> None:
    """Nothing was yielded yet, so it counts as not being there: 503."""
    async with upstream(behaviour) as (engine, fake):
        with pytest.raises(ServiceUnavailable):
            await chat(engine, stream=True)
        assert len(fake.seen) == 1


async def test_a_stream_that_just_ends(upstream: Upstream) -> None:
    """An end without `[DONE]` and without a finish reason is a truncated answer."""
    async with upstream(stream(chat_piece("a"), done=False)) as (engine, _):
        with pytest.raises(EngineFailed, match="broke off"):
            await chat(engine, stream=True)


@pytest.mark.parametrize(
    ("event", "kind", "status"),
    [
        (b'event: error\ndata: {"error":{"message":"m"}}\n\n', EngineFailed, 500),
        (b'data: {"error":{"message":"m","code":"rate_limit_exceeded"}}\n\n', UpstreamRefused, 429),
        (
            b'data: {"error":{"message":"m","type":"invalid_request_error"}}\n\n',
            UpstreamRefused,
            400,
        ),
        (b'data: {"error":{"message":"m","code":429}}\n\n', UpstreamRefused, 429),
        (b'data: {"error":{"message":"m","code":"503"}}\n\n', EngineFailed, 500),
        (b'data: {"error":"m","choices":[]}\n\n', EngineFailed, 500),
        (
            b'data: {"choices":[{"finish_reason":"error"}],"error":{"code":502}}\n\n',
            EngineFailed,
            500,
        ),
        (b"data: {nonsense\n\n", EngineFailed, 500),
        (b'data: "text"\n\n', EngineFailed, 500),
        (b"data: [1]\n\n", EngineFailed, 500),
        (b"data: \xff\n\n", EngineFailed, 500),
        (b'data: {"choices":7}\n\n', EngineFailed, 500),
        (b'data: {"choices":[7]}\n\n', EngineFailed, 500),
    ],
)
async def test_errors_inside_a_stream(
    upstream: Upstream, event: bytes, kind: type[LinariteError], status: int
) -> None:
    """An error event or nonsense ends the stream with an error, never with a silent end."""
    async with upstream(stream(chat_piece("a"), event)) as (engine, _):
        events = engine.chat(chat_ask(stream=True))
        await anext(events)
        with pytest.raises(kind) as caught:
            await anext(events)
        assert caught.value.status == status


async def test_text_that_speaks_of_errors_is_text(upstream: Upstream) -> None:
    """An answer about errors, or with an empty error field, is no error."""
    piece = {**chat_piece('{"error": {"message": "x"}}', "stop"), "error": None}
    async with upstream(stream(piece)) as (engine, _):
        (event,) = await chat(engine, stream=True)
        assert event.choices[0].delta.content == '{"error": {"message": "x"}}'


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b'"x"', b"{}", b'{"choices":[]}', b'{"choices":null}', b"\xff"),
        b'{"choices":[{"message":{}}],"usage":{"prompt_tokens":"1.5"}}',
        b'{"error":null,"choices":' + b"[" * 5_000,
    ],
)
async def test_unreadable_answers(upstream: Upstream, body: bytes) -> None:
    """What is no answer fails, and says nothing of its content."""
    async with upstream(plain(body)) as (engine, _):
        with pytest.raises(EngineFailed):
            await chat(engine)


async def test_an_error_with_status_200(upstream: Upstream) -> None:
    """Some gateways send errors as successes; they are errors all the same."""
    body = {"error": {"message": "m", "code": "rate_limit_exceeded"}}
    async with upstream(plain(body)) as (engine, _):
        with pytest.raises(UpstreamRefused) as caught:
            await chat(engine)
        assert caught.value.status == 429
        assert caught.value.headers["retry-after"] == "1"


async def test_no_first_byte(upstream: Upstream) -> None:
    """An upstream that never begins is given up in time, once, and learns of it."""
    async with upstream(stall, first_byte_s=0.2) as (engine, fake):
        with pytest.raises(RequestTimedOut):
            await chat(engine)
        await until(lambda: fake.left == 1)
        assert len(fake.seen) == 1


async def test_slow_heads_are_waited_for(upstream: Upstream) -> None:
    """Slowness within the deadline is no failure."""
    async with upstream(slow_head(0.3), first_byte_s=60) as (engine, _):
        assert await chat(engine)


async def test_retries_share_the_deadline(upstream: Upstream) -> None:
    """Waiting between tries does not stretch the time a caller waits."""
    always = refusal(503, headers={"retry-after-ms": "300"})
    async with upstream(always, retries=100, first_byte_s=1, breaker_failures=100) as (
        engine,
        fake,
    ):
        # The deadline may meet a try that is under way, and then it is told as one.
        with pytest.raises((ServiceUnavailable, RequestTimedOut)):
            await chat(engine)
        assert len(fake.seen) <= 4


async def test_a_stream_that_falls_silent(upstream: Upstream) -> None:
    """Between pieces the idle time counts."""
    falls_silent = stream(chat_piece("a"), then_stall=True)
    async with upstream(falls_silent, idle_s=0.2) as (engine, fake):
        events = engine.chat(chat_ask(stream=True))
        await anext(events)
        with pytest.raises(RequestTimedOut):
            await anext(events)
        await until(lambda: fake.left == 1)


async def test_leaving_a_stream_ends_it_there(upstream: Upstream) -> None:
    """Closing the generator makes the upstream stop."""
    async with upstream(stream(chat_piece("a"), then_stall=True)) as (engine, fake):
        async with aclosing(engine.chat(chat_ask(stream=True))) as events:
            await anext(events)
        await until(lambda: fake.left == 1 and fake.active == 0)
        assert engine.running == 0


async def test_cancelling_ends_it_there(upstream: Upstream) -> None:
    """Cancelling a request that waits for its answer makes the upstream stop."""
    async with upstream(stall) as (engine, fake):
        task = asyncio.create_task(chat(engine))
        await until(lambda: fake.active == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: fake.left == 1)
        assert engine.running == 0


async def test_stopping(upstream: Upstream) -> None:
    """Running answers get their time, what is left then is cut, and later requests are refused."""
    async with upstream(slow_head(0.3), stall) as (engine, fake):
        ending = asyncio.create_task(chat(engine))
        await until(lambda: fake.active == 1)
        endless = asyncio.create_task(chat(engine))
        await until(lambda: fake.active == 2)
        await engine.stop(1.0)
        assert await ending
        with pytest.raises(ServiceUnavailable):
            await endless
        with pytest.raises(ServiceUnavailable):
            await chat(engine)
        await engine.stop(1.0)


async def test_probing_at_start(upstream: Upstream, tmp_path: Path) -> None:
    """With `probe` the log says at start whether the upstream answers; the start succeeds."""
    with capture_logs() as logs:
        async with upstream(plain({"data": []}), probe=True) as (_, fake):
            assert fake.seen[0].path == "/v1/models"
        nowhere = engine_for(tmp_path, base_url="http://127.0.0.1:1", probe=True)
        await nowhere.start(lambda _share, _what: None)
        await nowhere.stop(1)
    events = [entry["event"] for entry in logs]
    assert events == ["upstream answers", "upstream not reached"]
    assert KEY not in repr(logs)


async def test_a_killed_upstream(tmp_path: Path) -> None:
    """`kill -9` of the upstream ends its streams with errors; when it is back, so are we."""
    process, url = await start_process()
    engine = engine_for(tmp_path, base_url=f"{url}/v1", breaker_failures=50, retries=0)
    streams = [engine.chat(chat_ask(stream=True, max_tokens=1000)) for _ in range(4)]
    for events in streams:
        await anext(events)
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    for events in streams:
        with pytest.raises(EngineFailed):
            async for _ in events:
                pass
    with pytest.raises(ServiceUnavailable):
        await chat(engine)
    process, _ = await start_process(port=int(url.rpartition(":")[2]))
    assert await chat(engine, max_tokens=2)
    process.kill()
    await process.wait()
    await engine.stop(1)


async def start_process(port: int = 0) -> tuple[asyncio.subprocess.Process, str]:
    """The fake upstream as a process, and its base URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fake_upstream", str(port), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        url = (await process.stdout.readline()).decode().strip()
    return process, url

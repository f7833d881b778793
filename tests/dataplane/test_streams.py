"""How a stream looks on the wire, chunk by chunk."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import openai
import pytest

from linarite.domain.chat import (
    ChatChoice,
    ChatDelta,
    ChatEvent,
    ChoiceLogprobs,
    FunctionDelta,
    TokenLogprob,
    ToolCallDelta,
)
from linarite.domain.errors import (
    ContextLengthExceeded,
    EngineFailed,
    InvalidRequest,
    RequestTimedOut,
    ServiceUnavailable,
    SetupError,
    UpstreamRefused,
)
from linarite.domain.usage import usage_of
from tests.dataplane.rig import CHAT, COMPLETIONS, GA, HELLO, WAIT_S, ScriptedEngine, rig
from tests.web.wire import chunks, get_lines, read_head

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatAsk
    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

STREAM = HELLO | {"stream": True}
WITH_USAGE = STREAM | {"stream_options": {"include_usage": True}}
USAGE = {
    "prompt_tokens": 3,
    "completion_tokens": 4,
    "total_tokens": 7,
    "prompt_tokens_details": {"cached_tokens": 1, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}


def deltas(events: list[str]) -> list[Any]:
    """(delta, finish reason) of the only choice of each chunk."""
    choices = [json.loads(event)["choices"] for event in events]
    return [(only[0]["delta"], only[0]["finish_reason"]) for only in choices if only]


async def test_a_chat_stream_is_framed_as_azure_frames_it(server: Rig) -> None:
    """Role first, then pieces, the end, `[DONE]`; no usage unless it was asked for."""
    answer = await server.chat(STREAM)
    assert answer.status == 200
    assert answer.header("content-type") == "text/event-stream; charset=utf-8"
    assert answer.header("cache-control") == "no-cache, must-revalidate"
    assert answer.header("x-accel-buffering") == "no"
    assert answer.header("transfer-encoding") == "chunked"
    *events, last = answer.events
    assert last == "[DONE]"
    assert deltas(events) == [
        ({"content": "", "refusal": None, "role": "assistant"}, None),
        ({"content": "Hello"}, None),
        ({"content": " there"}, None),
        ({"content": "!"}, None),
        ({}, "stop"),
    ]
    first = json.loads(events[0])
    assert list(first) == ["choices", "created", "id", "model", "object", "system_fingerprint"]
    assert list(first["choices"][0]) == ["delta", "finish_reason", "index", "logprobs"]
    assert first["object"] == "chat.completion.chunk"
    assert first["id"].startswith("chatcmpl-")
    assert first["system_fingerprint"].startswith("fp_")
    for event in events:
        chunk = json.loads(event)
        assert {name: chunk[name] for name in first if name != "choices"} == {
            name: first[name] for name in first if name != "choices"
        }


async def test_usage_comes_last_and_is_null_before(server: Rig) -> None:
    """With include_usage every chunk has the field; the last has no choices."""
    *events, last = (await server.chat(WITH_USAGE)).events
    assert last == "[DONE]"
    *before, counted = [json.loads(event) for event in events]
    assert all(chunk["usage"] is None and len(chunk["choices"]) == 1 for chunk in before)
    assert counted["choices"] == []
    assert counted["usage"] == USAGE
    plain = await server.chat(STREAM | {"stream_options": {"include_usage": False}})
    assert b'"usage"' not in plain.body


async def test_each_event_is_one_write(server: Rig) -> None:
    """A chunk of the transfer is an event: proxies and clients can pass it on as it comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    body = json.dumps(WITH_USAGE).encode()
    lines = [("host", "x"), ("api-key", server.keys.key1), ("content-length", str(len(body)))]
    writer.write(get_lines("POST", CHAT, lines) + body)
    await read_head(reader)
    pieces = [piece async for piece in chunks(reader)]
    writer.close()
    assert len(pieces) == 6
    assert all(piece.startswith(b"data: ") and piece.endswith(b"\n\n") for piece in pieces)


async def test_an_event_reaches_the_client_before_the_next_is_made() -> None:
    """Nothing is held back until there is more."""
    go_on = asyncio.Event()

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="first"))])
        await go_on.wait()
        yield ChatEvent(choices=[ChatChoice(finish_reason="stop")])

    async with rig(ScriptedEngine(script)) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        body = json.dumps(STREAM).encode()
        lines = [("host", "x"), ("api-key", running.keys.key1), ("content-length", str(len(body)))]
        writer.write(get_lines("POST", CHAT, lines) + body)
        async with asyncio.timeout(WAIT_S):
            await read_head(reader)
            pieces = chunks(reader)
            assert b"first" in await anext(pieces)
            go_on.set()
            assert b'"finish_reason":"stop"' in await anext(pieces)
            assert await anext(pieces) == b"data: [DONE]\n\n"
        writer.close()


async def test_every_choice_opens_with_its_role() -> None:
    """Choices come in any order and mixture; tool calls, refusals and log-probabilities too."""
    token = TokenLogprob(token="a", logprob=-0.5, bytes=[97])

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        yield ChatEvent(
            choices=[
                ChatChoice(
                    index=1,
                    delta=ChatDelta(content="a"),
                    logprobs=ChoiceLogprobs(content=[token]),
                ),
                ChatChoice(index=0, delta=ChatDelta(role="assistant")),
            ]
        )
        call = ToolCallDelta(index=0, id="c", type="function", function=FunctionDelta(name="f"))
        yield ChatEvent(choices=[ChatChoice(index=0, delta=ChatDelta(tool_calls=[call]))])
        more = ToolCallDelta(index=0, function=FunctionDelta(arguments="{}"))
        yield ChatEvent(choices=[ChatChoice(index=0, delta=ChatDelta(tool_calls=[more]))])
        yield ChatEvent(choices=[ChatChoice(index=1, finish_reason="length")])
        yield ChatEvent(choices=[ChatChoice(index=0, finish_reason="tool_calls")])

    async with rig(ScriptedEngine(script)) as running:
        answer = await running.chat(STREAM | {"n": 2, "logprobs": True})
    shown = [json.loads(event)["choices"] for event in answer.events[:-1]]
    opening = {"content": "", "refusal": None, "role": "assistant"}
    assert shown == [
        [{"delta": opening, "finish_reason": None, "index": 1, "logprobs": None}],
        [{"delta": opening, "finish_reason": None, "index": 0, "logprobs": None}],
        [
            {
                "delta": {"content": "a"},
                "finish_reason": None,
                "index": 1,
                "logprobs": {
                    "content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}],
                    "refusal": None,
                },
            }
        ],
        [
            {
                "delta": {
                    "tool_calls": [
                        {"index": 0, "id": "c", "type": "function", "function": {"name": "f"}}
                    ]
                },
                "finish_reason": None,
                "index": 0,
                "logprobs": None,
            }
        ],
        [
            {
                "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
                "finish_reason": None,
                "index": 0,
                "logprobs": None,
            }
        ],
        [{"delta": {}, "finish_reason": "length", "index": 1, "logprobs": None}],
        [{"delta": {}, "finish_reason": "tool_calls", "index": 0, "logprobs": None}],
    ]


async def test_a_completion_stream_is_framed_the_same(server: Rig) -> None:
    """Chunks are `text_completion`s; usage comes last if asked for."""
    body = {"prompt": "x", "stream": True, "stream_options": {"include_usage": True}}
    *events, last = (await server.send("POST", COMPLETIONS, body)).events
    assert last == "[DONE]"
    *before, counted = [json.loads(event) for event in events]
    assert [chunk["choices"] for chunk in before] == [
        [{"finish_reason": None, "index": 0, "logprobs": None, "text": "word"}],
        [{"finish_reason": "stop", "index": 0, "logprobs": None, "text": ""}],
    ]
    assert all(chunk["usage"] is None for chunk in before)
    assert all(chunk["object"] == "text_completion" for chunk in (*before, counted))
    assert (counted["choices"], counted["usage"]["total_tokens"]) == ([], 3)


FAILURES = [
    EngineFailed("The engine broke off."),
    ServiceUnavailable("the engine is gone", 3),
    InvalidRequest("Too much.", param="messages", code="x"),
    ContextLengthExceeded(10, 12),
    RequestTimedOut(),
    UpstreamRefused(429, {"message": "Slow down.", "code": "429", "extra": [1]}, {}),
    RuntimeError("the inside of the engine"),
    SetupError("the inside: set instances.one.options.api_key"),
    StopAsyncIteration(),
]


def errors_taken_from(logged: list[Any]) -> list[str]:
    """The errors that were logged; they are expected, so they are taken out."""
    found = [entry for entry in logged if entry["log_level"] == "error"]
    logged[:] = [entry for entry in logged if entry not in found]
    return [entry["event"] for entry in found]


def ours(failure: Exception) -> bool:
    """Whether a failure is none that we know, so that a person must look at it."""
    return isinstance(failure, (RuntimeError, SetupError, StopAsyncIteration))


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_failure_before_the_first_event_keeps_its_status(
    failure: Exception, stream: bool, logged: list[Any]
) -> None:
    """No stream has begun, so the status can still tell."""

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        if True:  # the yield makes it a generator
            raise failure
        yield ChatEvent()

    async with rig(ScriptedEngine(script)) as running:
        answer = await running.chat(HELLO | {"stream": stream})
        assert answer.status == getattr(failure, "status", 500)
        assert answer.header("content-type") == "application/json"
        assert answer.header("x-ms-deployment-name") == "gpt"
        if answer.status == 503:
            assert answer.header("retry-after") == "3"
            assert answer.header("retry-after-ms") == "3000"
        assert b"the inside" not in answer.body
        assert answer.error["message"]
        if isinstance(failure, UpstreamRefused):
            assert answer.error == failure.error
        record = await running.recorded()
        assert record.status == answer.status
        assert record.finish == ("failed" if answer.status >= 500 else "refused")
        assert running.engine.opened == running.engine.closed
        assert running.instance.gate.running == 0
    assert errors_taken_from(logged) == (["request failed"] if ours(failure) else [])


@pytest.mark.parametrize("failure", FAILURES[:-1], ids=lambda failure: type(failure).__name__)
async def test_a_failure_later_is_an_event_that_clients_raise_on(
    failure: Exception, logged: list[Any]
) -> None:
    """The official client raises APIError with the message; no `[DONE]` pretends a good end."""

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="Hel"))])
        raise failure

    async with rig(ScriptedEngine(script)) as running:
        answer = await running.chat(STREAM)
        assert answer.status == 200
        assert answer.events[-1].startswith('{"error":{')
        assert "[DONE]" not in answer.events
        assert b"the inside" not in answer.body
        async with openai.AsyncAzureOpenAI(
            azure_endpoint=running.url, api_key=running.keys.key2, api_version=GA, max_retries=0
        ) as client:
            stream = await client.chat.completions.create(
                model="gpt", messages=[{"role": "user", "content": "x"}], stream=True
            )
            heard = [(await anext(stream)).choices[0].delta.content for _ in range(2)]
            with pytest.raises(openai.APIError) as raised:
                await anext(stream)
        assert heard == ["", "Hel"]
        told = json.loads(answer.events[-1])["error"]["message"]
        assert raised.value.message[:60] == told[:60]  # later comes the request's own id
        record = await running.recorded(2)
        assert (record.status, record.finish, record.caller_key) == (200, "failed", "key2")
        assert running.engine.opened == running.engine.closed == 2
    assert errors_taken_from(logged) == (["request failed"] * 2 if ours(failure) else [])


async def test_a_plain_answer_that_fails_late_is_a_status() -> None:
    """Nothing is sent before everything is known."""

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="Hel"))], usage=usage_of(1, 1))
        message = "The engine broke off."
        raise EngineFailed(message)

    async with rig(ScriptedEngine(script)) as running:
        answer = await running.chat(HELLO)
        assert answer.status == 500
        assert answer.error == {
            "message": "The engine broke off.",
            "type": "server_error",
            "param": None,
            "code": "server_error",
        }
        record = await running.recorded()
        assert (record.status, record.prompt_tokens, record.completion_tokens) == (500, 1, 1)


async def test_an_engine_that_says_nothing_has_failed() -> None:
    """An empty stream is no answer: 500 with a reason, not an empty 200."""

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        for _ in ():
            yield ChatEvent()

    async with rig(ScriptedEngine(script)) as running:
        for body in (HELLO, STREAM):
            answer = await running.chat(body)
            assert answer.status == 500
            assert answer.error["message"] == "The engine gave no answer."


async def test_an_engine_that_fails_while_it_ends_spoils_nothing(logged: list[Any]) -> None:
    """The answer is complete; what happens afterwards goes to the log and not to the client."""

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        try:
            yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="Hello"))])
            yield ChatEvent(choices=[ChatChoice(finish_reason="stop")])
        finally:
            await asyncio.sleep(0)
            message = "could not clean up"
            raise RuntimeError(message)

    async with rig(ScriptedEngine(script)) as running:
        answer = await running.chat(HELLO)
        assert answer.status == 500
        answer = await running.chat(STREAM)
        assert "could not clean up" not in answer.body.decode()
        assert (await running.send("GET", "/openai/v1/models")).status == 200
        assert running.instance.gate.running == 0
    assert len(errors_taken_from(logged)) == 2

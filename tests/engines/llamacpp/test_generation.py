from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from linarite.domain.errors import (
    ContextLengthExceeded,
    EngineFailed,
    InvalidRequest,
    LinariteError,
    RequestTimedOut,
    ServiceUnavailable,
)
from linarite.engines.http_client import (
    ConnectError,
    ConnectionLost,
    DeadlinePassed,
    HttpClientError,
    MalformedReply,
)
from linarite.engines.llamacpp.generation import CHAT, COMPLETION, Generation, Step
from linarite.engines.llamacpp.options import LlamacppOptions
from linarite.engines.llamacpp.socket_client import EngineRefusal, SocketClient, failure_of
from tests.engines.llamacpp.scripted_server import (
    CUT,
    STALL,
    Reply,
    chat,
    completion,
    refusal,
    scripted_model,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.anyio


async def generate(
    reply: Reply, *, path: str = "/completion", tokens_max: int = 0, **options: float
) -> tuple[Generation, list[Step]]:
    """Run one generation to its end on a context of 100 tokens."""
    async with scripted_model({path: [reply]}, knows_tools=True, **options) as (model, _):
        endpoint = COMPLETION if path == "/completion" else CHAT
        generation = Generation(model.client, endpoint, {})
        return generation, [step async for step in generation.steps(100, tokens_max)]


@pytest.mark.parametrize("path", ["/completion", "/v1/chat/completions"])
async def test_steps_and_counts(path: str) -> None:
    """Both endpoints give the same: texts, the end, and how many tokens it took."""
    reply = completion("a", "b", prompt=7, stop_type="limit")
    if path != "/completion":
        reply = chat("a", "b", finish="length")
    generation, steps = await generate(reply, path=path)
    assert [step.text for step in steps] == ["a", "b"]
    assert generation.finish == "length"
    assert (generation.prompt_tokens, generation.completion_tokens) == (7, 2)


@pytest.mark.parametrize("stop_type", ["eos", "word", "none"])
async def test_everything_but_a_limit_is_a_stop(stop_type: str) -> None:
    """The model's own end and a stop string read the same."""
    generation, _ = await generate(completion("a", stop_type=stop_type))
    assert generation.finish == "stop"
    assert generation.cached_tokens == 2


async def test_prompt_and_reply_must_fit() -> None:
    """Together they may fill the context to the last token, and not exceed it."""
    generation, _ = await generate(completion("a", prompt=60), tokens_max=40)
    assert generation.prompt_tokens == 60
    with pytest.raises(ContextLengthExceeded, match=r"60 in the messages, 41 in the completion"):
        await generate(completion("a", prompt=60), tokens_max=41)


@pytest.mark.parametrize(
    "reply",
    [
        completion("a")[:-1],
        [*completion("a")[:-1], b"no JSON"],
        [*completion("a")[:-1], b'{"content": 7}'],
        [*completion("a")[:-1], json.dumps({"error": {"message": "SECRET"}}).encode()],
        [],
    ],
    ids=["no end", "no JSON", "wrong type", "error", "nothing"],
)
async def test_a_broken_answer_is_the_engines_failure(reply: list[bytes]) -> None:
    """However it is broken, the caller reads that the engine failed, in our words."""
    with pytest.raises(EngineFailed) as failed:
        await generate(reply)
    assert not isinstance(failed.value, HttpClientError)
    assert "SECRET" not in failed.value.message


async def test_a_cut_connection_and_silence_are_told_apart() -> None:
    """The edge needs to know: one is a failure, the other a time-out."""
    with pytest.raises(ConnectionLost):
        await generate([*completion("a")[:-1], CUT])
    with pytest.raises(DeadlinePassed):
        await generate([*completion("a")[:-1], STALL], idle_s=0.2)
    with pytest.raises(DeadlinePassed):
        await generate([STALL], first_byte_s=0.2)


async def test_leaving_closes_the_connection() -> None:
    """So that the engine notices."""
    script: dict[str, list[Reply]] = {"/completion": [[*completion("a")[:-1], STALL]]}
    async with scripted_model(script) as (model, server):
        generation = Generation(model.client, COMPLETION, {})
        async with aclosing(generation.steps(100, 0)) as steps:
            await anext(steps)
        async with asyncio.timeout(20):
            await server.until_quiet()
    assert server.left_early == 1


async def test_no_more_generations_than_slots() -> None:
    """Those beyond wait here, where no deadline runs, and go on once one before them has left."""
    stalled: Reply = [*completion("a")[:-1], STALL]
    limits = {"parallel_requests": 2, "first_byte_s": 0.3, "idle_s": 60}
    async with scripted_model({"/completion": [stalled]}, **limits) as (model, server):

        async def begin() -> AsyncGenerator[Step, None]:
            steps = Generation(model.client, COMPLETION, {}).steps(100, 0)
            await anext(steps)
            return steps

        first, second = await begin(), await begin()
        third = asyncio.create_task(begin())
        await asyncio.wait([third], timeout=0.6)
        assert not third.done()
        assert len(server.asked) == 2
        await first.aclose()
        async with asyncio.timeout(20):
            await (await third).aclose()
        await second.aclose()


@pytest.mark.parametrize(
    ("status", "message", "more", "kind"),
    [
        (
            400,
            "request (31 tokens) exceeds SECRET",
            {"type": "exceed_context_size_error", "n_prompt_tokens": 31, "n_ctx": 20},
            ContextLengthExceeded,
        ),
        (400, "… Jinja Exception: SECRET", {}, InvalidRequest),
        (400, "Prompt contains invalid tokens", {}, InvalidRequest),
        (400, "whatever SECRET", {}, InvalidRequest),
        (501, "This server does not support SECRET", {}, InvalidRequest),
        (503, "Loading model", {}, ServiceUnavailable),
        (500, "vector::_M_range_check SECRET", {}, EngineFailed),
    ],
)
async def test_refusals_in_our_words(
    status: int, message: str, more: dict[str, Any], kind: type[LinariteError]
) -> None:
    """The engine's own text may quote a prompt or a path: none of it reaches the caller."""
    with pytest.raises(EngineRefusal) as refused:
        await generate(refusal(status, message, **more))
    shown = refused.value.as_shown()
    assert type(shown) is kind
    assert "SECRET" not in shown.message
    assert "SECRET" not in str(refused.value)
    if isinstance(shown, ServiceUnavailable):
        assert "retry-after" in shown.headers


async def test_an_answer_that_is_no_json_is_a_refusal_still() -> None:
    """Nothing is assumed about an error's body."""
    with pytest.raises(EngineRefusal) as refused:
        await generate(b"HTTP/1.1 500 X\r\ncontent-length: 4\r\n\r\nnope")
    assert type(refused.value.as_shown()) is EngineFailed


@pytest.mark.parametrize(
    ("error", "began", "kind"),
    [
        (ConnectError("x"), False, ServiceUnavailable),
        (ConnectionLost(received_any=False), False, ServiceUnavailable),
        (ConnectionLost(received_any=True), False, ServiceUnavailable),
        (ConnectionLost(received_any=True), True, EngineFailed),
        (DeadlinePassed(answer_began=False), False, RequestTimedOut),
        (DeadlinePassed(answer_began=True), True, RequestTimedOut),
        (MalformedReply("x"), False, EngineFailed),
    ],
)
def test_what_a_lost_engine_means_for_the_caller(
    error: HttpClientError, began: bool, kind: type[LinariteError]
) -> None:
    """Before the first event the request may be sent again, so it is told to; later it failed."""
    shown = failure_of(error, began=began)
    assert type(shown) is kind
    assert ("retry-after" in shown.headers) == (kind is ServiceUnavailable)


async def test_nobody_listening(short_folder: str) -> None:
    """An engine that is gone is a connection that cannot be made."""
    client = SocketClient(f"{short_folder}/none.sock", LlamacppOptions(), 2)
    with pytest.raises(ConnectError):
        await client.ask("/completion", {}, dict)

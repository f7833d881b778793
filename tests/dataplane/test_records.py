"""The record that each call leaves, refusals included."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.domain.errors import ServiceUnavailable, UpstreamRefused
from linarite.domain.request_record import RequestRecord
from tests.dataplane.rig import CHAT, EMBEDDINGS, GA, HELLO, ScriptedEngine, rig

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatAsk, ChatEvent
    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio


async def newest(server: Rig, request_id: str | None) -> RequestRecord:
    """The record of an answer."""
    record = await server.recorded()
    assert record.request_id == request_id
    return record


@pytest.mark.parametrize("stream", [True, False])
async def test_a_success_is_recorded_whole(server: Rig, stream: bool) -> None:
    """Who, what, when, how much and how long; plain and streamed alike."""
    before = time.time_ns()
    headers = [("x-ms-client-request-id", "mine"), ("user-agent", "test/1")]
    answer = await server.chat(HELLO | {"stream": stream}, headers=headers)
    record = await newest(server, answer.header("apim-request-id"))
    assert before <= record.started_at_ns <= time.time_ns()
    times = (record.to_first_token_us, record.to_last_token_us, record.total_us)
    assert 0 < times[0] <= times[1] <= times[2]
    assert msgspec.structs.replace(
        record,
        request_id="",
        started_at_ns=0,
        to_first_token_us=0,
        to_last_token_us=0,
        total_us=0,
    ) == RequestRecord(
        request_id="",
        started_at_ns=0,
        account="linarite",
        deployment="gpt",
        model="gpt-4o",
        operation="ChatCompletions_Create",
        method="POST",
        path="/openai/deployments/gpt/chat/completions",
        api_version=GA,
        status=200,
        error_code="",
        streamed=stream,
        caller_key="key1",
        client_request_id="mine",
        client_address="127.0.0.1",
        user_agent="test/1",
        prompt_tokens=3,
        completion_tokens=4,
        cached_tokens=1,
        to_first_token_us=0,
        to_last_token_us=0,
        total_us=0,
        finish="completed",
        region="Local",
        account_id=record.account_id,
        instance="one",
        model_version=record.model_version,
        sku="GlobalStandard",
        service_tier="default",
    )
    assert record.model_version
    assert record.account_id.endswith("/accounts/linarite")


@pytest.mark.parametrize(
    ("method", "target", "body", "expected"),
    [
        ("POST", CHAT, {"messages": []}, (400, "empty_array", "ChatCompletions_Create", "gpt")),
        ("POST", CHAT, b"{", (400, "", "ChatCompletions_Create", "gpt")),
        (
            "POST",
            CHAT.replace("gpt", "nope"),
            HELLO,
            (404, "DeploymentNotFound", "ChatCompletions_Create", ""),
        ),
        ("POST", EMBEDDINGS, {"input": ""}, (400, "invalid_value", "Embeddings_Create", "gpt")),
        ("GET", "/openai/v1/models/nope", None, (404, "404", "Models_Get", "")),
        ("GET", "/nowhere", None, (404, "404", "", "")),
        ("DELETE", "/openai/v1/models", None, (405, "405", "", "")),
        ("GET", "/openai/v1/models?api-version=2024-10-21", None, (400, "BadRequest", "", "")),
    ],
)
async def test_a_refusal_is_recorded_as_fully_as_is_known(
    server: Rig, method: str, target: str, body: object, expected: tuple[int, str, str, str]
) -> None:
    """Its status and code, and what had been found out until then."""
    answer = await server.send(method, target, body)
    record = await newest(server, answer.header("apim-request-id"))
    found = (record.status, record.error_code, record.operation, record.deployment)
    assert found == expected
    assert (record.finish, record.account, record.caller_key) == ("refused", "linarite", "key1")
    assert (record.to_first_token_us, record.prompt_tokens) == (0, 0)
    assert record.total_us > 0


async def test_a_failure_is_no_refusal() -> None:
    """From 500 on it is recorded as failed."""

    async def gone(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        for _ in range(1):
            raise ServiceUnavailable("the engine is gone")
        yield  # pyright: ignore[reportReturnType] # never reached

    async with rig(ScriptedEngine(gone)) as running:
        await running.chat(HELLO)
        record = await running.recorded()
        assert (record.status, record.error_code, record.finish) == (503, "503", "failed")


async def test_text_from_outside_is_bounded(server: Rig) -> None:
    """However long the path, the agent and the ids are."""
    headers = [("user-agent", "u" * 5000), ("x-ms-client-request-id", "i" * 5000)]
    target = "/" + "p" * 5000 + "?api-version=" + "v" * 5000
    answer = await server.send("GET", target, headers=headers)
    record = await newest(server, answer.header("apim-request-id"))
    assert (len(record.path), len(record.user_agent)) == (256, 256)
    assert (len(record.client_request_id), len(record.api_version)) == (256, 40)


async def test_an_upstreams_code_is_bounded() -> None:
    """It is whatever the other endpoint made up."""

    async def script(_: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        refused = UpstreamRefused(422, {"message": "no"}, {})
        refused.code = "c" * 10_000
        raise refused
        yield

    async with rig(ScriptedEngine(script)) as server:
        await server.chat(HELLO)
        assert (await server.recorded()).error_code == "c" * 256


async def test_no_prompt_no_answer_and_no_query_is_recorded(server: Rig) -> None:
    """Only counts of them; of what a body says, the end user alone is kept."""
    body = {"messages": [{"role": "user", "content": "canary-prompt"}], "user": "canary-user"}
    await server.send("POST", f"{CHAT}&secret=canary-query", body)
    record = await server.recorded()
    assert record.status == 200
    assert record.end_user == "canary-user"
    assert repr(record).count("canary") == 1
    assert "Hello" not in repr(record)

"""How responses look on the wire, with engines that follow a script."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from linarite.controls.quota import Limiter
from linarite.domain.chat import ChatChoice, ChatDelta, ChatEvent, FunctionDelta, ToolCallDelta
from linarite.domain.errors import ContextLengthExceeded, EngineFailed, ServiceUnavailable
from linarite.domain.usage import usage_of
from tests.dataplane.rig import ScriptedEngine, rig

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from linarite.domain.chat import ChatAsk
    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

PATH = "/openai/v1/responses"
HELLO: dict[str, Any] = {"model": "gpt", "input": "hello"}
STREAM = HELLO | {"stream": True}


def says(*deltas: ChatDelta, finish: Any = "stop", **more: Any) -> Callable[..., Any]:  # noqa: ANN401 - fields of events
    """A script of these deltas."""

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        for delta in deltas:
            yield ChatEvent(choices=[ChatChoice(delta=delta)])
        last = ChatChoice(finish_reason=finish, **more)
        yield ChatEvent(choices=[last], usage=usage_of(3, 4, 1))

    return script


@pytest.fixture(scope="module")
async def scripted() -> AsyncIterator[Rig]:
    """A server whose engine's script each test sets."""
    async with rig(ScriptedEngine()) as running:
        yield running


async def events_of(running: Rig, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of a stream; each is named in its frame as in its data."""
    answer = await running.send("POST", PATH, body)
    assert answer.status == 200, answer.body
    assert answer.header("content-type") == "text/event-stream; charset=utf-8"
    found: list[dict[str, Any]] = []
    for frame in answer.body.decode().split("\n\n")[:-1]:
        name, data = frame.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    assert [each["sequence_number"] for each in found] == list(range(len(found)))
    return found


async def test_thoughts_are_an_item_of_their_own(scripted: Rig) -> None:
    """Before the message, in the stream as in the whole."""
    thoughts = [ChatDelta(reasoning_content=each) for each in ("let me", " see")]
    scripted.engine.script = says(*thoughts, ChatDelta(content="yes"))
    events = await events_of(scripted, STREAM)
    assert [each["type"].removeprefix("response.") for each in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.delta",
        "reasoning_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    output = events[-1]["response"]["output"]
    assert [each["type"] for each in output] == ["reasoning", "message"]
    assert output[0]["content"] == [{"type": "reasoning_text", "text": "let me see"}]
    whole = (await scripted.send("POST", PATH, HELLO)).json()
    assert [each["content"] for each in whole["output"]] == [each["content"] for each in output]


async def test_thoughts_come_back_sealed(scripted: Rig) -> None:
    """What `include` asks for opens for this account alone, without anything being stored."""
    scripted.engine.script = says(ChatDelta(reasoning_content="secret"), ChatDelta(content="yes"))
    body = HELLO | {"store": False, "include": ["reasoning.encrypted_content"]}
    made = (await scripted.send("POST", PATH, body)).json()
    sealed = made["output"][0]["encrypted_content"]
    assert "secret" not in sealed
    carried = [{k: v for k, v in made["output"][0].items() if k != "content"}, made["output"][1]]
    again = HELLO | {"input": [*carried, {"role": "user", "content": "and?"}]}
    assert (await scripted.send("POST", PATH, again)).status == 200
    assert scripted.engine.asked[-1].messages[0].reasoning_content == "secret"
    carried[0]["encrypted_content"] = sealed[:-4] + "AAAA"
    refused = await scripted.send("POST", PATH, again)
    assert refused.status == 400
    assert refused.error["code"] == "invalid_encrypted_content"


async def test_a_refusal_is_a_part_of_the_message(scripted: Rig) -> None:
    """With events of its own."""
    scripted.engine.script = says(ChatDelta(content="Well, "), ChatDelta(refusal="no"))
    events = await events_of(scripted, STREAM)
    kinds = [each["type"] for each in events]
    assert kinds.count("response.content_part.added") == 2
    assert "response.refusal.done" in kinds
    content = events[-1]["response"]["output"][0]["content"]
    assert [each["type"] for each in content] == ["output_text", "refusal"]
    assert content[1]["refusal"] == "no"


async def test_what_a_filter_says_is_passed_on(scripted: Rig) -> None:
    """In the form that responses have for it."""
    results = {"hate": {"filtered": True, "severity": "high"}}

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        prompt = {"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False}}}
        yield ChatEvent(prompt_filter_results=[prompt])
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="bad"))])
        last = ChatChoice(finish_reason="content_filter", content_filter_results=results)
        yield ChatEvent(choices=[last], usage=usage_of(1, 1))

    scripted.engine.script = script
    made = (await scripted.send("POST", PATH, HELLO)).json()
    assert made["status"] == "incomplete"
    assert made["incomplete_details"] == {"reason": "content_filter"}
    prompt, completion = made["content_filters"]
    assert (prompt["source_type"], prompt["blocked"]) == ("prompt", False)
    assert (completion["source_type"], completion["blocked"]) == ("completion", True)
    assert completion["content_filter_results"] == results


async def test_an_engine_that_breaks_off_fails_the_response(scripted: Rig) -> None:
    """The stream ends with Azure's `error` event; what was told by then is kept as failed."""

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="half"))])
        raise EngineFailed("it broke")

    scripted.engine.script = script
    answer = await scripted.send("POST", PATH, STREAM)
    frames = answer.body.decode().split("\n\n")[:-1]
    assert frames[-1].startswith("event: error\n")
    told = json.loads(frames[-1].partition("data: ")[2])
    assert told["error"]["type"] == told["error"]["code"] == "server_error"
    assert told["sequence_number"] == len(frames) - 1
    made = json.loads(frames[0].partition("data: ")[2])["response"]["id"]
    kept = (await scripted.send("GET", f"{PATH}/{made}")).json()
    assert kept["status"] == "failed"
    assert kept["error"] == {"code": "server_error", "message": "it broke"}
    assert kept["output"][0]["content"][0]["text"] == "half"
    assert kept["output"][0]["status"] == "incomplete"
    record = next(each for each in scripted.records if each.finish == "failed")
    assert (record.operation, record.error_code) == ("Responses_Create", "server_error")
    refused = await scripted.send("POST", PATH, HELLO | {"previous_response_id": made})
    assert refused.status == 400
    assert "is failed" in refused.error["message"]
    assert (await scripted.send("POST", PATH, HELLO)).status == 500


async def test_a_refusal_of_the_engine_keeps_its_status(scripted: Rig) -> None:
    """Nothing is told before it has begun; nothing is kept."""

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        raise ServiceUnavailable("busy")
        yield ChatEvent()

    scripted.engine.script = script
    for body in (HELLO, STREAM):
        assert (await scripted.send("POST", PATH, body)).status == 503


async def test_an_engine_that_goes_back_to_a_call_fails(scripted: Rig) -> None:
    """What was told to be whole is not changed."""
    calls = [
        ChatDelta(tool_calls=[ToolCallDelta(at, f"c{at}", "function", FunctionDelta("f", "{"))])
        for at in (0, 1, 0)
    ]
    scripted.engine.script = says(*calls, finish="tool_calls")
    events = [
        each.partition("\n")[0]
        for each in (await scripted.send("POST", PATH, STREAM)).body.decode().split("\n\n")
    ]
    assert events[-2] == "event: error"


async def test_what_is_too_long_may_be_cut(scripted: Rig) -> None:
    """With `truncation` "auto" the oldest goes; instructions and the newest question stay."""

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        if len(ask.messages) > 4:
            raise ContextLengthExceeded(4, len(ask.messages))
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="fits"), finish_reason="stop")])

    scripted.engine.script = script
    said = [
        {"role": role, "content": f"{role} {at}"}
        for at in range(8)
        for role in ("user", "assistant")
    ]
    body = HELLO | {"instructions": "Be kind.", "input": [*said, {"role": "user", "content": "?"}]}
    assert (await scripted.send("POST", PATH, body)).status == 400
    made = await scripted.send("POST", PATH, body | {"truncation": "auto"})
    assert made.status == 200, made.body
    contents = [each.content for each in scripted.engine.asked[-1].messages]
    assert contents[0] == "Be kind."
    assert contents[1].startswith("user")
    assert contents[-1] == "?"


async def test_a_model_that_says_nothing_has_said_an_empty_text(scripted: Rig) -> None:
    """There is always an item."""
    scripted.engine.script = says()
    made = (await scripted.send("POST", PATH, HELLO)).json()
    assert made["output"][0]["content"][0]["text"] == ""
    assert made["usage"]["input_tokens_details"] == {"cached_tokens": 1, "cache_write_tokens": 0}


async def test_what_was_said_before_is_priced() -> None:
    """The whole of what the model reads counts against the deployment's rate, a token for four."""
    engine = ScriptedEngine(says(ChatDelta(content="yes")))
    async with rig(engine, limiter=Limiter(), capacity=10) as limited:
        first = await limited.send("POST", PATH, HELLO | {"input": "x" * 28_000})
        assert first.status == 200, first.body
        again = HELLO | {"previous_response_id": first.json()["id"]}
        refused = await limited.send("POST", PATH, again | {"input": "x" * 16_000})
        assert refused.status == 429
        assert (await limited.send("POST", PATH, again)).status == 200
        assert engine.asked[-1].messages[0].content == "x" * 28_000

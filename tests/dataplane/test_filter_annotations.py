"""What the content filter of an Azure upstream said reaches the client as it came."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import pytest
from openai import AzureOpenAI

from linarite.dataplane.operations.chat_completions.reply import ChatReply
from linarite.dataplane.operations.completions.reply import CompletionReply
from linarite.domain.chat import ChatAsk, StreamOptions
from linarite.domain.completion import CompletionAsk
from linarite.domain.facts import Deployment, Model, Sku
from linarite.engines.upstream.chat import ChatReader
from linarite.engines.upstream.completion import CompletionReader
from tests.fake_upstream import FakeUpstream, chat_answer, plain, serving, stream
from tests.serving import start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

DEPLOYMENT = Deployment(name="gpt", model=Model("gpt-4o", "2024-11-20"), sku=Sku(), instance="i")
SAFE = {"hate": {"filtered": False, "severity": "safe"}}
PROMPT = [
    {
        "prompt_index": 0,
        "content_filter_results": {**SAFE, "jailbreak": {"filtered": False, "detected": False}},
    }
]
LATE = {
    "violence": {"filtered": True, "severity": "medium"},
    "custom_blocklists": {"filtered": False, "details": [{"filtered": True, "id": "é"}]},
}
OFFSETS = {"check_offset": 44, "start_offset": 44, "end_offset": 198}


def choice(delta: dict[str, Any] | None, finish: str | None = None, **more: object) -> Any:  # noqa: ANN401 - JSON
    """A piece as Azure writes it."""
    said = {} if delta is None else {"delta": delta, "logprobs": None}
    choices = [{**more, **said, "finish_reason": finish, "index": 0}]
    return {"choices": choices, "created": 1, "id": "x", "model": "m", "usage": None}


def passed_on(*pieces: Any, usage: bool = False) -> list[Any]:  # noqa: ANN401 - JSON
    """What a client gets for these pieces of a stream, event by event."""
    ask = ChatAsk(messages=[], stream=True, stream_options=StreamOptions(include_usage=usage))
    reply, reader = ChatReply(ask, DEPLOYMENT), ChatReader()
    events = [reader.piece(json.dumps(piece).encode()) for piece in pieces]
    frames = b"".join(reply.frame(event) for event in events if event is not None)
    return [json.loads(line.removeprefix(b"data: ")) for line in frames.split(b"\n\n") if line]


def test_annotations_of_a_stream_are_passed_on() -> None:
    """The prompt's come first, alone and without an id; a choice's stand beside its text."""
    first, opening, text, last = passed_on(
        {"choices": [], "created": 0, "id": "", "model": "", "prompt_filter_results": PROMPT},
        choice({"content": "", "refusal": None, "role": "assistant"}, content_filter_results={}),
        choice({"content": "Red"}, content_filter_results=SAFE),
        choice({}, "stop", content_filter_results={}),
    )
    assert first == {
        "choices": [],
        "created": 0,
        "id": "",
        "model": "",
        "object": "",
        "prompt_filter_results": PROMPT,
    }
    assert opening["choices"][0]["content_filter_results"] == {}
    assert opening["choices"][0]["delta"]["role"] == "assistant"
    assert text["choices"] == [
        {
            "content_filter_results": SAFE,
            "delta": {"content": "Red"},
            "finish_reason": None,
            "index": 0,
            "logprobs": None,
        }
    ]
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["choices"][0]["content_filter_results"] == {}


def test_the_asynchronous_filter_may_speak_late() -> None:
    """Its annotations stand alone, have offsets, and may follow the last piece."""
    said = {"content_filter_results": LATE, "content_filter_offsets": OFFSETS}
    *_, last, late, offsets = passed_on(
        choice({"content": "", "role": "assistant"}),
        choice({"content": "Red"}),
        choice({}, "stop"),
        choice(None, **said, content_filter_raw=[]),
        choice(None, content_filter_results={}, content_filter_offsets=OFFSETS),
    )
    assert last["choices"][0]["finish_reason"] == "stop"
    assert late["choices"][0] | said | {"content_filter_raw": []} == late["choices"][0]
    assert late["choices"][0]["delta"] == {}
    assert offsets["choices"][0]["content_filter_offsets"] == OFFSETS


def test_where_nothing_was_said_nothing_is_added() -> None:
    """An upstream without a filter, and engines of our own: no field of the filter's."""
    shown = json.dumps(
        passed_on(
            choice({"content": "", "role": "assistant"}),
            choice({"content": "Red"}),
            choice({}, "stop"),
            usage=True,
        )
    )
    assert "Red" in shown
    assert "filter" not in shown


def test_a_folded_stream_keeps_them() -> None:
    """Category by category, what came last holds."""
    reply, reader = ChatReply(ChatAsk(messages=[]), DEPLOYMENT), ChatReader()
    for piece in (
        {"choices": [], "prompt_filter_results": PROMPT},
        choice({"content": "Red"}, content_filter_results=SAFE),
        choice({}, "content_filter", content_filter_results=LATE),
    ):
        event = reader.piece(json.dumps(piece).encode())
        assert event is not None
        reply.add(event)
    whole = json.loads(reply.body())
    assert whole["prompt_filter_results"] == PROMPT
    assert whole["choices"][0]["content_filter_results"] == SAFE | LATE
    assert whole["choices"][0]["message"]["content"] == "Red"


def text_choice(text: str, finish: str | None = None, **more: object) -> dict[str, Any]:
    """A choice of a legacy completion as Azure writes it."""
    return {"text": text, "index": 0, "logprobs": None, "finish_reason": finish, **more}


COMPLETION_PIECES: list[dict[str, Any]] = [
    {"choices": [], "id": "", "model": "", "prompt_filter_results": PROMPT},
    {"choices": [text_choice("Red", content_filter_results=SAFE)]},
    {"choices": [text_choice("", content_filter_results=LATE, content_filter_offsets=OFFSETS)]},
    {"choices": [text_choice("", "stop")]},
]


def completion_reply(*, stream: bool) -> tuple[CompletionReply, list[Any]]:
    """A reply, and the events of those pieces."""
    reader = CompletionReader()
    read = [reader.piece(json.dumps(piece).encode()) for piece in COMPLETION_PIECES]
    return CompletionReply(CompletionAsk(prompt="x", stream=stream), DEPLOYMENT), read


def test_annotations_of_legacy_completions_are_passed_on() -> None:
    """The prompt's first and alone, a choice's beside its text, later ones by themselves."""
    reply, events = completion_reply(stream=True)
    frames = b"".join(reply.frame(event) for event in events)
    told = [json.loads(line.removeprefix(b"data: ")) for line in frames.split(b"\n\n") if line]
    first, text, late, last = told
    assert (first["choices"], first["prompt_filter_results"]) == ([], PROMPT)
    assert text["choices"] == [text_choice("Red", content_filter_results=SAFE)]
    assert late["choices"][0]["content_filter_results"] == LATE
    assert late["choices"][0]["content_filter_offsets"] == OFFSETS
    assert last["choices"] == [text_choice("", "stop")]


def test_a_folded_completion_keeps_them() -> None:
    """In one choice, and at the answer's end; a plain answer of the upstream likewise."""
    reply, events = completion_reply(stream=False)
    for event in events:
        reply.add(event)
    whole = CompletionReply(CompletionAsk(prompt="x"), DEPLOYMENT)
    both = SAFE | LATE
    answer = {"choices": [text_choice("Red", "stop", content_filter_results=both)]}
    said = CompletionReader().whole(json.dumps(answer | {"prompt_filter_results": PROMPT}).encode())
    whole.add(said)
    for each in (reply, whole):
        body = json.loads(each.body())
        assert body["choices"] == [text_choice("Red", "stop", content_filter_results=both)]
        assert body["prompt_filter_results"] == PROMPT


def test_a_completion_without_annotations_has_none() -> None:
    """Nothing is added of our own."""
    reader = CompletionReader()
    piece = reader.piece(json.dumps({"choices": [text_choice("a", "stop")]}).encode())
    assert piece is not None
    reply = CompletionReply(CompletionAsk(prompt="x"), DEPLOYMENT)
    reply.add(piece)
    assert "filter" not in reply.body().decode()


@pytest.mark.anyio
async def test_the_official_client_sees_them(tmp_path: Path) -> None:
    """Streamed and not, through a running server in front of an endpoint that annotates."""
    answer: Any = chat_answer("Red")
    answer["prompt_filter_results"] = PROMPT
    answer["choices"][0]["content_filter_results"] = SAFE
    pieces = (
        {"choices": [], "created": 0, "id": "", "model": "", "prompt_filter_results": PROMPT},
        choice({"content": "", "role": "assistant"}, content_filter_results={}),
        choice({"content": "Red"}, content_filter_results=SAFE),
        choice({}, "stop", content_filter_results={}),
    )
    fake = FakeUpstream()
    fake.script.extend((plain(answer), stream(*pieces)))
    async with serving(fake) as base_url:
        settings = (
            '[[deployments]]\nname = "gpt-4o"\nmodel = "there"\n'
            f'[instances.there]\nengine = "upstream"\noptions.base_url = "{base_url}"\n'
        )
        await anyio.to_thread.run_sync(asked_by_a_client, tmp_path, settings)


def asked_by_a_client(home: Path, settings: str) -> None:
    """Ask both ways."""
    with stopped(start_server(home, settings)) as server:
        client = AzureOpenAI(
            azure_endpoint=server.endpoint, api_key=server.key, api_version="2024-10-21"
        )
        messages: Any = [{"role": "user", "content": "Which colour?"}]
        reply: Any = client.chat.completions.create(model="gpt-4o", messages=messages)
        assert reply.prompt_filter_results == PROMPT
        assert reply.choices[0].content_filter_results == SAFE
        chunks: list[Any] = list(
            client.chat.completions.create(model="gpt-4o", messages=messages, stream=True)
        )
        assert chunks[0].prompt_filter_results == PROMPT
        assert chunks[0].choices == []
        shown = [each.choices[0].content_filter_results for each in chunks[1:]]
        assert shown == [{}, SAFE, {}]

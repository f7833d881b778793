"""What the engine sends, and how it reads what upstreams answer."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest

from linarite.domain.chat import (
    ChatChoice,
    ChatDelta,
    ChatEvent,
    FunctionDelta,
    ResponseFormat,
    StreamOptions,
    ToolCallDelta,
)
from linarite.domain.completion import CompletionAsk, CompletionEvent
from linarite.domain.embedding import EmbeddingAsk
from linarite.domain.errors import EngineFailed, InvalidRequest, SetupError
from linarite.domain.usage import TOKENS_MAX, Usage
from tests.authority import Authority
from tests.engines.upstream.conftest import KEY, chat_ask, engine_for
from tests.fake_upstream import FakeUpstream, chat_answer, chat_piece, plain, serving, stream

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.domain.chat import ChatAsk
    from linarite.engines.upstream.engine import UpstreamEngine
    from tests.engines.upstream.conftest import Upstream

pytestmark = pytest.mark.anyio


async def chat(engine: UpstreamEngine, ask: ChatAsk | None = None) -> list[ChatEvent]:
    """All events of an answer."""
    return [event async for event in engine.chat(ask or chat_ask())]


def text_of(events: list[ChatEvent]) -> str:
    """The text of the answer's first choice."""
    choices = [choice for event in events for choice in event.choices if choice.index == 0]
    return "".join(choice.delta.content or "" for choice in choices)


async def test_a_plain_chat(upstream: Upstream) -> None:
    """The ask goes out as it is but for the model's name; the answer is one event."""
    async with upstream(plain(chat_answer("hello")), model="theirs") as (engine, fake):
        ask = chat_ask(temperature=0.5, response_format=ResponseFormat(type="text"), user="u")
        events = await chat(engine, ask)
        assert events == [
            ChatEvent(
                choices=[
                    ChatChoice(
                        delta=ChatDelta(role="assistant", content="hello"), finish_reason="stop"
                    )
                ],
                usage=Usage(prompt_tokens=3, completion_tokens=2, total_tokens=5),
            )
        ]
        (seen,) = fake.seen
        assert (seen.method, seen.path, seen.query) == ("POST", "/v1/chat/completions", "")
        assert seen.headers["authorization"] == f"Bearer {KEY}"
        assert seen.headers["content-type"] == "application/json"
        assert seen.body == {
            "messages": [{"role": "user", "content": "hi"}],
            "model": "theirs",
            "temperature": 0.5,
            "response_format": {"type": "text"},
            "user": "u",
        }


async def test_a_streamed_chat(upstream: Upstream) -> None:
    """Pieces come one by one, the usage last; it is asked for though the client did not."""
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    pieces = [
        {"choices": [], "prompt_filter_results": [{"prompt_index": 0}]},
        {**chat_piece(), "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
        chat_piece("hel"),
        chat_piece("lo"),
        {"choices": [{"index": 0, "finish_reason": None, "content_filter_offsets": {}}]},
        chat_piece(finish="stop"),
        {"choices": [], "usage": usage},
    ]
    async with upstream(stream(*pieces)) as (engine, fake):
        events = await chat(engine, chat_ask(stream=True))
        assert text_of(events) == "hello"
        assert [event.usage is not None for event in events] == [False] * 5 + [True]
        assert events[-1] == ChatEvent(
            usage=Usage(prompt_tokens=3, completion_tokens=2, total_tokens=5)
        )
        assert fake.seen[0].body["stream"] is True
        assert fake.seen[0].body["stream_options"] == {"include_usage": True}


async def test_stream_options_are_kept(upstream: Upstream) -> None:
    """What else the client asked of the stream goes along."""
    async with upstream(stream(chat_piece("x", "stop"))) as (engine, fake):
        options = StreamOptions(include_usage=False, include_obfuscation=False)
        await chat(engine, chat_ask(stream=True, stream_options=options))
        sent = fake.seen[0].body["stream_options"]
        assert sent == {"include_usage": True, "include_obfuscation": False}


async def test_azure(tmp_path: Path) -> None:
    """For Azure the deployment is in the path, the key in `api-key`, and no model in the body."""
    fake = FakeUpstream(always=plain(chat_answer("x")))
    async with serving(fake) as url:
        engine = engine_for(tmp_path, base_url=url, kind="azure", model="dep")
        await chat(engine)
        await engine.stop(1)
        (seen,) = fake.seen
        assert seen.path == "/openai/deployments/dep/chat/completions"
        assert seen.query == "api-version=2024-10-21"
        assert seen.headers["api-key"] == KEY
        assert "authorization" not in seen.headers
        assert "model" not in seen.body


async def test_tool_calls_and_reasoning(upstream: Upstream) -> None:
    """Whole tool calls get their index; reasoning is kept; unknown fields are passed over."""
    function = {"name": "f", "arguments": "{}"}
    message = {
        "role": "assistant",
        "content": None,
        "reasoning_content": "hmm",
        "annotations": [],
        "tool_calls": [
            {"id": "a", "type": "function", "function": function},
            {"id": "b", "type": "function", "function": function},
        ],
    }
    answer = {
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "service_tier": "default",
    }
    async with upstream(plain(answer)) as (engine, _):
        (event,) = await chat(engine)
        delta = event.choices[0].delta
        assert delta.reasoning_content == "hmm"
        expected = FunctionDelta(name="f", arguments="{}")
        assert delta.tool_calls == [
            ToolCallDelta(index=0, id="a", type="function", function=expected),
            ToolCallDelta(index=1, id="b", type="function", function=expected),
        ]


STRANGE: list[tuple[dict[str, Any], ChatChoice]] = [
    (
        {"finish_reason": "eos", "delta": {"content": "x"}},
        ChatChoice(0, ChatDelta(content="x"), "stop"),
    ),
    ({"finish_reason": "max_tokens", "delta": None}, ChatChoice(0, ChatDelta(), "length")),
    ({"finish_reason": "tool_use", "delta": {}}, ChatChoice(0, ChatDelta(), "tool_calls")),
    (
        {"finish_reason": "stop", "delta": {"content": [{"type": "text", "text": "x"}]}},
        ChatChoice(0, ChatDelta(content="x"), "stop"),
    ),
    (
        {
            "index": "0",
            "finish_reason": "stop",
            "delta": {"tool_calls": [{"index": 0, "function": {"arguments": {"a": 1}}}]},
        },
        ChatChoice(
            0,
            ChatDelta(tool_calls=[ToolCallDelta(function=FunctionDelta(arguments='{"a":1}'))]),
            "stop",
        ),
    ),
]


@pytest.mark.parametrize(("choice", "expected"), STRANGE)
async def test_almost_openai(
    upstream: Upstream, choice: dict[str, Any], expected: ChatChoice
) -> None:
    """Servers that deviate in a word or a type are understood all the same."""
    usage = {"prompt_tokens": 1.0, "completion_tokens": 2, "completion_tokens_details": None}
    piece = {"choices": [choice], "usage": usage}
    async with upstream(stream(piece)) as (engine, _):
        events = await chat(engine, chat_ask(stream=True))
        assert events[0] == ChatEvent(choices=[expected])
        assert events[1].usage is not None
        assert (events[1].usage.prompt_tokens, events[1].usage.completion_tokens) == (1, 2)


@pytest.mark.parametrize(("told", "read"), [(10**20, TOKENS_MAX), (1.5e308, TOKENS_MAX), (-5, 0)])
@pytest.mark.parametrize("streamed", [True, False])
async def test_counts_that_cannot_be(
    upstream: Upstream, told: float, read: int, *, streamed: bool
) -> None:
    """What no request has is cut to what one may have: sums of it are stored."""
    details = {"cached_tokens": told}
    usage = {"prompt_tokens": told, "completion_tokens": 2, "prompt_tokens_details": details}
    if streamed:
        answer = stream({**chat_piece("a", "stop"), "usage": usage})
    else:
        answer = plain({"choices": [{"message": {"content": "a"}}], "usage": usage})
    async with upstream(answer) as (engine, _):
        found = (await chat(engine, chat_ask(stream=streamed)))[-1].usage
        assert found is not None
        assert (found.prompt_tokens, found.completion_tokens, found.cached_tokens) == (
            *(read, 2),
            read,
        )


async def test_counts_in_every_piece(upstream: Upstream) -> None:
    """When each piece counts, the last count is told, once, at the end."""
    pieces = [
        {**chat_piece("a"), "usage": {"prompt_tokens": 1, "completion_tokens": 1}},
        {**chat_piece("b", "stop"), "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
    ]
    async with upstream(stream(*pieces)) as (engine, _):
        events = await chat(engine, chat_ask(stream=True))
        assert text_of(events) == "ab"
        counts = [event.usage.completion_tokens for event in events if event.usage]
        assert counts == [2]


async def test_a_stream_asked_for_and_a_plain_answer(upstream: Upstream) -> None:
    """An upstream that cannot stream answers as it can."""
    async with upstream(plain(chat_answer("hello"))) as (engine, _):
        assert text_of(await chat(engine, chat_ask(stream=True))) == "hello"


async def test_an_end_without_done(upstream: Upstream) -> None:
    """A stream whose choice has ended is whole, also where `[DONE]` is not the custom."""
    async with upstream(stream(chat_piece("x", "stop"), done=False)) as (engine, _):
        assert text_of(await chat(engine, chat_ask(stream=True))) == "x"


async def test_completions(upstream: Upstream) -> None:
    """Every field of a completion goes out; the legacy log-probabilities come back."""
    logprobs = {
        "tokens": ["x"],
        "token_logprobs": [-0.5],
        "top_logprobs": None,
        "text_offset": [3],
    }
    answer = {
        "choices": [{"text": "x", "index": 0, "finish_reason": "length", "logprobs": logprobs}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
    async with upstream(plain(answer)) as (engine, fake):
        ask = CompletionAsk(prompt=[[1, 2], [3]], suffix="s", echo=True, logprobs=1, best_of=2)
        (event,) = [event async for event in engine.complete(ask)]
        assert fake.seen[0].path == "/v1/completions"
        assert fake.seen[0].body == {
            "prompt": [[1, 2], [3]],
            "suffix": "s",
            "echo": True,
            "logprobs": 1,
            "best_of": 2,
            "model": "gpt",
        }
        choice = event.choices[0]
        assert choice.logprobs is not None
        assert choice.logprobs.token_logprobs == [-0.5]
        assert event.usage is not None


async def test_streamed_completions(upstream: Upstream) -> None:
    """Text comes in pieces, usage last, empty pieces not at all."""
    pieces = [
        {"choices": [{"text": "a", "index": 0, "finish_reason": None}]},
        {"choices": [{"text": "", "index": 0, "finish_reason": None}]},
        {"choices": [{"text": "b", "index": 0, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}},
    ]
    async with upstream(stream(*pieces)) as (engine, fake):
        ask = CompletionAsk(prompt="p", stream=True)
        events: list[CompletionEvent] = [event async for event in engine.complete(ask)]
        assert [choice.text for event in events for choice in event.choices] == ["a", "b"]
        assert events[-1].usage is not None
        assert fake.seen[0].body["stream_options"] == {"include_usage": True}


def embeddings(*vectors: object, indices: tuple[int, ...] = ()) -> dict[str, Any]:
    """An answer with these vectors."""
    numbered = zip(indices or range(len(vectors)), vectors, strict=True)
    return {
        "data": [{"index": index, "embedding": vector} for index, vector in numbered],
        "usage": {"prompt_tokens": 2, "total_tokens": 2},
    }


async def test_embeddings(upstream: Upstream) -> None:
    """Vectors come as base64 or as numbers, in any order, and are put in the inputs' order."""
    answer = embeddings([0.5, 0.25], "AACAPwAAAEA=", indices=(1, 0))
    async with upstream(plain(answer)) as (engine, fake):
        event = await engine.embed(EmbeddingAsk(input=["a", "b"], encoding_format="float"))
        assert [struct.unpack("<2f", vector) for vector in event.vectors] == [(1, 2), (0.5, 0.25)]
        assert event.usage is not None
        assert event.usage.prompt_tokens == 2
        sent = {"input": ["a", "b"], "model": "gpt", "encoding_format": "base64"}
        assert fake.seen[0].body == sent


async def test_embeddings_as_numbers(upstream: Upstream) -> None:
    """An option asks for numbers, for servers that refuse base64."""
    async with upstream(plain(embeddings([1])), embedding_format="float") as (engine, fake):
        await engine.embed(EmbeddingAsk(input="a"))
        assert fake.seen[0].body["encoding_format"] == "float"


@pytest.mark.parametrize(
    "answer",
    [embeddings([1], [2]), embeddings(), embeddings([]), embeddings("!!"), embeddings("AAA="), {}],
)
async def test_wrong_embeddings(upstream: Upstream, answer: dict[str, Any]) -> None:
    """Too few, too many or broken vectors are the upstream's failure, not an answer."""
    async with upstream(plain(answer)) as (engine, _):
        with pytest.raises(EngineFailed):
            await engine.embed(EmbeddingAsk(input="a"))


async def test_ignored_dimensions(upstream: Upstream) -> None:
    """An upstream that ignores `dimensions` is not covered up for: its model can't do it."""
    async with upstream(plain(embeddings([1, 2, 3, 4]))) as (engine, _):
        with pytest.raises(InvalidRequest) as caught:
            await engine.embed(EmbeddingAsk(input="a", dimensions=2))
        assert caught.value.param == "dimensions"


async def test_over_tls(tmp_path: Path) -> None:
    """An https upstream with a private authority is reached when `ca_file` names it."""
    authority = Authority(tmp_path, "ours")
    fake = FakeUpstream(always=plain(chat_answer("safe")))
    async with serving(fake, certificate=authority.server_file("127.0.0.1")) as url:
        engine = engine_for(tmp_path, base_url=url, ca_file=str(authority.file))
        await engine.start(lambda _share, _what: None)
        assert text_of(await chat(engine)) == "safe"
        await engine.stop(1)


async def test_a_wrong_authority_file(tmp_path: Path) -> None:
    """A `ca_file` that is missing or holds no certificate is a set-up error naming it."""
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("no certificate")
    for file in (tmp_path / "none.pem", rubbish):
        engine = engine_for(tmp_path, base_url="https://127.0.0.1", ca_file=str(file))
        with pytest.raises(SetupError, match=r"instances\.up\.options\.ca_file"):
            await engine.start(lambda _share, _what: None)

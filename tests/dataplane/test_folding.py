"""A plain answer is its stream, folded: random streams, told in both ways, say the same."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from array import array
from typing import TYPE_CHECKING, Any

import msgspec
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.dataplane.operations.chat_completions.reply import ChatReply
from linarite.dataplane.operations.completions.reply import CompletionReply
from linarite.dataplane.operations.embeddings.operation import Embeddings
from linarite.dataplane.operations.embeddings.reply import EmbeddingReply
from linarite.domain.chat import (
    ChatAsk,
    ChatChoice,
    ChatDelta,
    ChatEvent,
    ChoiceLogprobs,
    FunctionDelta,
    StreamOptions,
    TokenLogprob,
    ToolCallDelta,
    TopLogprob,
)
from linarite.domain.completion import (
    CompletionAsk,
    CompletionChoice,
    CompletionEvent,
    CompletionLogprobs,
)
from linarite.domain.embedding import EmbeddingAsk, EmbeddingEvent
from linarite.domain.engine import Capabilities, Slot
from linarite.domain.facts import Deployment, Model, Sku
from linarite.domain.usage import usage_of
from tests.dataplane.rig import EMBEDDINGS
from tests.dataplane.stored import kit_in_memory

if TYPE_CHECKING:
    from tests.dataplane.rig import Rig

DEPLOYMENT = Deployment(name="gpt", model=Model(name='m"\\é', version="1"), sku=Sku(), instance="i")
TEXT = st.text(max_size=4)
LOGPROB = st.floats(-50, 0, allow_nan=False)
TOKENS = st.lists(
    st.builds(
        TokenLogprob,
        token=TEXT,
        logprob=LOGPROB,
        bytes=st.none() | st.lists(st.integers(0, 255), max_size=2),
        top_logprobs=st.lists(st.builds(TopLogprob, token=TEXT, logprob=LOGPROB), max_size=2),
    ),
    min_size=1,
    max_size=2,
)
LOGPROBS = st.one_of(
    st.none(),
    st.builds(ChoiceLogprobs, content=TOKENS, refusal=st.none()),
    st.builds(ChoiceLogprobs, content=st.none(), refusal=TOKENS),
)
FUNCTION = st.builds(
    FunctionDelta, name=st.none() | st.sampled_from("fg"), arguments=st.none() | TEXT
)
CALL = st.builds(
    ToolCallDelta,
    index=st.integers(0, 2),
    id=st.none() | st.sampled_from("xy"),
    type=st.just("function"),
    function=st.none() | FUNCTION,
)
DELTA = st.one_of(
    st.builds(ChatDelta, role=st.just("assistant")),
    st.builds(ChatDelta, content=TEXT),
    st.builds(ChatDelta, refusal=TEXT),
    st.builds(ChatDelta, reasoning_content=TEXT),
    st.builds(ChatDelta, tool_calls=st.lists(CALL, max_size=2)),
    st.builds(ChatDelta, function_call=FUNCTION),
    st.builds(ChatDelta, role=st.just("assistant"), content=TEXT, tool_calls=st.lists(CALL)),
)
CHOICE = st.builds(
    ChatChoice,
    index=st.integers(0, 2),
    delta=DELTA,
    finish_reason=st.none() | st.sampled_from(["stop", "length", "tool_calls"]),
    logprobs=LOGPROBS,
)
CHAT_EVENTS = st.lists(st.builds(ChatEvent, choices=st.lists(CHOICE, max_size=3)), max_size=8)


class Heard:
    """One choice, put together from chunks as a client does."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.calls: dict[int, dict[str, str]] = {}
        self.function: dict[str, str] | None = None
        self.logprobs: dict[str, list[Any]] = {}
        self.finish: str | None = None
        self.roles = 0

    def hear(self, choice: dict[str, Any]) -> None:
        """Take one chunk's news."""
        delta = choice["delta"]
        assert self.roles == (0 if "role" in delta else 1), "the role comes first, and once"
        self.roles = 1
        for name in ("content", "refusal", "reasoning_content"):
            if delta.get(name) is not None:
                self.texts[name] = self.texts.get(name, "") + delta[name]
        for piece in delta.get("tool_calls", []):
            call = self.calls.setdefault(piece["index"], {"id": "", "name": "", "arguments": ""})
            call["id"] = piece.get("id") or call["id"]
            for name, value in piece.get("function", {}).items():
                call[name] += value
        if "function_call" in delta:
            self.function = self.function or {"name": "", "arguments": ""}
            for name, value in delta["function_call"].items():
                self.function[name] += value
        for name, tokens in (choice["logprobs"] or {}).items():
            if tokens is not None:
                self.logprobs.setdefault(name, []).extend(tokens)
        self.finish = choice["finish_reason"] or self.finish


@given(events=CHAT_EVENTS, usage=st.booleans())
def test_a_folded_chat_says_what_its_stream_says(events: list[ChatEvent], usage: bool) -> None:
    """Texts, tool calls, log-probabilities and ends of every choice, and the usage."""
    ask = ChatAsk(
        messages=[], stream=True, stream_options=StreamOptions(include_usage=usage or None)
    )
    events = [*events, ChatEvent(usage=usage_of(3, 4))]
    streamed, folded = ChatReply(ask, DEPLOYMENT), ChatReply(ask, DEPLOYMENT)
    heard: dict[int, Heard] = {}
    counted: list[Any] = []
    frames = b""
    for event in events:
        folded.add(event)
        frames += streamed.frame(event)
    for block in (frames + streamed.end()).decode().split("\n\n")[:-2]:
        chunk = json.loads(block.removeprefix("data: "))
        assert chunk["model"] == DEPLOYMENT.model.served_name
        assert ("usage" in chunk) is usage
        counted += [chunk["usage"]] if chunk.get("usage") else []
        for choice in chunk["choices"]:
            heard.setdefault(choice["index"], Heard()).hear(choice)
    whole = json.loads(folded.body())
    assert [choice["index"] for choice in whole["choices"]] == sorted(heard)
    assert counted == ([whole["usage"]] if usage else [])
    for choice in whole["choices"]:
        one, message = heard[choice["index"]], choice["message"]
        assert message["role"] == "assistant"
        assert (message["content"] or "") == one.texts.get("content", "")
        assert (message["refusal"] or "") == one.texts.get("refusal", "")
        assert message.get("reasoning_content", "") == one.texts.get("reasoning_content", "")
        calls = [{"id": call["id"], **call["function"]} for call in message.get("tool_calls", [])]
        assert calls == [call for _, call in sorted(one.calls.items())]
        assert message.get("function_call") == one.function
        assert choice["finish_reason"] == one.finish
        logprobs = {
            name: tokens
            for name, tokens in (choice["logprobs"] or {}).items()
            if tokens is not None
        }
        assert logprobs == one.logprobs


COMPLETION_LOGPROBS = st.integers(1, 3).flatmap(
    lambda size: st.builds(
        CompletionLogprobs,
        tokens=st.lists(TEXT, min_size=size, max_size=size),
        token_logprobs=st.lists(st.none() | LOGPROB, min_size=size, max_size=size),
        top_logprobs=st.none()
        | st.lists(
            st.none() | st.dictionaries(TEXT, LOGPROB, max_size=2), min_size=size, max_size=size
        ),
        text_offset=st.lists(st.integers(0, 99), min_size=size, max_size=size),
    )
)
COMPLETION_EVENTS = st.lists(
    st.builds(
        CompletionEvent,
        choices=st.lists(
            st.builds(
                CompletionChoice,
                text=TEXT,
                index=st.integers(0, 2),
                finish_reason=st.none() | st.sampled_from(["stop", "length"]),
                logprobs=st.none() | COMPLETION_LOGPROBS,
            ),
            min_size=1,
            max_size=3,
        ),
    ),
    max_size=6,
)


@given(events=COMPLETION_EVENTS)
def test_a_folded_completion_says_what_its_stream_says(events: list[CompletionEvent]) -> None:
    """Texts and ends; the parallel lists of log-probabilities stay parallel."""
    ask = CompletionAsk(stream=True)
    streamed, folded = CompletionReply(ask, DEPLOYMENT), CompletionReply(ask, DEPLOYMENT)
    texts: dict[int, str] = {}
    lists: dict[int, dict[str, list[Any]]] = {}
    finishes: dict[int, str | None] = {}
    for event in [*events, CompletionEvent(usage=usage_of(1, 2))]:
        folded.add(event)
        for block in streamed.frame(event).decode().split("\n\n")[:-1]:
            for choice in json.loads(block.removeprefix("data: "))["choices"]:
                index = choice["index"]
                texts[index] = texts.get(index, "") + choice["text"]
                finishes[index] = choice["finish_reason"] or finishes.get(index)
                if choice["logprobs"] is not None:
                    size = len(choice["logprobs"]["tokens"])
                    for name, values in choice["logprobs"].items():
                        shown = values if values is not None else [None] * size
                        lists.setdefault(index, {}).setdefault(name, []).extend(shown)
    whole = json.loads(folded.body())
    assert {choice["index"]: choice["text"] for choice in whole["choices"]} == texts
    assert {choice["index"]: choice["finish_reason"] for choice in whole["choices"]} == finishes
    assert whole["usage"]["total_tokens"] == 3
    for choice in whole["choices"]:
        logprobs = choice["logprobs"]
        if logprobs is None:
            assert choice["index"] not in lists
            continue
        expected = lists[choice["index"]]
        if logprobs["top_logprobs"] is None:
            assert set(expected["top_logprobs"]) == {None}
            logprobs["top_logprobs"] = expected["top_logprobs"]
        assert logprobs == expected
        assert len({len(values) for values in logprobs.values()}) == 1


FLOATS = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=9)


@given(vectors=st.lists(FLOATS, min_size=1, max_size=4))
def test_vectors_are_the_same_in_both_encodings(vectors: list[list[float]]) -> None:
    """base64 is little-endian float32; numbers are the same values, to the last bit."""
    event = EmbeddingEvent(
        vectors=[struct.pack(f"<{len(vector)}f", *vector) for vector in vectors],
        usage=usage_of(7, 0),
    )
    shown: dict[str | None, Any] = {}
    for form in ("base64", "float", None):
        reply = EmbeddingReply(EmbeddingAsk(input="x", encoding_format=form), DEPLOYMENT)
        reply.add(event)
        shown[form] = json.loads(reply.body())
    assert shown["float"] == shown[None]
    assert shown["float"]["usage"] == {"prompt_tokens": 7, "total_tokens": 7}
    for at, vector in enumerate(vectors):
        coded, plain = shown["base64"]["data"][at], shown["float"]["data"][at]
        assert coded["index"] == plain["index"] == at
        raw = base64.b64decode(coded["embedding"])
        assert list(struct.unpack(f"<{len(vector)}f", raw)) == vector
        assert array("f", plain["embedding"]).tolist() == vector


def test_large_answers_are_folded_in_linear_time() -> None:
    """A hundred thousand tokens with log-probabilities take no noticeable time."""
    token = TokenLogprob(token="a", logprob=-1.0)
    event = ChatEvent(
        choices=[ChatChoice(delta=ChatDelta(content="a"), logprobs=ChoiceLogprobs(content=[token]))]
    )
    reply = ChatReply(ChatAsk(messages=[]), DEPLOYMENT)
    for _ in range(100_000):
        reply.add(event)
    whole = msgspec.json.decode(reply.body())
    assert len(whole["choices"][0]["logprobs"]["content"]) == 100_000


@pytest.mark.anyio
async def test_others_get_turns_while_many_vectors_are_written() -> None:
    """Two thousand vectors come in batches, in their order."""
    vectors = [struct.pack("<f", number) for number in range(2_048)]

    class Engine:
        async def embed(self, ask: EmbeddingAsk) -> EmbeddingEvent:
            del ask
            return EmbeddingEvent(vectors, usage_of(7, 0))

    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(others())
    ask = EmbeddingAsk(input="x", encoding_format="float")
    reply = EmbeddingReply(ask, DEPLOYMENT)
    slot = Slot(Engine(), Capabilities(embeddings=True), "m")
    async for event in Embeddings(kit_in_memory()).run(ask, slot):
        reply.add(event)
    other.cancel()
    assert turns >= 50
    shown = json.loads(reply.body())["data"]
    assert [item["index"] for item in shown] == list(range(2_048))
    assert [item["embedding"] for item in shown] == [[float(at)] for at in range(2_048)]


@pytest.mark.anyio
async def test_the_official_client_reads_vectors_in_both_forms(server: Rig) -> None:
    """It asks for base64 by itself and decodes it; asked for floats it gets the same."""
    async with openai.AsyncOpenAI(
        base_url=f"{server.url}/openai/v1/", api_key=server.keys.key1, max_retries=0
    ) as client:
        coded = await client.embeddings.create(model="gpt", input=["a", "b"])
        plain = await client.embeddings.create(
            model="gpt", input=["a", "b"], encoding_format="float"
        )
    assert [item.embedding for item in coded.data] == [item.embedding for item in plain.data]
    assert coded.data[1].embedding == [1.0] + [0.0] * 7
    assert EMBEDDINGS

"""No body whatever makes the server fail: valid requests, mutated."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linarite.web.exchange import Exchange
from linarite.web.request_head import RequestHead
from tests.dataplane.rig import CHAT, COMPLETIONS, EMBEDDINGS, GA, Rig, rig
from tests.web.silent import Silent
from tests.web.wire import read_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLOSED = {"type": "object", "additionalProperties": False}
FUNCTION = {"name": "f", "description": "d", "parameters": CLOSED, "strict": True}
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}

CHATS: list[dict[str, Any]] = [
    {
        "messages": [
            {"role": "system", "content": "json"},
            {"role": "developer", "content": [{"type": "text", "text": "x"}], "name": "n"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "x"},
                    {"type": "image_url", "image_url": {"url": "data:,x", "detail": "low"}},
                    {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
                    {"type": "file", "file": {"file_id": "x"}},
                ],
            },
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "content": "x", "tool_call_id": "a"},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
            {"role": "function", "content": "x", "name": "f"},
        ],
        "tools": [{"type": "function", "function": FUNCTION}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": True,
        "stream": True,
        "stream_options": {"include_usage": True},
    },
    {
        "messages": [{"role": "user", "content": "json"}],
        "model": "gpt",
        "temperature": 1,
        "top_p": 0.5,
        "n": 2,
        "stop": ["a"],
        "seed": 1,
        "max_tokens": 5,
        "presence_penalty": 0,
        "frequency_penalty": 0,
        "logit_bias": {"1": 1},
        "logprobs": True,
        "top_logprobs": 2,
        "metadata": {"a": "b"},
        "user": "u",
        "functions": [FUNCTION],
        "function_call": {"name": "f"},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "s", "schema": CLOSED, "strict": True},
        },
        "prediction": {"type": "content", "content": "x"},
        "store": False,
        "modalities": ["text"],
        "audio": None,
        "data_sources": [],
        "web_search_options": None,
        "reasoning_effort": "low",
        "user_security_context": {"a": 1},
    },
]
COMPLETION: dict[str, Any] = {
    "prompt": ["a", "b"],
    "best_of": 2,
    "echo": True,
    "n": 1,
    "logprobs": 1,
    "suffix": None,
    "max_tokens": 3,
    "stop": "x",
    "logit_bias": {"1": 1},
    "stream": False,
    "temperature": 0.1,
}
EMBEDDING: dict[str, Any] = {
    "input": [[1, 2], [3]],
    "dimensions": 4,
    "encoding_format": "float",
    "user": "u",
    "input_type": "query",
}
V1_CHAT = "/openai/v1/chat/completions"
REQUESTS = [
    *[(CHAT, body) for body in CHATS],
    *[(V1_CHAT, body | {"model": "gpt"}) for body in CHATS],
    (COMPLETIONS, COMPLETION),
    (EMBEDDINGS, EMBEDDING),
]

ODD = st.sampled_from(
    [
        *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**40, 0.0, -0.0, 1e308),
        *("", "x", "\x00", "\ud800", "json", "x" * 300, "² `$", "` - at `$.x`", "\u2028"),
        *([], {}, [[]], [{}], {"": None}, {"role": "user", "content": "x"}, [1, "a"], [None]),
        {"a": [[[[[[[[[[]]]]]]]]]]},
    ]
)
LEAF = st.one_of(ODD, st.text(max_size=5), st.floats(allow_nan=False), st.integers())
JSON = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401 - any JSON
    """Every place in a JSON document."""
    found = [path] if path else []
    children: list[tuple[Any, Any]] = []
    if isinstance(node, dict):
        children = list(node.items())
    elif isinstance(node, list):
        children = list(enumerate(node))
    for key, child in children:
        found += places(child, (*path, key))
    return found


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A target and a body: a valid request with up to three places changed, or its bytes."""
    target, body = draw(st.sampled_from(REQUESTS))
    body = copy.deepcopy(body)
    for _ in range(draw(st.integers(0, 3))):
        if not (found := places(body)):
            break
        *parents, last = draw(st.sampled_from(found))
        node: Any = body
        for key in parents:
            node = node[key]
        change = draw(st.sampled_from(["replace", "replace", "remove", "wrap", "repeat"]))
        if change == "remove":
            node.pop(last)
        elif change == "wrap":
            node[last] = {"a": node[last]}
        elif change == "repeat" and isinstance(node, list):
            node.extend(copy.deepcopy(node) * 2)
        else:
            node[last] = copy.deepcopy(draw(JSON))
    raw = json.dumps(body).encode()
    if draw(st.integers(0, 4)) == 0:
        at = draw(st.integers(0, len(raw)))
        cut = draw(st.integers(0, 3))
        raw = raw[:at] + draw(st.binary(max_size=4)) + raw[at + cut :]
    return target, raw


class Wire(Silent):
    """A connection that keeps what is sent."""

    def __init__(self) -> None:
        self.sent = b""
        self.over = False

    def send(self, data: bytes) -> None:
        """Keep it."""
        self.sent += data

    def answered(self, exchange: Exchange) -> None:
        """It is over."""
        self.over = exchange.complete


@pytest.fixture(scope="module")
def call() -> Iterator[Callable[[str, bytes, bytes], tuple[int, bytes]]]:
    """Call the handler without a socket between: thousands of requests in seconds."""
    with asyncio.Runner() as runner:
        running_rig = rig()
        running: Rig = runner.run(running_rig.__aenter__())

        async def ask(target: str, body: bytes, content_type: bytes) -> tuple[int, bytes]:
            path, _, query = target.partition("?")
            wire = Wire()
            headers = [
                (b"host", b"localhost"),
                (b"api-key", running.keys.key1.encode()),
                (b"content-type", content_type),
                (b"content-length", b"%d" % len(body)),
            ]
            head = RequestHead("POST", (path, path.encode(), query.encode()), headers)
            exchange = Exchange(wire, head)
            exchange.take(body)
            exchange.body_complete = True
            await running.app(exchange)
            assert wire.over
            answer = await read_answer(fed(wire.sent))
            return answer.status, answer.body

        yield lambda target, body, content_type: runner.run(ask(target, body, content_type))
        runner.run(running_rig.__aexit__(None, None, None))


def fed(data: bytes) -> asyncio.StreamReader:
    """A reader of these bytes."""
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


def check(status: int, answer: bytes) -> None:
    """What every answer must look like."""
    assert status in {200, 400, 404}, answer
    if status == 200:
        if not answer.startswith(b"data: "):
            assert json.loads(answer)["object"]
            return
        events = answer.decode().removesuffix("\n\n").split("\n\n")
        assert events[-1] == "data: [DONE]"
        assert all("error" not in json.loads(event[6:]) for event in events[:-1])
        return
    error = json.loads(answer)["error"]
    if "type" in error:
        assert set(error) == {"message", "type", "param", "code"}
        assert error["type"] == "invalid_request_error"
    else:
        over_documents = {"requestid", "code", "message"}
        assert set(error) <= {"code", "message", "innererror"} or set(error) == over_documents
    assert error["message"]
    assert len(answer) < 4000


@settings(max_examples=400)
@given(request=mutated())
def test_no_body_makes_the_server_fail(
    call: Callable[[str, bytes, bytes], tuple[int, bytes]], request: tuple[str, bytes]
) -> None:
    """Every mutation is served or refused, in the shape of either; never a 500, never an escape."""
    target, body = request
    check(*call(target, body, b"application/json"))


@settings(max_examples=150)
@given(body=st.binary(max_size=200), path=st.sampled_from([CHAT, COMPLETIONS, EMBEDDINGS]))
def test_no_bytes_make_the_server_fail(
    call: Callable[[str, bytes, bytes], tuple[int, bytes]], body: bytes, path: str
) -> None:
    """The same for bytes that never were a request."""
    check(*call(path, body, b"application/json"))


def test_every_unmutated_request_is_served_or_known_to_conflict(
    call: Callable[[str, bytes, bytes], tuple[int, bytes]],
) -> None:
    """The starting points are good: what is mutated is not refused for another reason at once."""
    outcomes = [
        call(target, json.dumps(body).encode(), b"application/json") for target, body in REQUESTS
    ]
    assert [status for status, _ in outcomes] == [200] * len(REQUESTS), outcomes
    assert GA in CHAT

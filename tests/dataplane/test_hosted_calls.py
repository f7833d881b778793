"""Tools that the server runs, where things go wrong around them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.dataplane.operations.responses.asking import said
from linarite.dataplane.operations.responses.hosted_tools import without_secrets
from linarite.domain.chat import ChatAsk, ChatEvent, ToolMessage, UserMessage
from linarite.domain.engine import Slot
from linarite.domain.errors import ContextLengthExceeded
from linarite.vector_stores.keeper import NewStore
from tests.dataplane.rig import ABLE, ScriptedEngine, rig

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.anyio
FITS = 2000
SEARCH: dict[str, Any] = {"type": "file_search"}


async def test_a_search_that_has_to_wait_is_told_as_such() -> None:
    """503 with Retry-After, and nothing of a model's that has seen no passages."""
    async with rig(ScriptedEngine()) as running:
        keeper, searcher = running.kit.vector_stores, running.kit.vector_search
        keeper.deployment_of = lambda _: "gpt"
        embedder: Any = searcher._embedder
        embedder._facts_of = running.facts.find_by_id
        store = await keeper.create(NewStore(account_id=running.account_id, owner="", name="x"))
        body = {
            "model": "gpt",
            "input": "hello",
            "tools": [SEARCH | {"vector_store_ids": [store.id]}],
        }

        async def searches(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
            assert ask.tools is not None
            name = ask.tools[0].function.name
            call = {"index": 0, "id": "c", "function": {"name": name, "arguments": '{"query":"x"}'}}
            told = {"choices": [{"delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]}
            yield msgspec.convert(told, ChatEvent)

        running.engine.script = searches
        answer = await running.send("POST", "/openai/v1/responses", body)
        assert answer.status == 503
        assert answer.header("retry-after") == "1"
        assert b"Nobody makes vectors." in answer.body


async def test_what_tools_found_is_cut_to_what_the_model_reads() -> None:
    """The longest answer first, and no further than has to be."""
    tried: list[int] = []

    async def engine(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        size = sum(len(str(each.content)) for each in ask.messages)
        tried.append(size)
        if size > FITS:
            raise ContextLengthExceeded(FITS, size)
        yield ChatEvent()

    slot = Slot(engine=ScriptedEngine(engine), capabilities=ABLE, model="gpt")
    messages = [UserMessage("q"), ToolMessage("a" * 5000, "1"), ToolMessage("b" * 500, "2")]
    chat = ChatAsk(messages=list(messages), model="gpt")
    assert len([each async for each in said(chat, slot, truncates=False, hosted=True)]) == 1
    assert tried[0] == 5501
    assert 1000 < tried[-1] <= FITS
    with pytest.raises(ContextLengthExceeded):
        async for _ in said(chat, slot, truncates=False):
            pass


async def test_a_request_is_kept_without_its_secrets() -> None:
    """Nothing of headers, authorization or the path of a URL."""
    tool = {
        "type": "mcp",
        "server_label": "x",
        "server_url": "https://mcp.example.com/k-s3cret?key=s3cret",
        "headers": {"x-key": "s3cret"},
        "authorization": "s3cret",
        "allowed_tools": ["a"],
    }
    body = {"model": "gpt", "input": "hello", "tools": [tool, {"type": "function", "name": "f"}]}
    kept = without_secrets(json.dumps(body).encode())
    assert b"s3cret" not in kept
    told = json.loads(kept)
    assert told["tools"][0]["server_url"] == "https://mcp.example.com/<redacted>"
    assert told["tools"][0]["allowed_tools"] == ["a"]
    assert told["tools"][1] == {"type": "function", "name": "f"}

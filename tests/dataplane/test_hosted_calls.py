"""Tools that the server runs, where things go wrong around them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.dataplane.content_notes import without_credentials
from linarite.dataplane.operations.responses.answer_room import CHARACTERS_MAX, AnswerRoom
from linarite.dataplane.operations.responses.approvals import read_approvals
from linarite.dataplane.operations.responses.asking import said
from linarite.dataplane.operations.responses.tools import read_tools
from linarite.domain.chat import (
    ChatAsk,
    ChatChoice,
    ChatDelta,
    ChatEvent,
    FunctionDelta,
    ToolCallDelta,
    ToolMessage,
    UserMessage,
)
from linarite.domain.engine import Slot
from linarite.domain.errors import ContextLengthExceeded, InvalidRequest
from linarite.mcp import CallResult
from linarite.mcp.server import McpProblem
from linarite.vector_stores.keeper import NewStore
from tests.dataplane.rig import ABLE, ScriptedEngine, rig

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from linarite.domain.principal import Principal

pytestmark = pytest.mark.anyio
FITS = 2000
SEARCH: dict[str, Any] = {"type": "file_search"}
MCP: dict[str, Any] = {"type": "mcp", "server_url": "https://mcp.example.com/"}


async def searches(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
    """A model that searches as long as it is let."""
    if ask.tool_choice == "none":
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="Well."))])
        return
    assert ask.tools is not None
    function = FunctionDelta(ask.tools[0].function.name, '{"query":"x"}')
    call = ToolCallDelta(0, f"c{len(ask.messages)}", "function", function)
    delta = ChatDelta(tool_calls=[call])
    yield ChatEvent(choices=[ChatChoice(delta=delta, finish_reason="tool_calls")])


class Vectors:
    """Makes the same vector of everything."""

    async def embed(
        self, account_id: str, caller: Principal, where: str, texts: Sequence[str], *, query: bool
    ) -> list[bytes]:
        """See Embedder."""
        assert (where, len(texts), query) == ("gpt", 2, True)
        del account_id, caller
        return [b"\x00\x00\x80\x3f" + b"\x00" * 28] * len(texts)


async def test_searches_that_bring_nothing_come_to_an_end() -> None:
    """The model answers then, with its tools before it and none to call."""
    async with rig(ScriptedEngine(searches)) as running:
        keeper, searcher = running.kit.vector_stores, running.kit.vector_search
        keeper.deployment_of = lambda _: "gpt"
        searcher._embedder = Vectors()
        store = await keeper.create(NewStore(account_id=running.account_id, owner="", name="x"))
        body = {
            "model": "gpt",
            "input": "hello",
            "tools": [SEARCH | {"vector_store_ids": [store.id]}],
        }
        answer = await running.send("POST", "/openai/v1/responses", body)
        assert answer.status == 200, answer.body
        kinds = [each["type"] for each in json.loads(answer.body)["output"]]
        assert kinds == ["file_search_call", "file_search_call", "message"]
        assert [len(each.tools) for each in running.engine.asked] == [1, 1, 1]


async def test_a_model_that_does_not_hear_is_asked_no_more() -> None:
    """It calls though it is offered nothing to call."""

    async def deaf(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        async for event in searches(msgspec.structs.replace(ask, tool_choice=None)):
            yield event

    async with rig(ScriptedEngine(deaf)) as running:
        keeper, searcher = running.kit.vector_stores, running.kit.vector_search
        keeper.deployment_of = lambda _: "gpt"
        searcher._embedder = Vectors()
        store = await keeper.create(NewStore(account_id=running.account_id, owner="", name="x"))
        tool = SEARCH | {"vector_store_ids": [store.id]}
        body = {"model": "gpt", "input": "hello", "tools": [tool]}
        answer = await running.send("POST", "/openai/v1/responses", body)
        assert answer.status == 200, answer.body
        assert len(running.engine.asked) == 32


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
    kept = without_credentials(json.dumps(body).encode())
    assert b"s3cret" not in kept
    told = json.loads(kept)
    assert told["tools"][0]["server_url"] == "https://mcp.example.com/<redacted>"
    assert told["tools"][0]["allowed_tools"] == ["a"]
    assert told["tools"][1] == {"type": "function", "name": "f"}


def test_only_so_many_calls_are_agreed_to_at_once() -> None:
    """They are all made, side by side."""
    asked = [{"type": "mcp_approval_request", "id": str(at)} for at in range(129)]
    said = [
        {"type": "mcp_approval_response", "approval_request_id": each["id"], "approve": True}
        for each in asked
    ]
    items = [each | {"server_label": "x"} for each in (*asked, *said)]
    with pytest.raises(InvalidRequest, match="At most 128 calls"):
        read_approvals([], items, frozenset("x"))
    with pytest.raises(InvalidRequest, match="At most 20"):
        read_tools([MCP | {"server_label": f"s{at}"} for at in range(21)], None)


def test_many_tools_are_chosen_among_quickly() -> None:
    """Not each compared with each."""
    function = {"type": "function", "name": "f"}
    chosen = [SEARCH] * 9000 + [function] * 9000
    tools = [function, SEARCH | {"vector_store_ids": ["vs_1"]}]
    began = time.process_time()
    asked = read_tools(tools, {"type": "allowed_tools", "mode": "auto", "tools": chosen})
    assert time.process_time() - began < 1
    assert len(asked.offered) == 1


def test_what_tools_answer_has_an_end() -> None:
    """Of one response all together; the model is told."""
    room = AnswerRoom()
    half = CallResult("x" * (CHARACTERS_MAX // 2))
    assert room.taken(half) == half
    with pytest.raises(McpProblem, match="its answer is not kept"):
        room.taken(CallResult(half.output, {"type": "x"}))
    assert room.taken(half) == half
    with pytest.raises(McpProblem):
        room.taken(CallResult("x"))

"""The hosted tools of one response while it is made: listed, offered, carried out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec
import structlog

from linarite.dataplane.operations.responses.answer_room import AnswerRoom
from linarite.dataplane.operations.responses.approvals import GRANTED_MAX
from linarite.dataplane.operations.responses.citations import Citing, Passage, words_of
from linarite.dataplane.operations.responses.hosted_messages import (
    REPEATED,
    HostedReader,
    fitting_name,
    passages_told,
)
from linarite.dataplane.operations.responses.hosted_output import (
    FILE_SEARCH,
    IgnoredCall,
    McpCall,
    OfferedTool,
    SearchCall,
    ToolList,
)
from linarite.dataplane.parts.searching import QUERIES_MAX, QUERY_CHARACTERS_MAX
from linarite.domain.chat import FunctionDefinition, NamedFunction, NamedToolChoice, Tool
from linarite.domain.errors import InvalidRequest
from linarite.domain.hosted_tool_errors import ToolsNotListed
from linarite.domain.network_errors import OutboundAccessDenied
from linarite.mcp import CallResult, McpTool
from linarite.mcp.server import PROTOCOL_ERROR, McpProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from linarite.dataplane.call import Call, OperationKit
    from linarite.dataplane.operations.responses.approvals import Approvals
    from linarite.dataplane.operations.responses.hosted_output import HostedCall
    from linarite.dataplane.operations.responses.output import Output, Place
    from linarite.dataplane.operations.responses.tools import AskedTools
    from linarite.domain.chat import ChatAsk
    from linarite.domain.stored_object import StoredObject
    from linarite.mcp import McpSession
    from linarite.vector_stores.search import Hit

TURNS_MAX, CALLS_MAX = 32, 128
"""how often a model is asked for one response with tools, the last time without them; how many
calls are carried out where the request does not say"""
FRUITLESS_MAX = 2
INVALID_PARAMS = -32602
SEARCH = FunctionDefinition(
    FILE_SEARCH,
    "Searches the user's files for passages that answer a question. Use it before you answer "
    "anything that may stand in them.",
    {
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "The question, in the user's words."}
        },
        "required": ["query"],
    },
)

log = structlog.get_logger("linarite.mcp")


class Hosting(NamedTuple):
    """What hosted tools are carried out with."""

    call: Call
    kit: OperationKit
    tools: AskedTools
    stores: Sequence[StoredObject]
    """that file_search looks into"""
    listed: dict[str, list[McpTool]]
    """what MCP servers had, as it was said before, by label"""
    approvals: Approvals
    question: str
    """what the person said last"""
    calls_max: int | None
    shows_results: bool
    parallel: bool | None
    """the model may call several at once"""
    cites: bool
    """False where the text is JSON"""


class HostedCalls:
    """Those of one response. What the model is offered is known once `prepared` has ended."""

    def __init__(self, given: Hosting) -> None:
        """Nobody is asked yet."""
        self._given = given
        self._hosted = given.tools.hosted
        self._sessions: dict[str, McpSession] = {}
        self._offered: dict[str, OfferedTool] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._left = CALLS_MAX if given.calls_max is None else given.calls_max
        self._to_be_asked = GRANTED_MAX
        """for how many calls a person can still be asked: more can't be agreed to at once"""
        self._turn = 0
        self._passages: list[Passage] = []
        self._found: dict[str, str] = {}
        self._fruitless = 0
        """searches in a row that brought nothing new"""
        self._searched_out = False
        """searches bring nothing more"""
        self._room = AnswerRoom()

    # What the growing output asks.

    def knows(self, name: str) -> bool:
        """See Hosted."""
        return name in self._offered

    def begun(self, name: str, place: Place, new_id: Callable[[str], str]) -> HostedCall:
        """See Hosted."""
        tool = self._offered[name]
        if tool.must_ask:
            self._to_be_asked -= 1
            ignored = self._to_be_asked < 0
        else:  # a model may call what it is offered no longer
            ignored = self._left <= 0 or self._turn >= TURNS_MAX
            self._left -= 0 if ignored else 1
        return IgnoredCall(place, {}) if ignored else tool.begun(place, new_id)

    def citing(self) -> Callable[[], Citing] | None:
        """See Hosted."""
        if not self._passages or not self._given.cites:
            return None
        return lambda: Citing(self._passages)

    # What the operation asks.

    def begin_lists(self, output: Output, new_id: Callable[[str], str]) -> list[ToolList]:
        """Of the servers whose tools are not known from what was said before, or not for sure."""
        output.hosted = self
        begun: list[ToolList] = []
        if self._given.tools.choice != "none":
            for server in self._hosted.mcp:
                if server.goes_by_hints or server.server_label not in self._given.listed:
                    begun.append(ToolList(output.place(), new_id, server.server_label))
                    begun[-1].begin()
        return begun

    async def list_tools(self, lists: Sequence[ToolList]) -> None:
        """Ask the servers, all at once. Raises ToolsNotListed."""
        await _all_of([self._list(each) for each in lists])

    def offer(self) -> None:
        """From now on it is known what the model is offered."""
        if self._given.tools.choice == "none":
            return
        for server in self._hosted.mcp:
            for tool in self._given.listed.get(server.server_label, ()):
                if server.allows(tool):
                    self._offer(server.server_label, tool, must_ask=server.must_ask(tool))
        if self._given.stores:
            self._offer("", None)

    def granted(self, output: Output, new_id: Callable[[str], str]) -> list[HostedCall]:
        """The calls that a person has agreed to since they were asked for."""
        calls: list[HostedCall] = []
        for request in self._given.approvals.granted:
            self._left -= 1
            name, label = request["name"], request["server_label"]
            call = McpCall(output.place(), new_id, label, name, approval=request["id"])
            call.begin()
            call.add(request["arguments"])
            call.close("completed")
            calls.append(call)
        return calls

    def ask(self, chat: ChatAsk, *, first: bool) -> ChatAsk:
        """The chat with the tools that the model is offered in this turn.

        What `tool_choice` forces holds for the first. Raises InvalidRequest where it is not there.
        """
        given = self._given.tools
        chosen, choice = given.hosted_choice, given.choice
        forced = chosen is not None and chosen.forced
        functions = [] if forced and first else list(given.offered)
        self._turn += 1
        over = self._left <= 0 or self._turn >= TURNS_MAX
        if not (over and functions):
            all_of_them = chosen is None or (forced and not first)
            functions += [
                Tool("function", self._described(name, tool))
                for name, tool in self._offered.items()
                if all_of_them or self._is_chosen(tool)
            ]
        if forced and first and not functions:
            raise InvalidRequest(
                "Tool choice not found: the MCP server has no such tool, or 'allowed_tools' leaves "
                "it out.",
                param="tool_choice",
            )
        if not first and choice != "none":
            choice = "auto"
        if (over and not given.offered) or self._is_searched_out(functions):
            choice = "none"  # they stay in the prompt, which what was called stands in, too
        if choice == "required" and len(functions) == 1:
            choice = NamedToolChoice("function", NamedFunction(functions[0].function.name))
        return msgspec.structs.replace(
            chat,
            tools=functions or None,
            tool_choice=choice if functions else None,
            parallel_tool_calls=self._given.parallel if functions else None,
        )

    def reader(self) -> HostedReader:
        """How the model reads what was done."""
        return HostedReader(self._name_of, self._given.approvals.refused, self._found)

    def has_effects(self, calls: Sequence[HostedCall]) -> bool:
        """Whether calls may change something: those of MCP servers that don't say otherwise."""
        return any(isinstance(each, McpCall) and not self._reads_only(each) for each in calls)

    def begin_calls(self, calls: Sequence[HostedCall]) -> None:
        """They are about to be carried out."""
        for each in calls:
            if isinstance(each, SearchCall):
                each.search(self._queries(each.arguments))

    async def carry_out(self, calls: Sequence[HostedCall]) -> None:
        """Carry out calls, all at once.

        Raises what StoreSearcher does; what goes wrong with MCP servers stands in their items.
        """
        await _all_of([self._one(each) for each in calls])

    async def _one(self, call: HostedCall) -> None:
        if isinstance(call, SearchCall):
            hits = await self._search(call.item["queries"])
            self._found[call.item["id"]] = self._passages_of(hits)
            call.found(hits, shown=self._given.shows_results)
        elif isinstance(call, McpCall):
            call.answered(*await self._called(call))

    def close(self) -> None:
        """Nothing is called any more."""
        for session in self._sessions.values():
            self._given.kit.mcp.leave(session)
        self._sessions.clear()

    # Searching.

    async def _search(self, queries: Sequence[str]) -> list[Hit]:
        """The best of all stores, the best first."""
        tool, call = self._hosted.file_search, self._given.call
        assert tool is not None  # noqa: S101 - it was offered
        assert call.principal is not None  # noqa: S101 - whoever asks has been let in
        wanted = tool.ask(tuple(queries))
        searcher = self._given.kit.vector_search
        found = [
            hit
            for store in self._given.stores
            for hit in await searcher.search(store, wanted, call.principal)
        ]
        return sorted(found, key=lambda hit: -hit.score)[: wanted.limit]

    def _passages_of(self, hits: Sequence[Hit]) -> str:
        """What was found as the model reads it, each passage with a number that it keeps.

        A search that brings nothing new, or two that bring nothing, are the last: small models go
        on and on.
        """
        known = len(self._passages)
        told: list[tuple[int, str, str]] = []
        for hit in hits:
            passage = Passage(hit.file_id, hit.filename, hit.text)
            if passage not in self._passages:
                self._passages.append(passage)
            told.append((self._passages.index(passage) + 1, hit.filename, hit.text))
        self._fruitless = 0 if len(self._passages) > known else self._fruitless + 1
        self._searched_out = self._fruitless >= (1 if hits else FRUITLESS_MAX)
        return REPEATED if hits and self._searched_out else passages_told(told)

    def _queries(self, arguments: str) -> list[str]:
        """What the model looks for, and what the person asked where that is something else."""
        try:
            said: Any = msgspec.json.decode(arguments)
        except (msgspec.DecodeError, RecursionError):
            said = None
        given: list[Any] = []
        if isinstance(said, dict):
            told = cast("dict[str, Any]", said)
            several: object = told.get("queries")
            given = cast("list[Any]", several) if isinstance(several, list) else []
            given = [told.get("query"), *given]
        texts = [each.strip() for each in given if isinstance(each, str) and each.strip()]
        question = self._given.question.strip()
        if question and not words_of(" ".join(texts)) & words_of(question):
            texts.append(question)
        texts = texts or ["-"]
        return [each[:QUERY_CHARACTERS_MAX] for each in texts[:QUERIES_MAX]]

    # MCP servers.

    async def _list(self, item: ToolList) -> None:
        label = item.item["server_label"]
        try:
            tools = await self._session(label).tools()
        except McpProblem as problem:
            self._note("tools not listed", label, problem)
            item.failed(problem.message)
            if problem.by_account:
                raise OutboundAccessDenied(problem.message) from None
            raise ToolsNotListed(label, problem.message, problem.kind) from None
        server = next(each for each in self._hosted.mcp if each.server_label == label)
        self._given.listed[label] = allowed = [each for each in tools if server.allows(each)]
        item.listed(allowed)

    async def _called(self, call: McpCall) -> CallResult:
        """What a tool answers. Whatever goes wrong is part of that."""
        label, name = call.item["server_label"], call.item["name"]
        try:
            said: Any = msgspec.json.decode(call.arguments or "{}")
        except (msgspec.DecodeError, RecursionError):
            said = None
        if not isinstance(said, dict):
            problem = McpProblem(PROTOCOL_ERROR, INVALID_PARAMS, "The arguments are no object.")
            return CallResult("", problem.told)
        try:
            called = self._session(label).call(name, cast("dict[str, Any]", said))
            return self._room.taken(await called)
        except McpProblem as problem:
            self._note("tool not called", label, problem)
            return CallResult("", problem.told)

    def _session(self, label: str) -> McpSession:
        if label not in self._sessions:
            server = next(each for each in self._hosted.mcp if each.server_label == label)
            account = self._given.call.account_id
            self._sessions[label] = self._given.kit.mcp.session(server.server, account)
        return self._sessions[label]

    def _note(self, event: str, label: str, problem: McpProblem) -> None:
        host = self._session(label).server.target.host_header
        account = self._given.call.account
        log.warning(event, host=host, account=account, why=problem.kind, status=problem.number)

    # Names.

    def _offer(self, label: str, tool: McpTool | None, *, must_ask: bool = False) -> None:
        own = FILE_SEARCH if tool is None else tool.name
        taken = {each.function.name for each in self._given.tools.offered} | set(self._offered)
        name = fitting_name("", own)
        if name in taken:
            name = fitting_name(label or "hosted", own)
        number = 2
        while name in taken:
            name, number = f"{name[:60]}_{number}", number + 1
        self._names[label, own] = name
        self._offered[name] = OfferedTool(label, tool, must_ask=must_ask)

    def _name_of(self, label: str, own: str) -> str:
        return self._names.get((label, own)) or fitting_name(label, own)

    def _described(self, name: str, offered: OfferedTool) -> FunctionDefinition:
        tool = offered.tool
        if tool is None:
            return msgspec.structs.replace(SEARCH, name=name)
        return FunctionDefinition(name, tool.description, tool.input_schema or {"type": "object"})

    def _is_searched_out(self, functions: Sequence[Tool]) -> bool:
        """Whether nothing is offered but searches that bring nothing more."""
        search = self._names.get(("", FILE_SEARCH))
        return self._searched_out and all(each.function.name == search for each in functions)

    def _is_chosen(self, offered: OfferedTool) -> bool:
        chosen = self._given.tools.hosted_choice
        if chosen is None:
            return True
        if offered.tool is None:
            return chosen.file_search
        return chosen.takes(offered.label, offered.tool.name)

    def _reads_only(self, call: McpCall) -> bool:
        name = self._name_of(call.item["server_label"], call.item["name"])
        offered = self._offered.get(name)
        return offered is not None and offered.tool is not None and offered.tool.read_only


async def _all_of(work: Sequence[Coroutine[object, object, None]]) -> None:
    """Do all of it side by side, and only then raise what one of them raised."""
    for done in await asyncio.gather(*work, return_exceptions=True):
        if done is not None:
            raise done

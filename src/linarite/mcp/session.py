"""A session with an MCP server: what both sides speak, its tools, calls of them.

Servers of 2026-07-28 take each request by itself; those before want a handshake, and may give a
session its id. Which it is, is asked first (`server/discover`).
Source: modelcontextprotocol.io, "Versioning", "Lifecycle", "Tools".
"""

from __future__ import annotations

import base64
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite import __version__
from linarite.engines.http_client import BodyTooLong
from linarite.mcp.exchange import (
    REDIRECTS,
    SUCCESS,
    Answer,
    Exchange,
    Message,
    Problems,
    not_json_rpc,
)
from linarite.mcp.server import (
    HTTP_ERROR,
    INTERNAL_ERROR,
    METHOD_NOT_FOUND,
    PROTOCOL_ERROR,
    McpProblem,
)
from linarite.mcp.tools import read_result, read_tools

if TYPE_CHECKING:
    from linarite.domain.dial import Dialer
    from linarite.mcp.options import Mcp
    from linarite.mcp.server import CallResult, McpServer, McpTool

MODERN = "2026-07-28"
HANDSHAKES = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""revisions with a handshake, the newest first"""
CLIENT = {"name": "linarite", "version": __version__}
META = "io.modelcontextprotocol/"
CALL = "tools/call"
SESSION_GONE = 404
FINAL = frozenset((401, 403, 429))
"""what another way of asking would not change"""
SESSION_ID_MAX = 1024
PAGES_MAX = 32
SERVER_REQUESTS_MAX = 16
LEAVE_S = 2.0


class McpSession:
    """One session. Everything it raises is McpProblem."""

    def __init__(self, server: McpServer, dialer: Dialer, options: Mcp, account_id: str) -> None:
        """Nothing is connected yet."""
        self.server = server
        self._options = options
        self._exchange = Exchange(server, dialer, account_id, options.answer_bytes_max)
        self._version = ""
        """what both speak; "" until it is known"""
        self._session_id = ""
        self._number = 0

    async def tools(self) -> list[McpTool]:
        """The tools that the server has."""
        found: list[Any] = []
        size, most = 0, self._options.answer_bytes_max
        async with Problems(self.server, self._options.list_s):
            cursor: object = None
            for _ in range(PAGES_MAX):
                params: Message = {} if cursor is None else {"cursor": cursor}
                page = await self._asked("tools/list", params)
                part: object = page.get("tools")
                if not isinstance(part, list):
                    raise not_json_rpc()
                found += cast("list[Any]", part)
                size += len(msgspec.json.encode(part))
                if size > most:  # all pages are one answer
                    raise BodyTooLong(most)
                cursor = page.get("nextCursor")
                if not isinstance(cursor, str) or len(found) > self._options.tools_max:
                    break
        return read_tools(found, self._options.tools_max, modern=self._version == MODERN)

    async def call(self, name: str, arguments: dict[str, Any]) -> CallResult:
        """What a tool answers, which may be an error of its own."""
        params = {"name": name, "arguments": arguments}
        async with Problems(self.server, self._options.call_s):
            result = await self._asked(CALL, params)
        return read_result(result)

    async def close(self) -> None:
        """Tell the server that the session is over, if it has one; close the connections."""
        if self._session_id:
            with suppress(McpProblem):
                async with Problems(self.server, LEAVE_S):
                    answer = await self._exchange.send(None, self._headers(), LEAVE_S, "DELETE")
                    answer.close()
        await self._exchange.close()

    async def _asked(self, method: str, params: Message) -> Message:
        """The result of a request; a session that the server has forgotten is begun anew, once."""
        if not self._version:
            await self._begin()
        try:
            return await self._result(method, params)
        except McpProblem as problem:
            gone = problem.kind == HTTP_ERROR and problem.number == SESSION_GONE
            if not (gone and self._session_id):
                raise
        self._session_id = ""
        await self._handshake()
        return await self._result(method, params)

    async def _begin(self) -> None:
        """Find out what the server speaks."""
        self._version = MODERN
        try:
            found = await self._result("server/discover", {})
        except McpProblem as problem:
            if problem.kind == HTTP_ERROR and problem.number in FINAL:
                raise
        else:
            versions: object = found.get("supportedVersions")
            if isinstance(versions, list) and MODERN in versions:
                return
        await self._handshake()

    async def _handshake(self) -> None:
        self._version = ""
        params = {"protocolVersion": HANDSHAKES[0], "capabilities": {}, "clientInfo": CLIENT}
        found = await self._result("initialize", params)
        version: object = found.get("protocolVersion")
        if not isinstance(version, str) or version not in HANDSHAKES:
            raise McpProblem(
                PROTOCOL_ERROR,
                INTERNAL_ERROR,
                f"MCP server '{self.server.label}' speaks none of the revisions {MODERN}, "
                f"{', '.join(HANDSHAKES)}.",
            )
        self._version = version
        answer = await self._sent({"jsonrpc": "2.0", "method": "notifications/initialized"})
        answer.close()

    async def _result(self, method: str, params: Message) -> Message:
        """The result of one request."""
        self._number += 1
        number, headers = self._number, self._headers()
        if self._version == MODERN:
            params = params | {"_meta": _envelope()}
            headers.append(("mcp-method", method))
            if "name" in params:
                headers.append(("mcp-name", header_text(params["name"])))
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        once = method == CALL  # it may have effects
        answer = await self._exchange.send(message, headers, self._options.call_s, once=once)
        if method == "initialize" and answer.status in SUCCESS:
            self._session_id = _session_id(answer)
        self._require_no_redirect(answer)
        asked = 0
        async with aclosing(answer.messages()) as messages:
            async for each in messages:
                if each.get("id") == number and "method" not in each:
                    return _read(each, answer.status)
                if "method" in each and "id" in each:
                    asked += 1
                    await self._answer_server(each, asked)
        raise self._unanswered(answer.status)

    def _headers(self) -> list[tuple[str, str]]:
        headers = [("mcp-protocol-version", self._version)] if self._version else []
        if self._session_id:
            headers.append(("mcp-session-id", self._session_id))
        return headers

    async def _sent(self, message: Message) -> Answer:
        return await self._exchange.send(message, self._headers(), self._options.list_s)

    async def _answer_server(self, asked: Message, count: int) -> None:
        """A server may look whether we live; whatever else it wants, we have not offered."""
        if count > SERVER_REQUESTS_MAX or self._version == MODERN:
            return
        reply: Message = {"jsonrpc": "2.0", "id": asked["id"]}
        if asked["method"] == "ping":
            reply["result"] = {}
        else:
            reply["error"] = {"code": METHOD_NOT_FOUND, "message": "Method not found"}
        answer = await self._sent(reply)
        answer.close()

    def _require_no_redirect(self, answer: Answer) -> None:
        if answer.status in REDIRECTS:
            answer.close()
            raise McpProblem(
                HTTP_ERROR,
                answer.status,
                f"MCP server '{self.server.label}' answers with a redirect, which is not "
                "followed: name the address that it leads to as 'server_url'.",
            )

    def _unanswered(self, status: int) -> McpProblem:
        label = self.server.label
        if status in SUCCESS:
            said = f"MCP server '{label}' ended its answer without a result."
            return McpProblem(PROTOCOL_ERROR, INTERNAL_ERROR, said)
        return McpProblem(HTTP_ERROR, status, f"MCP server '{label}' answers with status {status}.")


def _envelope() -> dict[str, Any]:
    return {
        f"{META}protocolVersion": MODERN,
        f"{META}clientInfo": CLIENT,
        f"{META}clientCapabilities": {},
    }


def header_text(text: str) -> str:
    """A name as a header's value; one that is more than visible ASCII in base64, as MCP has it."""
    plain = text.isascii() and text.isprintable() and text == text.strip()
    if plain and not text.startswith("=?base64?"):
        return text
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


def _session_id(answer: Answer) -> str:
    given = answer.session_id
    if len(given) > SESSION_ID_MAX or not all("!" <= each <= "~" for each in given):
        raise McpProblem(PROTOCOL_ERROR, INTERNAL_ERROR, "The server's session id is none.")
    return given


class _Problem(msgspec.Struct, frozen=True):
    """An error of JSON-RPC."""

    code: int
    message: str


def _read(answered: Message, status: int) -> Message:
    """The result in an answer. Raises McpProblem for the error in it."""
    result: object = answered.get("result")
    if isinstance(result, dict):
        return cast("Message", result)
    try:
        problem = msgspec.convert(answered.get("error"), _Problem)
    except msgspec.ValidationError:
        raise not_json_rpc() from None
    if status == SESSION_GONE or status in FINAL:
        raise McpProblem(HTTP_ERROR, status, problem.message[:1000])
    raise McpProblem(PROTOCOL_ERROR, problem.code, problem.message[:1000])

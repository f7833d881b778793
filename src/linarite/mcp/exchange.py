"""One request to an MCP server and its answer, as JSON or as a stream of events; all bounded.

Source: modelcontextprotocol.io, "Transports: Streamable HTTP", revisions 2025-11-25, 2026-07-28.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite import __version__
from linarite.domain.dial import Errand
from linarite.domain.errors import EgressRefused
from linarite.domain.json_values import is_deeper
from linarite.engines.http_client import (
    BodyTooLong,
    EventParser,
    HttpClient,
    HttpClientError,
    dialer_connector,
)
from linarite.mcp.server import HTTP_ERROR, INTERNAL_ERROR, PROTOCOL_ERROR, McpProblem

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from linarite.domain.dial import Dialer
    from linarite.engines.http_client import Response
    from linarite.mcp.server import McpServer

Message = dict[str, Any]
"""of JSON-RPC"""

SUCCESS, REDIRECTS = range(200, 300), range(300, 400)
ERROR_BYTES_MAX = 64 * 1024
NESTING_MAX = 128
"""levels of JSON: what is read must be written again, by whoever is told of it"""
MESSAGES_MAX = 1000
"""of one answer: notes on progress and the like"""
CONNECTIONS_MAX = 4
UNREACHED, TOO_LATE, FORBIDDEN = 502, 504, 403
OF_ACCOUNT = frozenset(("allowedFqdnList", "perimeter"))
"""rules of egress that an account's owner can change"""
COMMON = (
    ("content-type", "application/json"),
    ("accept", "application/json, text/event-stream"),
    ("user-agent", f"linarite/{__version__}"),
)


class Answer:
    """The head of an answer, and its messages as they come."""

    def __init__(self, response: Response, bytes_max: int) -> None:
        self.status = response.status
        self.session_id = response.headers.get("mcp-session-id", "")
        self._response = response
        self._bytes_max = bytes_max

    async def messages(self) -> AsyncGenerator[Message, None]:
        """Every message of it. Raises McpProblem, HttpClientError."""
        kind = self._response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "text/event-stream":
            async with aclosing(self._events()) as events:
                async for event in events:
                    for message in messages_in(event):
                        yield message
            return
        limit = self._bytes_max if self.status in SUCCESS else ERROR_BYTES_MAX
        body = await self._response.read(limit)
        if kind == "application/json":
            for message in messages_in(body):
                yield message

    def close(self) -> None:
        """Nobody wants the rest."""
        self._response.close()

    async def _events(self) -> AsyncGenerator[bytes, None]:
        parser, left, count = EventParser(self._bytes_max), self._bytes_max, 0
        async with aclosing(self._response.chunks()) as pieces:
            async for piece in pieces:
                left -= len(piece)
                if left < 0:
                    raise BodyTooLong(self._bytes_max)
                for event in parser.feed(piece):
                    count += 1
                    if count > MESSAGES_MAX:
                        raise BodyTooLong(self._bytes_max)
                    yield event.data
            for event in parser.finish():
                yield event.data


class Exchange:
    """Sends messages to one server, on behalf of one account."""

    def __init__(
        self, server: McpServer, dialer: Dialer, account_id: str, answer_bytes_max: int
    ) -> None:
        """Nothing is connected until something is sent."""
        target = server.target
        self._server = server
        self._dialer = dialer
        self._errand = Errand("mcp", account_id)
        self._bytes_max = answer_bytes_max
        self._client = HttpClient(
            dialer_connector(dialer, target, lambda: self._errand),
            host=target.host_header,
            connections_max=CONNECTIONS_MAX,
        )

    async def send(
        self,
        message: Message | None,
        headers: Sequence[tuple[str, str]],
        within_s: float,
        method: str = "POST",
        *,
        once: bool = False,
    ) -> Answer:
        """The answer to a message. Raises what `Problems` turns into McpProblem.

        `once`: whatever happens, it is sent only once.
        """
        target = self._server.target
        self._dialer.require(target.host, target.port, self._errand)
        response = await self._client.send_prepared(
            self._client.prepare(method, target.path, (*COMMON, *self._server.headers, *headers)),
            b"" if message is None else msgspec.json.encode(message),
            first_byte_s=within_s,
            idle_s=within_s,
            fresh=once,
        )
        return Answer(response, self._bytes_max)

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()


class Problems:
    """What may happen on the way, as McpProblem. Used around everything that waits for a server."""

    def __init__(self, server: McpServer, within_s: float) -> None:
        """`within_s`: the deadline of what happens inside."""
        self._server = server
        self._within_s = within_s
        self._timeout = asyncio.timeout(within_s)

    async def __aenter__(self) -> None:
        """From now on."""
        await self._timeout.__aenter__()

    async def __aexit__(self, *raised: Any) -> None:  # noqa: ANN401, PYI036 - passed on as they are
        """Raise McpProblem for what was raised, if it is of that kind."""
        problem: BaseException | None = raised[1]
        try:
            await self._timeout.__aexit__(*raised)
        except TimeoutError as late:
            problem = late
        told = None if problem is None else self._told(problem)
        if told is not None:
            raise told from None

    def _told(self, problem: BaseException) -> McpProblem | None:
        label, host = self._server.label, self._server.target.host_header
        if isinstance(problem, TimeoutError):
            said = f"MCP server '{label}' has not answered within {self._within_s:g} seconds."
            return McpProblem(HTTP_ERROR, TOO_LATE, said)
        if isinstance(problem, EgressRefused):
            by_account = problem.rule in OF_ACCOUNT
            return McpProblem(HTTP_ERROR, FORBIDDEN, problem.message, by_account=by_account)
        if isinstance(problem, BodyTooLong):
            said = f"The answer of MCP server '{label}' is longer than mcp.answer_bytes_max allows."
            return McpProblem(PROTOCOL_ERROR, INTERNAL_ERROR, said)
        if isinstance(problem, HttpClientError):
            said = f"MCP server '{label}' ({host}) can't be reached, or broke off."
            return McpProblem(HTTP_ERROR, UNREACHED, said)
        return None


def messages_in(text: bytes) -> list[Message]:
    """The messages in a piece of JSON: one, or an array of them. Raises McpProblem."""
    if not text.strip():
        return []  # an event that only tells where the stream could be taken up again
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise not_json_rpc() from None
    messages = cast("list[Any]", found) if isinstance(found, list) else [found]
    if not all(isinstance(each, dict) for each in messages):
        raise not_json_rpc()
    require_shallow(messages)
    return messages


def require_shallow(value: object) -> None:
    """Raise McpProblem for JSON that is nested deeper than anybody needs."""
    if is_deeper(value, NESTING_MAX):
        said = f"The server's answer is nested deeper than {NESTING_MAX} levels."
        raise McpProblem(PROTOCOL_ERROR, INTERNAL_ERROR, said)


def not_json_rpc() -> McpProblem:
    """What came is none of the protocol's messages."""
    return McpProblem(
        PROTOCOL_ERROR, INTERNAL_ERROR, "The server's answer is no message of JSON-RPC 2.0."
    )

"""What is known of an MCP server and its tools, and how a call of one may end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from linarite.domain.target import Target

HTTP_ERROR, PROTOCOL_ERROR, TOOL_ERROR = (
    "http_error",
    "mcp_protocol_error",
    "mcp_tool_execution_error",
)
"""kinds of errors as items of responses tell them"""
METHOD_NOT_FOUND, INTERNAL_ERROR = -32601, -32603
"""of JSON-RPC"""


class McpServer(NamedTuple):
    """A server as a request names it. What is in `headers` may be a secret."""

    label: str
    target: Target
    headers: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        """Hide the headers, and the path, which may hold a key."""
        return f"McpServer({self.label!r}, {self.target.host_header!r})"


class McpTool(msgspec.Struct, frozen=True):
    """A tool as its server describes it."""

    name: str
    description: str | None = None
    input_schema: dict[str, Any] = {}
    annotations: dict[str, Any] | None = None

    @property
    def read_only(self) -> bool:
        """Whether its server says that it changes nothing."""
        return bool((self.annotations or {}).get("readOnlyHint"))


class CallResult(NamedTuple):
    """What a tool answered."""

    output: str
    error: dict[str, Any] | None = None
    """what went wrong, as items of responses tell it"""


class McpProblem(LinariteError):
    """A server can't be reached, or what it says is no answer."""

    def __init__(self, kind: str, code: int, message: str, *, by_account: bool = False) -> None:
        """`kind` is HTTP_ERROR or PROTOCOL_ERROR, `code` of HTTP or of JSON-RPC.

        `by_account`: the account's own rules forbid the connection.
        """
        super().__init__(message)
        self.by_account = by_account
        self.kind = kind
        self.number = code

    @property
    def told(self) -> dict[str, Any]:
        """As an item tells it."""
        return {"type": self.kind, "code": self.number, "message": self.message}

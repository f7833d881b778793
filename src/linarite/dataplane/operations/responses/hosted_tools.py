"""Tools that this server carries out itself, as requests define them: file_search and mcp."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from linarite.dataplane.parts import checks
from linarite.dataplane.parts.decode import converted
from linarite.dataplane.parts.searching import (
    RESULTS_USUAL,
    RankingOptions,
    Wanted,
    search_ask,
)
from linarite.domain.errors import EgressRefused, InvalidRequest
from linarite.domain.target import target_of
from linarite.mcp import McpServer, McpTool

if TYPE_CHECKING:
    from linarite.vector_stores.search import SearchAsk

STORES_MAX = 10
RANKERS = ("auto", "default-2024-11-15")
LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
HEADERS_MAX, HEADER_CHARACTERS_MAX = 32, 8192
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
CONNECTIONS = frozenset(
    (
        *("accept", "accept-encoding", "connection", "content-length", "content-type", "expect"),
        *("host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"),
    )
)
PROTOCOLS = ("mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id", "user-agent")
OURS = CONNECTIONS.union(PROTOCOLS)
"""headers that are the connection's, and those of the protocol"""
ELSEWHERE = {
    "connector_id": "connectors are services that OpenAI's own servers sign in to",
    "tunnel_id": "tunnels end at OpenAI's own servers",
}


class FileSearch(msgspec.Struct, frozen=True):
    """A search in vector stores of the account."""

    vector_store_ids: list[str]
    type: Literal["file_search"] = "file_search"
    max_num_results: int | None = None
    ranking_options: RankingOptions | None = None
    filters: dict[str, Any] | None = None

    @property
    def limit(self) -> int:
        """How many results are wanted."""
        return RESULTS_USUAL if self.max_num_results is None else self.max_num_results

    def ask(self, queries: tuple[str, ...], where: str = "") -> SearchAsk:
        """What is looked for; `where` is the tool's place in the request."""
        wanted = Wanted(queries, self.limit, self.ranking_options, self.filters)
        return search_ask(wanted, RANKERS, where)


class ToolFilter(msgspec.Struct, frozen=True):
    """Some of a server's tools: those that have one of the names, and what is asked else."""

    tool_names: list[str] | None = None
    read_only: bool | None = None

    def takes(self, tool: McpTool) -> bool:
        """Whether a tool is one of them."""
        named = self.tool_names is None or tool.name in self.tool_names
        return named and self.read_only in {None, tool.read_only}


class ApprovalFilter(msgspec.Struct, frozen=True):
    """Which tools a person must agree to; those of which nothing is said are among them."""

    always: ToolFilter | None = None
    never: ToolFilter | None = None


class McpTools(msgspec.Struct, frozen=True):
    """The tools of an MCP server."""

    server_label: str
    type: Literal["mcp"] = "mcp"
    server_url: str | None = None
    server_description: str | None = None
    connector_id: str | None = None
    tunnel_id: str | None = None
    headers: dict[str, str] | None = None
    authorization: str | None = None
    allowed_tools: list[str] | ToolFilter | None = None
    require_approval: Literal["always", "never"] | ApprovalFilter | None = None

    def __repr__(self) -> str:
        """Hide what may be secret."""
        return f"McpTools({self.server_label!r})"

    @property
    def server(self) -> McpServer:
        """The server. Raises EgressRefused for what is no URL."""
        headers = dict(self.headers or {})
        if self.authorization:
            headers["authorization"] = f"Bearer {self.authorization}"
        return McpServer(
            self.server_label, target_of(self.server_url or ""), tuple(headers.items())
        )

    def allows(self, tool: McpTool) -> bool:
        """Whether the model may be offered a tool."""
        allowed = self.allowed_tools
        if isinstance(allowed, list):
            return tool.name in allowed
        return allowed is None or allowed.takes(tool)

    def must_ask(self, tool: McpTool) -> bool:
        """Whether a person must agree before a tool is called."""
        wanted = self.require_approval
        if isinstance(wanted, ApprovalFilter):
            if wanted.always is not None and wanted.always.takes(tool):
                return True
            return wanted.never is None or not wanted.never.takes(tool)
        return wanted != "never"

    @property
    def goes_by_hints(self) -> bool:
        """Whether what tools say of themselves decides about them.

        Then the server itself is asked each time: a list in what was said before may be somebody
        else's, who has a part in the conversation.
        """
        wanted = self.require_approval
        filters: list[object] = [self.allowed_tools]
        if isinstance(wanted, ApprovalFilter):
            filters += [wanted.always, wanted.never]
        return any(isinstance(each, ToolFilter) and each.read_only is not None for each in filters)

    @property
    def shown(self) -> dict[str, Any]:
        """As the response repeats it: without what may be secret, which a URL's path may be."""
        target = target_of(self.server_url or "")
        scheme = "https" if target.tls else "http"
        hidden = "/" if target.path == "/" else "/<redacted>"
        shown: dict[str, Any] = msgspec.to_builtins(
            {
                "type": "mcp",
                "server_label": self.server_label,
                "server_url": f"{scheme}://{target.host_header}{hidden}",
                "server_description": self.server_description,
                "headers": None,
                "allowed_tools": self.allowed_tools,
                "require_approval": self.require_approval or "always",
            }
        )
        return shown


class HostedTools(msgspec.Struct, frozen=True):
    """Those of one request."""

    file_search: FileSearch | None = None
    mcp: tuple[McpTools, ...] = ()

    @property
    def labels(self) -> frozenset[str]:
        """Of its MCP servers."""
        return frozenset(each.server_label for each in self.mcp)

    @property
    def has_secrets(self) -> bool:
        """Whether the request must not be kept as it came."""
        return bool(self.mcp)


def read_file_search(given: dict[str, Any], where: str) -> FileSearch:
    """A file_search tool. Raises InvalidRequest."""
    tool = converted(given, FileSearch, where)
    checks.check_nesting(f"{where}.filters", tool.filters)
    count = len(tool.vector_store_ids)
    if not count:
        raise checks.empty_array(f"{where}.vector_store_ids")
    if count > STORES_MAX:
        raise checks.too_long(f"{where}.vector_store_ids", STORES_MAX, count)
    tool.ask(("-",), f"{where}.")
    return tool


def shown_file_search(tool: FileSearch) -> dict[str, Any]:
    """As the response repeats it."""
    ranking = tool.ranking_options or RankingOptions()
    options: dict[str, Any] = msgspec.to_builtins(ranking)
    if ranking.hybrid_search is None:
        del options["hybrid_search"]
    return {
        "type": "file_search",
        "vector_store_ids": tool.vector_store_ids,
        "max_num_results": tool.limit,
        "ranking_options": options,
        "filters": tool.filters,
    }


def read_mcp(given: dict[str, Any], where: str) -> McpTools:
    """An mcp tool. Raises InvalidRequest."""
    tool = converted(given, McpTools, where)
    for name, why in ELSEWHERE.items():
        if getattr(tool, name) is not None:
            raise InvalidRequest(
                f"Unsupported parameter: '{where}.{name}': {why}, and this server is none of them. "
                "Name an MCP server that can be reached from here as 'server_url'.",
                param=f"{where}.{name}",
                code="unsupported_parameter",
            )
    if not LABEL.fullmatch(tool.server_label):
        raise InvalidRequest(
            f"Invalid '{where}.server_label': it must begin with a letter and have letters, "
            "digits, '-' and '_' only, 64 at most.",
            param=f"{where}.server_label",
            code="invalid_value",
        )
    if not tool.server_url:
        raise InvalidRequest(
            f"Missing required parameter: '{where}.server_url'.",
            param=f"{where}.server_url",
            code="missing_required_parameter",
        )
    _check_headers(tool, where)
    try:
        tool.server  # noqa: B018 - whether there is one
    except EgressRefused:  # whose message has the URL in it, which may be a secret
        raise InvalidRequest(
            f"Invalid '{where}.server_url': a URL must look like https://host/path, optionally "
            "with a port, and hold no user information, fragment or spaces.",
            param=f"{where}.server_url",
            code="invalid_value",
        ) from None
    return tool


def _check_headers(tool: McpTools, where: str) -> None:
    headers = tool.headers or {}
    if len(headers) > HEADERS_MAX:
        raise checks.too_many(f"{where}.headers", HEADERS_MAX, len(headers))
    if tool.authorization and any(name.lower() == "authorization" for name in headers):
        raise InvalidRequest(
            f"Mutually exclusive parameters: '{where}.authorization' and an 'Authorization' in "
            f"'{where}.headers'.",
            param=f"{where}.authorization",
            code="mutually_exclusive_parameters",
        )
    for name, value in (*headers.items(), ("authorization", tool.authorization or "")):
        fits = HEADER_NAME.fullmatch(name) and name.lower() not in OURS
        plain = value.isascii() and (value.isprintable() or not value)
        if not fits or not plain or len(value) > HEADER_CHARACTERS_MAX:
            raise InvalidRequest(
                f"Invalid header '{name[:64]}' of MCP server '{tool.server_label}': names are as "
                "in HTTP and none of those that the connection or the protocol sets; values are "
                f"printable ASCII of at most {HEADER_CHARACTERS_MAX} characters.",
                param=f"{where}.headers",
                code="invalid_value",
            )

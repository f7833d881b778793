"""Items of tools that the server carries out itself, as clients send them back."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from linarite.mcp import McpTool


class FoundInFile(msgspec.Struct, frozen=True):
    """A passage that a search found."""

    file_id: str = ""
    filename: str = ""
    text: str = ""
    score: float | None = None
    attributes: dict[str, Any] | None = None


class FileSearchCall(msgspec.Struct, frozen=True):
    """A search in vector stores that the server made."""

    queries: list[str]
    results: list[FoundInFile] | None = None
    type: Literal["file_search_call"] = "file_search_call"
    status: Literal["in_progress", "searching", "completed", "incomplete", "failed"] | None = None


class McpListTools(msgspec.Struct, frozen=True):
    """The tools that an MCP server had."""

    server_label: str
    tools: list[McpTool]
    type: Literal["mcp_list_tools"] = "mcp_list_tools"
    error: Any = None


class McpCall(msgspec.Struct, frozen=True):
    """A call of a tool of an MCP server that the server made."""

    server_label: str
    name: str
    arguments: str
    type: Literal["mcp_call"] = "mcp_call"
    approval_request_id: str | None = None
    error: Any = None
    output: str | None = None
    status: Literal["in_progress", "completed", "incomplete", "calling", "failed"] | None = None


class McpApprovalRequest(msgspec.Struct, frozen=True):
    """A call that a person must agree to."""

    server_label: str
    name: str
    arguments: str
    type: Literal["mcp_approval_request"] = "mcp_approval_request"


class McpApprovalResponse(msgspec.Struct, frozen=True):
    """What the person said to that."""

    approval_request_id: str
    approve: bool
    type: Literal["mcp_approval_response"] = "mcp_approval_response"
    reason: str | None = None


HOSTED_KINDS: dict[str, tuple[type[msgspec.Struct], str]] = {
    "file_search_call": (FileSearchCall, "fs"),
    "mcp_list_tools": (McpListTools, "mcpl"),
    "mcp_call": (McpCall, "mcp"),
    "mcp_approval_request": (McpApprovalRequest, "mcpr"),
    "mcp_approval_response": (McpApprovalResponse, "mcpar"),
}
"""as `response_items.KINDS`"""
HOSTED_WITHOUT_STATUS = ("mcp_list_tools", "mcp_approval_request", "mcp_approval_response")

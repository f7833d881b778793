"""MCP servers on other machines: their tools listed and called, for requests that name them.

A small client of the Model Context Protocol over streamable HTTP, and nothing else of it: no
process is ever started, and every connection is one that egress allows.
"""

from __future__ import annotations

from linarite.mcp.client import McpClient
from linarite.mcp.server import CallResult, McpServer, McpTool
from linarite.mcp.session import McpSession

__all__ = ["CallResult", "McpClient", "McpServer", "McpSession", "McpTool"]

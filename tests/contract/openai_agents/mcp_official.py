"""A server of the protocol's own library: `mcp_official.py PORT`, run by that Python."""

# pyright: reportMissingImports=false, reportUnknownParameterType=false
# Its libraries are in an environment of their own.
from __future__ import annotations

import sys

from mcp.server import MCPServer

server = MCPServer("calc", log_level="ERROR")


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool()
def divide(a: int, b: int) -> float:
    """Divides two numbers."""
    return a / b


if __name__ == "__main__":
    server.run("streamable-http", port=int(sys.argv[1]))

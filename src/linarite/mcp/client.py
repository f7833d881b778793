"""The client: sessions with servers, and what is tidied up after them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from linarite.domain.errors import InvalidRequest
from linarite.domain.target import host_of
from linarite.mcp.session import McpSession

if TYPE_CHECKING:
    from linarite.domain.dial import Dialer
    from linarite.mcp.options import Mcp
    from linarite.mcp.server import McpServer


class McpClient:
    """Talks to the MCP servers that requests name."""

    def __init__(self, dialer: Dialer, options: Mcp) -> None:
        """Nothing is connected until somebody asks."""
        self._dialer = dialer
        self._options = options
        self._private = frozenset(host_of(host) for host in options.private_hosts)
        self._leaving: set[asyncio.Task[None]] = set()

    def session(self, server: McpServer, account_id: str) -> McpSession:
        """A session with a server, for one request of an account; opened at its first use.

        Raises InvalidRequest for a server without TLS that settings don't name.
        """
        target = server.target
        if not target.tls and target.host not in self._private:
            raise InvalidRequest(
                f"Invalid 'server_url' of MCP server '{server.label}': it must begin with "
                "https://. Without TLS only hosts are spoken to that the setting "
                f"mcp.private_hosts names, and '{target.host}' is none of them.",
                param="tools",
                code="invalid_value",
            )
        return McpSession(server, self._dialer, self._options, account_id)

    def leave(self, session: McpSession) -> None:
        """End a session; whoever had it need not wait for that."""
        task = asyncio.create_task(session.close(), name="mcp session ends")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def stop(self) -> None:
        """Wait until sessions have ended, which takes a moment at most."""
        await asyncio.gather(*self._leaving, return_exceptions=True)

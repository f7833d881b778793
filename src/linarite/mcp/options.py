"""What settings say about MCP servers that requests name."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Mcp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far MCP servers are trusted. Which may be reached at all: `egress.mcp.allowed_hosts`."""

    private_hosts: Annotated[
        list[str],
        Meta(
            description="Hosts of MCP servers that may have private addresses, and be spoken to "
            "without TLS: whoever may ask for responses uses their tools. Others go under "
            "egress.mcp.allowed_hosts."
        ),
    ] = []
    list_s: Annotated[
        float, Meta(description="Seconds in which a server must have listed its tools.", gt=0)
    ] = 20.0
    call_s: Annotated[
        float, Meta(description="Seconds in which a tool must have answered.", gt=0)
    ] = 60.0
    answer_bytes_max: Annotated[
        int,
        Meta(description="Bytes that one answer of a server may have, with its events.", ge=1024),
    ] = 1024 * 1024
    tools_max: Annotated[
        int, Meta(description="Tools that one server may list; with more it is refused.", ge=1)
    ] = 256

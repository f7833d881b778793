"""`linarite audit anchor`: where the log stands, to be kept where nobody can change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import typer

from linarite.cli.arm.naming import subscription_path
from linarite.cli.audit.list import VERSION

if TYPE_CHECKING:
    from linarite.cli.arm.server import Server

PATH = "providers/Linarite.Operations/auditAnchor"


async def print_anchor(server: Server) -> None:
    """Print the end of the audit log, signed now, as a line to be kept elsewhere.

    `linarite audit verify --anchor` proves by it that the log still holds all of that.
    """
    reply = await server.send("GET", f"{await subscription_path(server)}/{PATH}", version=VERSION)
    typer.echo(msgspec.json.encode(reply.body).decode())

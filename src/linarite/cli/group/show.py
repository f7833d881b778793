"""`linarite group show` and `linarite group exists`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from linarite.cli.arm.naming import group_path
from linarite.cli.arm.printed import print_one
from linarite.cli.arm.refusals import NOT_FOUND, ServerRefused
from linarite.cli.arm.server import RESOURCES_VERSION
from linarite.cli.group.columns import row

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.group.flags import NamedFlags


async def show(server: Server, named: NamedFlags, shown: OutputFlags) -> None:
    """Show a resource group."""
    path = await group_path(server, named.required)
    reply = await server.send("GET", path, version=RESOURCES_VERSION)
    print_one(reply.body, row, shown.output)


async def exists(server: Server, named: NamedFlags) -> None:
    """Print `true` or `false`, as az does."""
    path = await group_path(server, named.required)
    try:
        await server.send("GET", path, version=RESOURCES_VERSION)
    except ServerRefused as refusal:
        if refusal.status != NOT_FOUND:
            raise
        typer.echo("false")
    else:
        typer.echo("true")

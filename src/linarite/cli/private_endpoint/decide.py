"""`linarite private-endpoint approve` and `reject`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.printed import print_one
from linarite.cli.arm.watching import finish
from linarite.cli.private_endpoint.connections import STATE, endpoint_of, row, the_one

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.private_endpoint.flags import NamedFlags


@dataclass(frozen=True, kw_only=True)
class DecisionFlags:
    """What is said with it."""

    description: Annotated[
        str | None, typer.Option(help="Why: whoever made the endpoint reads it.")
    ] = None


async def approve(
    server: Server, named: NamedFlags, asked: DecisionFlags, shown: OutputFlags
) -> None:
    """Let a pending private endpoint in. It listens when this command ends."""
    await _decide(server, named, asked, shown, "Approved")


async def reject(
    server: Server, named: NamedFlags, asked: DecisionFlags, shown: OutputFlags
) -> None:
    """Shut a private endpoint out, pending or approved: what is open through it is cut.

    It can't be approved again: whoever wants one makes a new endpoint.
    """
    await _decide(server, named, asked, shown, "Rejected")


async def _decide(
    server: Server, named: NamedFlags, asked: DecisionFlags, shown: OutputFlags, status: str
) -> None:
    connection = await the_one(server, named)
    said: dict[str, Any] = {"status": status}
    if asked.description is not None:
        said["description"] = asked.description
    path = str(connection["id"])
    reply = await server.send("PUT", path, body={"properties": {STATE: said}})
    await finish(server, reply, endpoint_of(connection))
    print_one(await server.get(path), row, shown.output)

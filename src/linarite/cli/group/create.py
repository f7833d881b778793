"""`linarite group create`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.changes import FirstTags, tags_of
from linarite.cli.arm.naming import first_location, group_path
from linarite.cli.arm.printed import print_one
from linarite.cli.arm.server import RESOURCES_VERSION
from linarite.cli.group.columns import row

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.group.flags import NamedFlags


@dataclass(frozen=True, kw_only=True)
class Create:
    """What the group shall be."""

    location: Annotated[
        str | None,
        typer.Option("--location", "-l", help="Region.", show_default="the server's first"),
    ] = None
    tags: FirstTags = None


async def create(server: Server, named: NamedFlags, asked: Create, shown: OutputFlags) -> None:
    """Make a resource group; one that is there gets the tags that are named."""
    body: dict[str, Any] = {"location": asked.location or await first_location(server)}
    if asked.tags is not None:
        body["tags"] = tags_of(asked.tags)
    path = await group_path(server, named.required)
    made = await server.send("PUT", path, version=RESOURCES_VERSION, body=body)
    print_one(made.body, row, shown.output)

"""`linarite group list`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.naming import subscription_path
from linarite.cli.arm.printed import print_many
from linarite.cli.arm.server import RESOURCES_VERSION
from linarite.cli.group.columns import row

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server


@dataclass(frozen=True, kw_only=True)
class ListFlags:
    """Which groups."""

    tag: Annotated[str | None, typer.Option(help="Only those with it: NAME or NAME=VALUE.")] = None

    def fits(self, group: dict[str, Any]) -> bool:
        """Whether a group has the tag."""
        if self.tag is None:
            return True
        name, equals, value = self.tag.partition("=")
        tags: dict[str, str] = group.get("tags") or {}
        return name in tags and (not equals or tags[name] == value)


async def list_groups(server: Server, asked: ListFlags, shown: OutputFlags) -> None:
    """List the resource groups."""
    subscription = await subscription_path(server)
    groups = await server.every(f"{subscription}/resourcegroups", version=RESOURCES_VERSION)
    print_many(
        [group for group in groups if asked.fits(group)],
        row,
        shown.output,
        none="No such resource group. Make one: linarite group create NAME",
    )

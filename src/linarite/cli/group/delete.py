"""`linarite group delete`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from linarite.cli.arm.naming import group_path
from linarite.cli.arm.printed import say
from linarite.cli.arm.server import RESOURCES_VERSION
from linarite.cli.arm.watching import finish

if TYPE_CHECKING:
    from linarite.cli.arm.server import Server
    from linarite.cli.group.flags import NamedFlags


@dataclass(frozen=True, kw_only=True)
class DeleteFlags:
    """How it is deleted."""

    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Taken for az's sake; there is nothing to wait for.")
    ] = False


async def delete(server: Server, named: NamedFlags, asked: DeleteFlags) -> None:
    """Delete a resource group with all it holds. Its accounts can be recovered for 48 hours."""
    name = named.required
    if not asked.yes:
        confirm(name)
    path = await group_path(server, name)
    await finish(server, await server.send("DELETE", path, version=RESOURCES_VERSION), name)
    say(f"{name} is deleted. Its accounts can be recovered for 48 hours: linarite account recover")


def confirm(name: str) -> None:
    """Ask the person at the terminal. Raises Abort, and BadParameter where there is none."""
    if not sys.stdin.isatty():
        raise typer.BadParameter(
            f"Say --yes to delete {name} with all it holds: nobody can be asked here.",
            param_hint="--yes",
        )
    typer.confirm(f"Delete {name} with all it holds?", abort=True, err=True)

"""`linarite usage list`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.naming import first_location, subscription_path
from linarite.cli.arm.printed import print_many

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server


@dataclass(frozen=True, kw_only=True)
class UsageFlags:
    """Of what."""

    location: Annotated[
        str | None,
        typer.Option("--location", "-l", help="Region.", show_default="the server's first"),
    ] = None
    used: Annotated[
        bool, typer.Option("--used", help="Leave out those of which nothing is taken.")
    ] = False


async def list_usage(server: Server, asked: UsageFlags, shown: OutputFlags) -> None:
    """List a region's quotas, and what is taken of each."""
    location = asked.location or await first_location(server)
    subscription = await subscription_path(server)
    found = await server.every(
        f"{subscription}/providers/Microsoft.CognitiveServices/locations/{location}/usages"
    )
    if asked.used:
        found = [each for each in found if each["currentValue"]]
    print_many(found, usage_row, shown.output)


def usage_row(usage: dict[str, Any]) -> dict[str, object]:
    """A quota's line in a table."""
    used, limit = int(usage["currentValue"]), int(usage["limit"])
    return {"quota": usage["name"]["value"], "used": used, "limit": limit, "free": limit - used}

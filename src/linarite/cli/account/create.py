"""`linarite account create`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.account.columns import row
from linarite.cli.arm.changes import FirstTags, FirstValues, changed
from linarite.cli.arm.naming import first_location, group_path
from linarite.cli.arm.printed import print_one
from linarite.cli.arm.watching import finish
from linarite.domain.resource import ACCOUNT_TYPE

if TYPE_CHECKING:
    from linarite.cli.account.flags import NamedFlags
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server


@dataclass(frozen=True, kw_only=True)
class Create:
    """What the account shall be."""

    kind: Annotated[str, typer.Option(help="OpenAI or AIServices.")] = "OpenAI"
    sku: Annotated[str, typer.Option(help="The only one that accounts have.")] = "S0"
    location: Annotated[
        str | None,
        typer.Option("--location", "-l", help="Region.", show_default="the server's first"),
    ] = None
    custom_domain: Annotated[
        str | None,
        typer.Option(help="Sub-domain, first word of its endpoint.", show_default="its name"),
    ] = None
    tags: FirstTags = None
    set_: FirstValues = None
    yes: Annotated[bool, typer.Option("--yes", help="Taken for az's sake; nothing is asked.")] = (
        False
    )

    @property
    def resource(self) -> dict[str, Any]:
        """The body that asks for it, without its location."""
        properties = {"customSubDomainName": self.custom_domain} if self.custom_domain else {}
        body: dict[str, Any] = {
            "kind": self.kind,
            "sku": {"name": self.sku},
            "properties": properties,
        }
        return changed(body, self.tags, self.set_)


async def create(server: Server, named: NamedFlags, asked: Create, shown: OutputFlags) -> None:
    """Make an account: endpoint, keys and deployments of its own."""
    name, body = named.required, asked.resource
    body.setdefault("location", asked.location or await first_location(server))
    group = await group_path(server, named.resource_group)
    path = f"{group}/providers/{ACCOUNT_TYPE}/{name}"
    await finish(server, await server.send("PUT", path, body=body), name)
    print_one(await server.get(path), row, shown.output)

"""`linarite account update`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.account.columns import facts
from linarite.cli.arm.changes import OtherTags, OtherValues, changed
from linarite.cli.arm.naming import account_id
from linarite.cli.arm.printed import print_one
from linarite.cli.arm.watching import finish

if TYPE_CHECKING:
    from linarite.cli.account.flags import NamedFlags
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server


@dataclass(frozen=True, kw_only=True)
class Update:
    """What shall change; what is not typed stays."""

    custom_domain: Annotated[str | None, typer.Option(help="Sub-domain, set once.")] = None
    tags: OtherTags = None
    set_: OtherValues = None

    @property
    def patch(self) -> dict[str, Any]:
        """The body that asks for it. Raises BadParameter when nothing would change."""
        body: dict[str, Any] = {}
        if self.custom_domain:
            body["properties"] = {"customSubDomainName": self.custom_domain}
        body = changed(body, self.tags, self.set_)
        if not body:
            raise typer.BadParameter("Say what shall change: --tags, --custom-domain, --set.")
        return body


async def update(server: Server, named: NamedFlags, asked: Update, shown: OutputFlags) -> None:
    """Change an account."""
    patch = asked.patch
    account = await account_id(server, named.named, named.resource_group)
    reply = await server.send("PATCH", account, body=patch)
    await finish(server, reply, account.rpartition("/")[2])
    print_one(await server.get(account), facts, shown.output)

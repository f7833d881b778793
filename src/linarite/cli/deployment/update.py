"""`linarite deployment update`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.changes import OtherTags, OtherValues, changed
from linarite.cli.arm.completion import model_names
from linarite.cli.arm.naming import account_id
from linarite.cli.deployment.written import settle

if TYPE_CHECKING:
    from linarite.cli.arm.flags import AccountFlags, OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.deployment.flags import DeploymentFlags, WatchFlags


@dataclass(frozen=True, kw_only=True)
class Update:
    """What shall change; what is not typed stays."""

    model: Annotated[
        str | None,
        typer.Option("--model", "--model-name", help="Another model.", autocompletion=model_names),
    ] = None
    model_version: Annotated[str | None, typer.Option(help="Another version.")] = None
    sku: Annotated[
        str | None, typer.Option("--sku", "--sku-name", help="Another kind of deployment.")
    ] = None
    capacity: Annotated[
        int | None, typer.Option("--capacity", "--sku-capacity", help="Units of its quota.")
    ] = None
    tags: OtherTags = None
    set_: OtherValues = None

    @property
    def patch(self) -> dict[str, Any]:
        """The body that asks for it. Raises BadParameter when nothing would change."""
        # A version belongs to its model: with another model, the old one's makes no sense.
        model = {"name": self.model, "version": self.model_version} if self.model else {}
        if self.model_version:
            model["version"] = self.model_version
        sku = {"name": self.sku, "capacity": self.capacity}
        sku = {key: value for key, value in sku.items() if value is not None}
        body: dict[str, Any] = {}
        if model:
            body["properties"] = {"model": model}
        if sku:
            body["sku"] = sku
        body = changed(body, self.tags, self.set_)
        if not body:
            raise typer.BadParameter("Say what shall change: --capacity, --tags, --set, …")
        return body


async def update(
    server: Server,
    named: DeploymentFlags,
    asked: Update,
    within: AccountFlags,
    watch: WatchFlags,
    shown: OutputFlags,
) -> None:
    """Change a deployment; no request is dropped meanwhile."""
    patch = asked.patch
    name = named.name
    account = await account_id(server, within.account, within.resource_group)
    path = f"{account}/deployments/{name}"
    reply = await server.send("PATCH", path, body=patch)
    await settle(server, path, reply, watch=watch.watch, output=shown.output)

"""`linarite deployment create`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from linarite.cli.arm.changes import FirstTags, FirstValues, changed
from linarite.cli.arm.completion import model_names
from linarite.cli.arm.naming import account_id
from linarite.cli.deployment.written import settle

if TYPE_CHECKING:
    from linarite.cli.arm.flags import AccountFlags, OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.deployment.flags import DeploymentFlags, WatchFlags


@dataclass(frozen=True, kw_only=True)
class Create:
    """What the deployment shall be."""

    model: Annotated[
        str,
        typer.Option(
            "--model",
            "--model-name",
            help="Model to serve.",
            show_default=False,
            autocompletion=model_names,
        ),
    ]
    model_version: Annotated[
        str | None, typer.Option(help="Its version.", show_default="the model's default")
    ] = None
    model_format: Annotated[str, typer.Option(help="Its format, as Azure names it.")] = "OpenAI"
    sku: Annotated[str, typer.Option("--sku", "--sku-name", help="Kind of deployment.")] = (
        "Standard"
    )
    capacity: Annotated[
        int, typer.Option("--capacity", "--sku-capacity", help="Units of its quota.")
    ] = 1
    runtime: Annotated[
        Literal["llamacpp", "openvino"] | None,
        typer.Option(help="Engine that must run it.", show_default="the server decides"),
    ] = None
    tags: FirstTags = None
    set_: FirstValues = None

    @property
    def resource(self) -> dict[str, Any]:
        """The body that asks for it."""
        model = {"format": self.model_format, "name": self.model}
        if self.model_version:
            model["version"] = self.model_version
        body: dict[str, Any] = {
            "sku": {"name": self.sku, "capacity": self.capacity},
            "properties": {"model": model},
        }
        if self.runtime:
            body["properties"]["runtime"] = self.runtime
        return changed(body, self.tags, self.set_)


async def create(
    server: Server,
    named: DeploymentFlags,
    asked: Create,
    within: AccountFlags,
    watch: WatchFlags,
    shown: OutputFlags,
) -> None:
    """Serve a model under a name; a deployment of that name is replaced.

    It is provisioned in the background; --watch waits until it answers.
    """
    body = asked.resource
    name = named.name
    account = await account_id(server, within.account, within.resource_group)
    path = f"{account}/deployments/{name}"
    reply = await server.send("PUT", path, body=body)
    await settle(server, path, reply, watch=watch.watch, output=shown.output)

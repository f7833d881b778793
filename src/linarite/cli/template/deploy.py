"""`linarite template deploy`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.answers import part
from linarite.cli.arm.printed import print_one
from linarite.cli.arm.server import RESOURCES_VERSION
from linarite.cli.arm.watching import finish, operation_link, say_operation
from linarite.cli.template.place import path_of

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.template.file import TemplateFlags


@dataclass(frozen=True, kw_only=True)
class WaitFlags:
    """Whether to wait."""

    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Return when the template has been accepted.")
    ] = False


async def deploy(server: Server, asked: TemplateFlags, wait: WaitFlags, shown: OutputFlags) -> None:
    """Make everything that a template declares, and print its outputs.

    What is already as the template has it is left alone.
    """
    body = asked.body()
    path = await path_of(server, asked)
    reply = await server.send("PUT", path, version=RESOURCES_VERSION, body=body)
    link = operation_link(reply)
    if wait.no_wait:
        print_one(reply.body, facts, shown.output)
        if link is not None:
            say_operation(link)
        return
    await finish(server, reply, asked.deployment_name)
    done = await server.send("GET", path, version=RESOURCES_VERSION)
    print_one(done.body, facts, shown.output)


def facts(deployment: dict[str, Any]) -> dict[str, object]:
    """State and outputs."""
    outputs = part(deployment, "properties", "outputs")
    resources: list[object] = deployment["properties"].get("outputResources") or []
    return {
        "name": deployment["name"],
        "state": deployment["properties"]["provisioningState"],
        "resources": len(resources) or None,
        **{f"output {name}": part(outputs, name).get("value") for name in outputs},
    }

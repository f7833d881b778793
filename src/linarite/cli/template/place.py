"""Where a deployment of a template lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.cli.arm.naming import group_path, subscription_path
from linarite.cli.arm.server import RESOURCES_VERSION

if TYPE_CHECKING:
    from linarite.cli.arm.server import Server
    from linarite.cli.template.file import TemplateFlags

DEPLOYMENTS = "providers/Microsoft.Resources/deployments"


async def asked_for(server: Server, asked: TemplateFlags, action: str) -> dict[str, Any]:
    """The answer to an action on the template; nothing is changed by those there are."""
    body = asked.body()
    path = f"{await path_of(server, asked)}/{action}"
    reply = await server.send("POST", path, version=RESOURCES_VERSION, body=body)
    return reply.body


async def path_of(server: Server, asked: TemplateFlags) -> str:
    """In the resource group that was named or is usual; with a location in the subscription."""
    if asked.location:
        scope = await subscription_path(server)
    else:
        scope = await group_path(server, asked.resource_group)
    return f"{scope}/{DEPLOYMENTS}/{asked.deployment_name}"

"""Where a deployment of a template lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.cli.arm.naming import group_path, subscription_path

if TYPE_CHECKING:
    from linarite.cli.arm.server import Server
    from linarite.cli.template.file import TemplateFlags

DEPLOYMENTS = "providers/Microsoft.Resources/deployments"


async def path_of(server: Server, asked: TemplateFlags) -> str:
    """In the resource group that was named or is usual; with a location in the subscription."""
    if asked.location:
        scope = await subscription_path(server)
    else:
        scope = await group_path(server, asked.resource_group)
    return f"{scope}/{DEPLOYMENTS}/{asked.deployment_name}"

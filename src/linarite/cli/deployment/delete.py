"""`linarite deployment delete`."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from linarite.cli.arm.naming import account_id
from linarite.cli.arm.printed import say
from linarite.cli.arm.watching import finish

if TYPE_CHECKING:
    from linarite.cli.arm.flags import AccountFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.deployment.flags import DeploymentFlags


async def delete(server: Server, asked: DeploymentFlags, named: AccountFlags) -> None:
    """Stop serving a deployment. Requests that have begun are finished; its quota is free."""
    name = asked.name
    account = await account_id(server, named.account, named.resource_group)
    reply = await server.send("DELETE", f"{account}/deployments/{name}")
    await finish(server, reply, name)
    there = reply.status != HTTPStatus.NO_CONTENT
    say(f"{name} is deleted." if there else f"There was no deployment {name}.")

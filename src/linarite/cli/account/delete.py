"""`linarite account delete`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.cli.arm.naming import account_id
from linarite.cli.arm.printed import say
from linarite.cli.arm.watching import finish

if TYPE_CHECKING:
    from linarite.cli.account.flags import NamedFlags
    from linarite.cli.arm.server import Server


async def delete(server: Server, asked: NamedFlags) -> None:
    """Delete an account with its deployments. It can be recovered for 48 hours."""
    name = asked.required
    account = await account_id(server, name, asked.resource_group)
    await finish(server, await server.send("DELETE", account), name)
    say(f"{name} is deleted. For 48 hours it comes back by: linarite account recover {name}")

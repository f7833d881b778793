"""What is told after a deployment has been written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.cli.arm.printed import print_one
from linarite.cli.arm.watching import finish, operation_link, say_operation
from linarite.cli.deployment.columns import row

if TYPE_CHECKING:
    from linarite.cli.arm.flags import Output
    from linarite.cli.arm.server import Reply, Server


async def settle(server: Server, path: str, reply: Reply, *, watch: bool, output: Output) -> None:
    """Wait for the operation behind a write, or say how to; then print the deployment."""
    link = operation_link(reply)
    if watch:
        await finish(server, reply, path.rpartition("/")[2])
    deployment = await server.get(path)
    print_one(deployment, row, output)
    if link is not None and not watch:
        say_operation(link)

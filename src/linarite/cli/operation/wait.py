"""`linarite operation wait`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.cli.arm.printed import print_one
from linarite.cli.arm.watching import follow
from linarite.cli.operation.show import facts, link_of

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.operation.show import OperationFlags


async def wait(server: Server, asked: OperationFlags, shown: OutputFlags) -> None:
    """Wait until an operation has ended. It fails as the operation does, with its reasons."""
    link = await link_of(server, asked.operation)
    print_one(await follow(server, link, "operation"), facts, shown.output)

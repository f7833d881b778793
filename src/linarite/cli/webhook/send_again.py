"""`linarite webhook send-again`: have a delivery made again that has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from linarite.cli.arm.naming import subscription_path
from linarite.cli.arm.printed import print_many
from linarite.cli.webhook.deliveries import PATH, VERSION, row

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server


@dataclass(frozen=True, kw_only=True)
class AgainFlags:
    """Which one."""

    delivery: Annotated[str, typer.Argument(help="Its id: msg_…")]


async def send_again(server: Server, asked: AgainFlags, shown: OutputFlags) -> None:
    """Begin anew with a delivery, as `linarite webhook deliveries` shows it."""
    scope = await subscription_path(server)
    path = f"{scope}/{PATH}/{asked.delivery}/sendAgain"
    reply = await server.send("POST", path, version=VERSION)
    print_many([reply.body], row, shown.output, none="")

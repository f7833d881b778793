"""`linarite netbed up`."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from linarite.cli.netbed.demo import demo
from linarite.cli.netbed.drawing import drawn

if TYPE_CHECKING:
    from types import FrameType

TRY = (
    ("as an application", "linarite netbed exec application -- python my_application.py"),
    ("as its owner", "linarite netbed exec server -- linarite account list"),
    (
        "close the public side",
        (
            "linarite netbed exec server -- "
            "linarite account update demo --set properties.publicNetworkAccess=Disabled"
        ),
    ),
    ("look again", "linarite netbed status"),
)


def up() -> None:
    """Make separate hosts with a server among them, and keep them until Ctrl-C.

    Clients' hosts in an application's subnet, in a partner's and on the public side, the server's
    host with an address in each, and a host with (simulated) models in each of three regions. The
    machine's own network is not touched.
    """
    console = Console()
    told = threading.Event()

    def tell(_signal: int, _frame: FrameType | None) -> None:
        told.set()

    before = {each: signal.signal(each, tell) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        with ExitStack() as stack:
            with console.status("making hosts and starting servers"):
                bed = stack.enter_context(demo())
                shown = drawn(bed)
            console.print(shown)
            for wish, command in (*TRY, ("stop", "Ctrl-C")):
                console.print(Text.assemble((f"{wish:<24}", "dim"), command), soft_wrap=True)
            told.wait()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)

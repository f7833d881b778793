"""`linarite netbed status`."""

from __future__ import annotations

from rich.console import Console

from linarite.cli.netbed.demo import require_beds, running_demo
from linarite.cli.netbed.drawing import drawn


def status() -> None:
    """Draw the demo as it is now: who is served, and who is refused with what."""
    require_beds()
    Console().print(drawn(running_demo()))

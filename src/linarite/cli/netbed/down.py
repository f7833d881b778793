"""`linarite netbed down`."""

from __future__ import annotations

import os
import signal
import time

import typer

from linarite.cli.netbed.demo import LOOK_S, STOP_S, require_beds, running_demo
from linarite.cli.netbed.namespaces import remove_stale
from linarite.domain.errors import SetupError


def down() -> None:
    """End the demo, and remove what killed ones left behind."""
    require_beds()
    remove_stale()
    record = running_demo().record
    os.kill(record.pid, signal.SIGTERM)
    deadline = time.monotonic() + 2 * STOP_S
    while record.owner_lives:
        if time.monotonic() > deadline:
            raise SetupError(f"The demo of process {record.pid} does not end; kill it, then again.")
        time.sleep(LOOK_S)
    remove_stale()
    typer.echo("The hosts are gone.")

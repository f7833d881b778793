"""The fake upstream itself: what the load and the machine cost without a gateway."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bench.fake_upstream import MODEL
from bench.load.target import Target
from bench.processes import start, until_listening
from bench.rows.process_row import ProcessRow
from bench.rows.row import free_port

if TYPE_CHECKING:
    from pathlib import Path

PATH = "/v1/chat/completions"


class FakeRow(ProcessRow):
    """Started first; it is the upstream of all other rows, and shares the load's cores."""

    def __init__(self) -> None:
        super().__init__("upstream itself")

    async def start(self, folder: Path, upstream_port: int, cores: set[int]) -> None:
        """Start it. `upstream_port` is its own; 0 picks one."""
        port = upstream_port or free_port()
        command = [sys.executable, "-m", "bench.fake_upstream", str(port)]
        self._started = start(command, folder / "fake.log", cores=cores)
        self._target = Target(port, PATH, MODEL)
        await until_listening(port, self._started, 20)

"""Linarite's server and client with nothing between them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bench.fake_upstream import MODEL
from bench.load.target import Target
from bench.processes import start, until_listening
from bench.rows.fake import PATH
from bench.rows.process_row import ProcessRow
from bench.rows.row import free_port

if TYPE_CHECKING:
    from pathlib import Path


class LinariteBareRow(ProcessRow):
    """What is left when nothing is governed."""

    def __init__(self) -> None:
        super().__init__("nothing but Linarite's proxy")

    async def start(self, folder: Path, upstream_port: int, cores: set[int]) -> None:
        """Start it. Raises Unavailable."""
        port = free_port()
        command = [sys.executable, "-m", "bench.bare_gateway", str(port), str(upstream_port)]
        self._started = start(command, folder / "bare.log", cores=cores)
        self._target = Target(port, PATH, MODEL)
        await until_listening(port, self._started, 20)

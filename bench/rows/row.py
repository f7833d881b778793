"""What a row of the gateway tables is."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from bench.load.target import Target
    from bench.processes import Started

KEY = "sk-bench-0123456789abcdef"


class Row(Protocol):
    """One server under measurement. `start` once, then `stop` once."""

    name: str
    """as the tables show it, with its version once it is started"""

    async def start(self, folder: Path, upstream_port: int, cores: set[int]) -> None:
        """Start it on the given cores, with its files in `folder`. Raises Unavailable."""
        ...

    @property
    def started(self) -> Started:
        """Its process."""
        ...

    @property
    def target(self) -> Target:
        """Where its load goes."""
        ...

    def stop(self) -> None:
        """End it; does nothing when it did not start."""
        ...


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

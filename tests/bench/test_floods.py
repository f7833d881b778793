"""The floods, small: others are served beside each, and memory stays bounded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bench.floods import SETTINGS, floods, measured
from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path


def test_others_are_served_beside_every_flood(tmp_path: Path) -> None:
    """One server for all of them; afterwards nothing is held any more."""
    bounded = SETTINGS.replace("[server]", "[server]\nbodies_bytes_max = 33554432")
    with stopped(start_server(tmp_path / "home", bounded + SIMULATED)) as server:
        for flood in floods(0.02):
            row = asyncio.run(measured(flood, server, 0.5))
            assert row.failed == 0, row
            assert row.answers > 0, row
            assert row.most_mib - row.idle_mib < 100, row

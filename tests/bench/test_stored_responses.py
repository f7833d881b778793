"""What keeping a response costs is measured on a real server, by the command that docs name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.stored_responses import CHAT, KEPT, UNKEPT, measure, shown

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


async def test_each_row_is_measured(tmp_path: Path) -> None:
    """Rates, CPU, and what is on disk of those that are kept."""
    measured = await measure(tmp_path, rounds=1, seconds=0.3, connections=4)
    assert list(measured) == [CHAT, UNKEPT, KEPT]
    for one in measured.values():
        assert one.of("rate")[0] > 0
        assert one.of("cpu_us")[0] > 0
    text = shown(measured, 4, 1)
    assert "response, store true" in text

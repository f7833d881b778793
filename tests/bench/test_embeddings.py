"""What vectors lose on the way is measured on real engines, by the command that docs name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.embeddings import INPUTS, measure, shown

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.anyio, pytest.mark.real_model]


@pytest.mark.usefixtures("model_home")
async def test_both_sides_are_measured(tmp_path: Path) -> None:
    """Each number of inputs, straight and through."""
    seen = await measure(tmp_path, rounds=1, inputs_each=16)
    assert list(seen) == list(INPUTS)
    for sides in seen.values():
        for side in sides:
            assert side.of("inputs_per_s")[0] > 0
    assert "### Embeddings: multilingual-e5-small" in shown(seen)

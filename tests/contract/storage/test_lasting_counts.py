"""What every store of lasting counts does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.domain.ledger import LastingCount

if TYPE_CHECKING:
    from linarite.domain.ledger import LastingCounts

pytestmark = pytest.mark.anyio


async def test_the_last_count_of_a_period_is_kept(lasting_counts: LastingCounts) -> None:
    """Each key and period by itself."""
    await lasting_counts.write([LastingCount("a", 1, 5, 100), LastingCount("a", 2, 6, 200)], now=0)
    await lasting_counts.write([LastingCount("a", 1, 9, 100), LastingCount("b", 1, 7, 100)], now=0)
    found = sorted((each.key, each.period, each.amount) for each in await lasting_counts.read())
    assert found == [("a", 1, 9), ("a", 2, 6), ("b", 1, 7)]


async def test_what_is_over_is_forgotten(lasting_counts: LastingCounts) -> None:
    """With the next write."""
    await lasting_counts.write(
        [LastingCount("a", 1, 5, 100), LastingCount("a", 2, 2**40, 200)], now=0
    )
    await lasting_counts.write([], now=100)
    assert await lasting_counts.read() == [LastingCount("a", 2, 2**40, 200)]

"""What a capacity is worth in requests, over either window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.domain.ledger import SLIDING_S, Window
from linarite.domain.rate_limits import rate_limits


@pytest.mark.parametrize(
    ("model", "capacity", "requests", "window"),
    [
        ("gpt-4o", 100, 10, Window.SECOND),
        ("gpt-4o", 10, 1, Window.SECOND),
        ("gpt-4o", 19, 1, Window.SECOND),
        ("gpt-4o", 9, 9, Window.TEN_SECONDS),
        ("o3-mini", 1, 1, Window.TEN_SECONDS),
    ],
)
def test_requests_of_a_second(model: str, capacity: int, requests: int, window: Window) -> None:
    """Whole ones, where there is one for each second; else those of ten."""
    limits = rate_limits(model, capacity, Window.SECOND)
    assert (limits.requests, limits.requests_window) == (requests, window)


@given(st.sampled_from(["gpt-4o", "gpt-5", "o1"]), st.integers(10, 10_000))
def test_seconds_never_have_more_than_their_minute(model: str, capacity: int) -> None:
    """However capacity divides; and not less than half of it."""
    limits = rate_limits(model, capacity, Window.SECOND)
    if limits.requests_window is Window.SECOND:
        a_minute = limits.requests * 60 / SLIDING_S[limits.requests_window]
        asked = rate_limits(model, capacity * 1000).requests * 6 / 1000
        assert asked / 2 < a_minute <= asked + 0.01

"""How long to wait before trying again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.engines.upstream.retry import back_off_s, retry_after_s, spread_s

NOW = 1_445_412_480.0
"""Wed, 21 Oct 2015 07:28:00 GMT"""


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "7", "retry-after-ms": "6812"}, 6.812),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:27:00 GMT"}, 0.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Wed, 99 Oct 2015 07:28:30 GMT"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], expected: float | None) -> None:
    """Milliseconds before seconds before dates; what is no wait is none."""
    assert retry_after_s(headers, NOW) == expected


@given(st.text(max_size=40))
def test_any_retry_after_is_read(text: str) -> None:
    """Whatever an upstream sends gives a wait or none, never an error."""
    wait_s = retry_after_s({"retry-after": text}, NOW)
    assert wait_s is None or wait_s >= 0


@given(st.integers(0, 60), st.floats(0, 1))
def test_back_off_grows_and_ends(attempt: int, luck: float) -> None:
    """Waits double up to eight seconds, spread over the upper half."""
    longest = min(8.0, 0.5 * 2**attempt)
    assert longest / 2 <= back_off_s(attempt, luck) <= longest


@given(st.floats(0, 3600), st.floats(0, 1))
def test_asked_waits_are_never_cut_short(wait_s: float, luck: float) -> None:
    """A wait that was asked for is kept, with a little on top so that not all come at once."""
    assert wait_s < spread_s(wait_s, luck) <= wait_s * 1.1 + 0.03

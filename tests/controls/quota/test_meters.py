"""What meters admit, against the definition written out."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.controls.quota.meters import FixedWindow, LeakyBucket, SlidingWindow

LIMIT = 100
WINDOW_S = 60.0

Step = tuple[float, int, float]
"""seconds since the last one, tokens estimated, the share of them that is used in the end"""

steps = st.lists(
    st.tuples(
        st.floats(min_value=0, max_value=50),
        st.integers(1, 60),
        st.floats(min_value=0, max_value=1),
    ),
    max_size=60,
)


@given(steps)
def test_no_window_holds_more_than_the_limit(asked: list[Step]) -> None:
    """Whatever comes when, and whatever it is corrected to: any sixty seconds stay within it."""
    window = SlidingWindow(LIMIT)
    now, admitted = 1000.0, list[tuple[float, int]]()
    for pause, amount, share in asked:
        now += pause
        if window.wait(amount, now):
            continue
        mark = window.take(amount, now)
        used = math.floor(amount * share)
        window.correct(mark, used, now)
        admitted.append((now, used))
    for begin, _ in admitted:
        within = (used for at, used in admitted if begin <= at < begin + WINDOW_S)
        assert sum(within) <= LIMIT


@given(steps, st.integers(1, LIMIT))
def test_who_waits_as_told_is_let_in(asked: list[Step], amount: int) -> None:
    """The wait is enough when nobody else comes; and it is not told for nothing."""
    window = SlidingWindow(LIMIT)
    now = 1000.0
    for pause, each, _ in asked:
        now += pause
        if not window.wait(each, now):
            window.take(each, now)
    wait = window.wait(amount, now)
    assert 0 <= wait <= WINDOW_S
    if wait > 1e-6:
        assert window.wait(amount, now + wait - 1e-6) > 0
    assert window.wait(amount, now + wait + 1e-6) == 0


def test_what_was_not_used_is_there_again_at_once() -> None:
    """And what was used beyond the estimate is missing; even long after the estimate's time."""
    window = SlidingWindow(LIMIT)
    mark = window.take(90, 0)
    window.correct(mark, 10, 30)
    assert window.left(30) == 90
    late = window.take(50, 30)
    window.correct(late, 80, 200)
    assert window.left(200) == 70
    window.correct(window.take(50, 300), 20, 500)
    assert window.left(500) == LIMIT


def test_what_never_fits_is_never_let_in() -> None:
    """More than the limit in one request."""
    assert SlidingWindow(LIMIT).wait(LIMIT + 1, 0) == math.inf


def test_a_changed_limit_counts_what_was_before() -> None:
    """Scaled down in the middle of a minute, there is nothing for the rest of it."""
    window = SlidingWindow(LIMIT)
    window.take(60, 0)
    window.limit = 50
    assert window.left(1) == 0
    assert window.wait(1, 1) > 0
    assert window.left(62) == 50


def test_a_fixed_minute_corrects_nothing_and_begins_anew() -> None:
    """As Azure counts: the estimate stays, and the boundary forgives all."""
    window = FixedWindow(LIMIT)
    mark = window.take(99, 61)
    window.correct(mark, 1, 62)
    assert window.left(62) == 1
    assert window.wait(50, 62) == 0  # something is left
    window.take(50, 62)
    assert window.wait(1, 90) == pytest.approx(30)
    assert window.wait(1, 120) == 0
    assert window.left(120) == LIMIT


def test_a_bucket_drains_evenly() -> None:
    """It takes what comes while it is not over its rim, and tells the wait to the rim."""
    bucket = LeakyBucket(60)  # a token a second
    bucket.take(50, 0)
    bucket.take(50, 0)
    assert bucket.left(0) == -40
    assert bucket.wait(1, 0) == pytest.approx(40)
    assert bucket.wait(1, 40) == pytest.approx(0)
    mark = bucket.take(30, 40)
    bucket.correct(mark, 10, 40)
    assert bucket.left(40) == -10
    assert bucket.left(1000) == 60


def test_one_request_can_not_close_a_bucket_for_long() -> None:
    """Whatever it asks for: nobody has made that much yet. What it really took counts."""
    bucket = LeakyBucket(60)
    bucket.take(60, 0)
    mark = bucket.take(2**31, 0)
    assert bucket.wait(1, 0) == pytest.approx(60)
    bucket.correct(mark, 90, 0)
    assert bucket.wait(1, 0) == pytest.approx(90)


@given(steps)
def test_a_bucket_never_admits_over_its_rim(asked: list[Step]) -> None:
    """At most one request's worth over what has drained."""
    bucket = LeakyBucket(LIMIT)
    now, began, total = 0.0, 0.0, 0
    for pause, amount, _ in asked:
        now += pause
        if not bucket.wait(amount, now):
            bucket.take(amount, now)
            total += amount
            assert total <= LIMIT + amount + (now - began) * LIMIT / WINDOW_S + 1e-6

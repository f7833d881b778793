"""From grains to series: no request is counted twice or left out, whatever is asked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.domain.azure_metrics.catalogue import METRICS
from linarite.domain.azure_metrics.filters import read_filter
from linarite.domain.azure_metrics.grains import Grain, Series, Spread, Tally
from linarite.domain.azure_metrics.question import Window, aggregated, grains_in, time_series
from linarite.storage.memory.metrics import MemoryMetricStore

HOUR = 1_767_225_600


def grain(minute: int, requests: int, **series: Any) -> Grain:  # noqa: ANN401 - fields
    """Requests of a minute after HOUR."""
    fields: dict[str, Any] = {
        "account_key": "/a",
        "deployment": "chat",
        "operation": "Chat",
        "status": 200,
    }
    return Grain(HOUR + 60 * minute, Series(**(fields | series)), Tally(requests=requests))


REQUESTS = METRICS["azureopenairequests"]


@given(
    minutes=st.lists(st.integers(0, 3000), min_size=1, max_size=30),
    since=st.integers(0, 2000),
    length=st.integers(1, 2500),
    step_s=st.sampled_from([60, 300, 900, 3600, 6 * 3600, 86_400]),
)
@pytest.mark.anyio
async def test_every_request_is_in_its_step(
    minutes: list[int], since: int, length: int, step_s: int
) -> None:
    """Hours and minutes that are read together cover the time once."""
    store = MemoryMetricStore()
    await store.add([grain(minute, 1) for minute in minutes])
    window = Window(HOUR + since * 60, HOUR + (since + length) * 60, step_s)
    found = time_series(REQUESTS, await grains_in(store, ["/a"], window), window)
    points = found[0].points if found else {}
    expected: dict[int, int] = {}
    for minute in minutes:
        if since <= minute < since + length:
            step = (minute - since) * 60 // step_s
            expected[step] = expected.get(step, 0) + 1
    assert {step: point.count for step, point in points.items()} == expected
    assert all(0 <= step < window.steps for step in points)


def test_series_are_split_and_chosen() -> None:
    """By the dimensions that are named, as far as they are wanted."""
    grains = [grain(0, 1), grain(0, 2, status=429), grain(1, 4, status=503, deployment="other")]
    window = Window(HOUR, HOUR + 120, 60)
    wanted = read_filter("StatusCode ne '503'")
    split = time_series(REQUESTS, grains, window, wanted=wanted, split_by=["statuscode"])
    assert {each.values: each.whole().total for each in split} == {("200",): 1, ("429",): 2}
    (whole,) = time_series(REQUESTS, grains, window)
    assert {step: point.total for step, point in whole.points.items()} == {0: 3, 1: 4}


def test_rates_are_weighted_by_requests() -> None:
    """Nine good calls and a failed one are 90 percent, in one series or in two."""
    window = Window(HOUR, HOUR + 60, 60)
    grains = [grain(0, 9), grain(0, 1, status=500)]
    (found,) = time_series(METRICS["azureopenaiavailabilityrate"], grains, window)
    spread = found.whole()
    assert aggregated(spread, "average", empty=None) == 90
    assert (spread.least, spread.most) == (0, 100)


def test_nothing_is_unknown_or_zero() -> None:
    """As the metric has it."""
    assert aggregated(None, "average", empty=None) is None
    assert aggregated(Spread(), "total", empty=0.0) == 0


def test_every_metric_has_its_words() -> None:
    """Names are told without case apart, every dimension and aggregation is one there is."""
    for key, metric in METRICS.items():
        assert key == metric.name.lower()
        assert metric.title
        assert metric.description.endswith(".")
        assert metric.unit in {"Count", "MilliSeconds", "Percent"}
        assert set(metric.aggregations) <= {"Total", "Average", "Minimum", "Maximum"}
        value = metric.value(Series(account_key="/a"), Tally())
        assert value is None

"""What every store of metrics does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from linarite.domain.azure_metrics.grains import (
    HOUR_S,
    MINUTE_S,
    Grain,
    GrainQuery,
    Series,
    Spread,
    Tally,
)

if TYPE_CHECKING:
    from linarite.domain.azure_metrics.grains import MetricStore

pytestmark = pytest.mark.anyio

HOUR = 1_767_225_600
"""a whole hour"""
CHAT = Series(account_key="/a", deployment="chat", model="gpt", status=200)
OTHER = Series(account_key="/b", deployment="chat", model="gpt", status=200)


def grain(minute: int, requests: int = 1, series: Series = CHAT, to_response: float = 5) -> Grain:
    """Some requests of a minute after HOUR."""
    spread = Spread(requests, to_response * requests, to_response, to_response)
    tally = Tally(requests=requests, prompt_tokens=7 * requests, to_response=spread)
    return Grain(HOUR + minute * MINUTE_S, series, tally)


async def counted(
    store: MetricStore,
    since: int = 0,
    until: int = 1000,
    *,
    account: str = "/a",
    span_s: int = MINUTE_S,
) -> list[tuple[int, int]]:
    """Minutes after HOUR with their requests, as a query finds them."""
    query = GrainQuery(account, HOUR + since * 60, HOUR + until * 60, span_s)
    return [((each.at_s - HOUR) // 60, each.tally.requests) for each in await store.read(query)]


async def test_what_is_added_is_added_up(metric_store: MetricStore) -> None:
    """Counts and spreads of a minute grow, whether they come at once or later."""
    await metric_store.add([grain(1, 2, to_response=5), grain(1, 1, to_response=8)])
    await metric_store.add([grain(1, 1, to_response=2)])
    (found,) = await metric_store.read(GrainQuery("/a", HOUR, HOUR + 600))
    assert found.series == CHAT
    assert (found.tally.requests, found.tally.prompt_tokens) == (4, 28)
    assert found.tally.to_response == Spread(4, 20.0, 2.0, 8.0)
    assert found.tally.utilization == Spread()


async def test_hours_are_sums_of_minutes(metric_store: MetricStore) -> None:
    """Each minute belongs to the hour in which it begins."""
    await metric_store.add([grain(0), grain(59, 2), grain(60, 4), grain(61, 8)])
    assert await counted(metric_store, span_s=HOUR_S) == [(0, 3), (60, 12)]
    assert await counted(metric_store) == [(0, 1), (59, 2), (60, 4), (61, 8)]


async def test_a_question_is_about_one_account_and_time(metric_store: MetricStore) -> None:
    """The first moment belongs to it, the last does not."""
    await metric_store.add([grain(n) for n in range(5)] + [grain(2, 9, OTHER)])
    assert await counted(metric_store, 1, 4) == [(1, 1), (2, 1), (3, 1)]
    assert await counted(metric_store, account="/b") == [(2, 9)]
    assert await counted(metric_store, account="/c") == []


async def test_writers_and_readers_at_once(metric_store: MetricStore) -> None:
    """Nothing is lost when many add at the same time, and readers see whole additions."""
    reads: list[list[tuple[int, int]]] = []

    async def look() -> None:
        reads.extend([await counted(metric_store) for _ in range(10)])

    await asyncio.gather(look(), *(metric_store.add([grain(1), grain(2)]) for _ in range(20)))
    assert await counted(metric_store) == [(1, 20), (2, 20)]
    assert all(len({requests for _, requests in read}) <= 1 for read in reads)


async def test_what_is_old_goes(metric_store: MetricStore) -> None:
    """The fixture keeps two hours and ninety minutes: whichever is reached first."""
    await metric_store.add([grain(n) for n in range(0, 240, 2)])
    gone = await metric_store.tidy(HOUR + 240 * 60)
    kept = await counted(metric_store)
    assert kept[0][0] == 120
    assert len(kept) == 60
    assert await counted(metric_store, span_s=HOUR_S) == [(120, 30), (180, 30)]
    assert gone == 60 + 2


async def test_too_many_go(metric_store: MetricStore) -> None:
    """The oldest minutes go; hours stay as long as their age allows."""
    await metric_store.add([grain(n) for n in range(100)])
    assert await metric_store.tidy(HOUR + 100 * 60) == 10
    assert (await counted(metric_store))[0][0] == 10
    assert await counted(metric_store, span_s=HOUR_S) == [(0, 60), (60, 40)]
    await metric_store.add([grain(100)])
    assert (await counted(metric_store))[-1] == (100, 1)

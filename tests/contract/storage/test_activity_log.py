"""What every activity log does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.domain.activity import ActivityEvent, ActivityQuery

if TYPE_CHECKING:
    from linarite.domain.activity import ActivityLog

pytestmark = pytest.mark.anyio


def event(number: int, resource_id: str = "/subscriptions/S/resourceGroups/g") -> ActivityEvent:
    """An event at second `number`."""
    return ActivityEvent(
        at=f"2026-01-01T00:00:{number:02}+00:00",
        subscription="S",
        resource_id=resource_id,
        correlation_id=f"Corr-{number}",
        body={"number": number},
    )


async def numbers(log: ActivityLog, query: ActivityQuery) -> list[int]:
    """Which events a query finds, in its order."""
    return [each.body["number"] for each in await log.read(query)]


async def test_events_come_back_newest_first(activity_log: ActivityLog) -> None:
    """In pages that go on before the last one seen."""
    await activity_log.add([event(1), event(2)])
    await activity_log.add([event(3)])
    first = await activity_log.read(ActivityQuery(subscription="s", limit=2))
    assert [each.body["number"] for each in first] == [3, 2]
    rest = ActivityQuery(subscription="s", before_seq=first[-1].seq)
    assert await numbers(activity_log, rest) == [1]
    assert await numbers(activity_log, ActivityQuery(subscription="other")) == []


async def test_queries_narrow(activity_log: ActivityLog) -> None:
    """By time, both ends included; by resource and what is below it; by correlation."""
    group = "/subscriptions/S/resourceGroups/g"
    below, beside = f"{group}/providers/N/t/one", f"{group}2"
    await activity_log.add([event(1), event(2, below), event(3, beside)])
    for query, found in (
        (ActivityQuery(subscription="S", since="2026-01-01T00:00:02+00:00"), [3, 2]),
        (ActivityQuery(subscription="S", until="2026-01-01T00:00:02+00:00"), [2, 1]),
        (ActivityQuery(subscription="S", under=group.upper()), [2, 1]),
        (ActivityQuery(subscription="S", under=below), [2]),
        (ActivityQuery(subscription="S", correlation_id="corr-3"), [3]),
    ):
        assert await numbers(activity_log, query) == found


async def test_old_events_are_forgotten(activity_log: ActivityLog) -> None:
    """What happened before a time goes; places are never given twice."""
    await activity_log.add([event(1), event(2)])
    last = (await activity_log.read(ActivityQuery(subscription="S")))[0].seq
    assert await activity_log.forget("2026-01-01T00:00:03+00:00") == 2
    await activity_log.add([event(4)])
    kept = await activity_log.read(ActivityQuery(subscription="S"))
    assert [each.body["number"] for each in kept] == [4]
    assert kept[0].seq > last

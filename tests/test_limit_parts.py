"""Limits that settings declare, and telling when they run out."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from linarite.controls.quota import MemoryLedger
from linarite.controls.usage_limits import LimitDesk
from linarite.controls.usage_limits.options import UsageLimitSettings
from linarite.domain.activity import ActivityQuery
from linarite.domain.errors import SetupError
from linarite.domain.ledger import Charge
from linarite.domain.usage_limits import USAGE_LIMIT_TYPE, Kind, Subject
from linarite.limit_parts import LimitParts, declare_limits
from linarite.storage.memory.activity import MemoryActivityLog
from linarite.storage.memory.resources import MemoryResourceStore
from tests.controls.usage_limits.builders import ACCOUNT, limit
from tests.storage.builders import make_resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.activity import ActivityEvent
    from linarite.domain.ledger import Ledger
    from linarite.domain.lending import Pool
    from linarite.domain.notice import Notice

pytestmark = pytest.mark.anyio

PEOPLE = UsageLimitSettings(name="people", kind=Kind.PRINCIPAL, tokens_per_day=10, warn_at=[90, 80])


async def names(store: MemoryResourceStore) -> list[str]:
    """Of the limits that there are."""
    return [each.name for each in await store.list_under("", USAGE_LIMIT_TYPE)]


async def test_settings_declare_limits_and_take_them_away() -> None:
    """Their own alone; what they say replaces what they said before."""
    store = MemoryResourceStore()
    await store.put(make_resource(f"{ACCOUNT}/providers/{USAGE_LIMIT_TYPE}/mine", USAGE_LIMIT_TYPE))
    everybody = UsageLimitSettings(
        name="all", kind=Kind.SUBSCRIPTION, set_on="subscription", cost_per_month=5.5
    )
    await declare_limits(store, [PEOPLE, everybody], ACCOUNT)
    assert sorted(await names(store)) == ["all", "mine", "people"]
    people = await store.get(f"{ACCOUNT}/providers/{USAGE_LIMIT_TYPE}/people")
    assert people is not None
    assert people.properties["warnAt"] == [80, 90]
    again = UsageLimitSettings(name="people", kind=Kind.PRINCIPAL, requests_per_minute=3)
    await declare_limits(store, [again], ACCOUNT)
    people = await store.get(people.id)
    assert people is not None
    assert people.properties == {
        "appliesTo": {"kind": "principal"},
        "requestsPerMinute": 3,
        "provisioningState": "Succeeded",
    }
    await declare_limits(store, [], ACCOUNT)
    assert await names(store) == ["mine"]


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ([UsageLimitSettings(name="x", kind=Kind.PRINCIPAL)], "It limits nothing"),
        ([UsageLimitSettings(name="x", kind=Kind.POOL, tokens_per_day=1)], "spans accounts"),
        ([PEOPLE, PEOPLE], "declared twice"),
    ],
)
async def test_a_limit_that_can_not_be_keeps_the_server_from_starting(
    said: list[UsageLimitSettings], says: str
) -> None:
    """And what is said of it is what the control plane would say."""
    with pytest.raises(SetupError, match=says):
        await declare_limits(MemoryResourceStore(), said, ACCOUNT)


class Facts:
    """Of a server without pools that lend."""

    def __init__(self, desk: LimitDesk) -> None:
        self.limit_desk = desk
        self.lending: dict[str, Pool] = {}


class Heard:
    """A notifier."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    async def tell(self, notice: Notice) -> None:
        """Take it."""
        self.tell_soon(notice)

    def tell_soon(self, notice: Notice) -> None:
        """Take it."""
        self.notices.append(notice)


async def test_a_percentage_goes_to_webhooks_and_the_activity_log() -> None:
    """Once for its window, whoever tells it again; with what people and programs need."""
    desk, activity, heard = LimitDesk(), MemoryActivityLog(), Heard()
    whose = Subject(limit("money", "principal", "", ACCOUNT, costPerDay=2.0, warnAt=[50]), "ann")
    async with AsyncExitStack() as stack:
        parts = LimitParts(Facts(desk), "exact", activity, heard, "tenant", stack)
        ledger = parts.over(MemoryLedger())
        bucket = desk.watch.bucket(whose, whose.limit.bounds[0])
        held = ledger.reserve_now([Charge(bucket, 1_900_000_000)])
        assert held is not None
        ledger.settle(held, [1_200_000_000])
        ((told),) = heard.notices
        data: dict[str, Any] = dict(told.data)
        assert (told.type, told.account_id) == ("limit.threshold.reached", ACCOUNT.lower())
        assert (data["used"], data["bound"], data["percent"]) == (1.2, 2.0, 50)
        assert (data["subject"], data["refusing"]) == ("ann", False)
        assert told.key.endswith(f"|costPerDay|ann|50|{data['period']}")
        desk.subjects.subject(whose.limit, "ann")
        (standing,) = await parts.standing(whose.limit)
        assert (standing.subject, standing.used) == ("ann", 1_200_000_000)
    (event,) = await activity.read(ActivityQuery(subscription="s"))
    assert event.resource_id == whose.limit.id
    assert event.body["category"]["value"] == "Alert"
    assert event.body["description"] == (
        "'ann' has used 1.2 of 2.0 money a day (limit 'money'): 50 % are reached."
    )
    assert event.body["properties"]["percent"] == "50"


async def test_a_minute_is_told_to_the_log_and_the_metrics_alone() -> None:
    """Callers can pass its bound every minute: nothing that lasts may grow with it."""
    desk, activity, heard = LimitDesk(), MemoryActivityLog(), Heard()
    bounds = {"tokensPerMinute": 10, "concurrentRequests": 1}
    whose = Subject(limit("few", "principal", "", ACCOUNT, **bounds, warnAt=[50]), "ann")
    counted: list[tuple[str, str]] = []
    async with AsyncExitStack() as stack:
        parts = LimitParts(Facts(desk), "exact", activity, heard, "tenant", stack)
        parts.counted = lambda name, percent: counted.append((name, percent))
        use_all(parts.over(MemoryLedger()), desk, whose)
    assert counted
    assert set(counted) == {("few", "50")}
    assert heard.notices == []
    assert await activity.read(ActivityQuery(subscription="s")) == []


class StallingActivityLog(MemoryActivityLog):
    """The first write ends with the server."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()

    async def add(self, events: Sequence[ActivityEvent]) -> None:
        """See ActivityLog."""
        if not self.begun.is_set():
            self.begun.set()
            await asyncio.Event().wait()
        await super().add(events)


async def test_what_is_being_written_when_the_server_stops_is_written() -> None:
    """The task that writes is cancelled; its events are not lost with it."""
    desk, activity = LimitDesk(), StallingActivityLog()
    whose = Subject(limit("day", "principal", "", ACCOUNT, tokensPerDay=10, warnAt=[50]), "ann")
    async with AsyncExitStack() as stack:
        parts = LimitParts(Facts(desk), "exact", activity, Heard(), "tenant", stack)
        use_all(parts.over(MemoryLedger()), desk, whose)
        async with asyncio.timeout(5):
            await activity.begun.wait()
    (event,) = await activity.read(ActivityQuery(subscription="s"))
    assert event.resource_id == whose.limit.id


def use_all(ledger: Ledger, desk: LimitDesk, whose: Subject) -> None:
    """Of each of the subject's bounds."""
    for bound in whose.limit.bounds:
        held = ledger.reserve_now([Charge(desk.watch.bucket(whose, bound), bound.amount)])
        assert held is not None
        ledger.settle(held, [bound.amount])

"""Budgets over sums that a test fills, with a clock that it sets and a real receiver."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from linarite.alerts.budgets import BudgetWatch
from linarite.controls.egress import EgressDialer, EgressPolicy, PurposeHosts
from linarite.domain.alerts import ACTION_GROUP_TYPE
from linarite.domain.budgets import BUDGET_TYPE, Period, budget_of, forecast
from linarite.domain.errors import ServiceUnavailable
from linarite.domain.resource import Resource
from linarite.domain.target import target_of
from linarite.domain.usage_report import UsageCounts, UsageQuestion, UsageSum
from linarite.storage.database import open_database
from linarite.storage.memory.resources import MemoryResourceStore
from linarite.storage.sqlite.outbox import SqliteOutbox
from linarite.webhooks.destination import Destination
from linarite.webhooks.sender import WebhookSender
from tests.webhook_receiver import Receiver, webhook_receiver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from linarite.domain.outbox import Letter

pytestmark = pytest.mark.anyio

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"
TEAM = f"{GROUP}/providers/{ACTION_GROUP_TYPE}/team"
ID = f"{GROUP}/providers/{BUDGET_TYPE}/monthly"


def budget(**changed: Any) -> Resource:  # noqa: ANN401 - JSON
    """Ten a month; the team is told at eight."""
    return Resource(
        id=ID,
        type=BUDGET_TYPE,
        name="monthly",
        system_data={"createdBy": "ada@example.com"},
        properties={
            "category": "Cost",
            "amount": 10,
            "timeGrain": "Monthly",
            "timePeriod": {"startDate": "2025-01-01T00:00:00Z", "endDate": "2027-12-31T00:00:00Z"},
            "notifications": {"eighty": notification()},
        }
        | changed,
    )


def notification(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Of the team."""
    return {
        "enabled": True,
        "operator": "GreaterThanOrEqualTo",
        "threshold": 80,
        "contactGroups": [TEAM],
    } | changed


class Spent:
    """`UsageBook` whose one figure a test sets."""

    def __init__(self) -> None:
        self.cost = 0.0
        self.asked: list[UsageQuestion] = []
        self.groups: dict[tuple[str, ...], float] = {}

    async def usage(self, question: UsageQuestion) -> list[UsageSum]:
        """See UsageBook."""
        self.asked.append(question)
        groups = self.groups if question.by else {(): self.cost}
        return [
            UsageSum(group, UsageCounts(cost_nano=round(cost * 1e9)))
            for group, cost in groups.items()
        ]


class Site:
    """A watch, what it reads, and who is told."""

    def __init__(self, receiver: Receiver, folder: Path, *, common: bool = False) -> None:
        self.receiver = receiver
        self.spent = Spent()
        self.resources = MemoryResourceStore()
        self.now = datetime(2025, 11, 20, 12, tzinfo=UTC)
        self._folder = folder
        self.webhook = {"name": "ops", "serviceUri": receiver.url, "useCommonAlertSchema": common}

    @asynccontextmanager
    async def server(self) -> AsyncIterator[BudgetWatch]:
        """A server on the same folder; a test has it look."""
        database = open_database(self._folder)
        hosts = PurposeHosts(named_hosts=frozenset(("127.0.0.1",)))
        dialer = EgressDialer(EgressPolicy(purposes={"webhook": hosts}))
        sender = WebhookSender(SqliteOutbox(database), dialer, {})

        async def find(name: str) -> Destination | None:
            assert name.endswith("#ops")
            return Destination(target_of(self.receiver.url), (b"a secret of thirty-two bytes....",))

        sender.also_find(find)
        await sender.start()
        group = Resource(
            id=TEAM,
            type=ACTION_GROUP_TYPE,
            name="team",
            properties={"webhookReceivers": [self.webhook]},
        )
        await self.resources.put(group)
        yield BudgetWatch(self.resources, self.spent, sender, sender, "USD", clock=lambda: self.now)
        await sender.stop()
        await database.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real one."""
    with webhook_receiver() as running:
        yield running


@pytest.fixture
def site(receiver: Receiver, tmp_path: Path) -> Site:
    """With the older form of bodies."""
    return Site(receiver, tmp_path)


async def told(site: Site, count: int) -> list[Any]:
    """What the receiver has, and that there is no more of it."""
    found = await anyio.to_thread.run_sync(site.receiver.wait_for, count)
    await anyio.sleep(0.05)
    assert len(found) == count
    return [each.json for each in found]


async def test_a_threshold_is_told_once_a_period(site: Site) -> None:
    """However often it is looked at, by however many servers; and again in the next month."""
    await site.resources.put(budget())
    async with site.server() as watch:
        site.spent.cost = 7.99
        assert await watch.sweep() == 1
        spend = watch.spend_of(ID.upper())
        assert spend is not None
        assert spend.amount == 7.99
        assert await told(site, 0) == []
        site.spent.cost = 8
        await watch.sweep()
        site.spent.cost = 9
        await watch.sweep()
        (body,) = await told(site, 1)
    assert body == {
        "schemaId": "AIP Budget Notification",
        "data": {
            "SubscriptionName": "00000000-0000-0000-0000-000000000001",
            "SubscriptionId": "00000000-0000-0000-0000-000000000001",
            "SpendingAmount": "8.00",
            "BudgetStartDate": "2025-11-01",
            "Budget": "10.00",
            "Unit": "USD",
            "BudgetCreator": "ada@example.com",
            "BudgetName": "monthly",
            "BudgetType": "Cost",
            "ResourceGroup": "rg",
            "NotificationThresholdAmount": "8.00",
        },
    }
    async with site.server() as watch:
        await watch.sweep()
        await told(site, 1)
        site.now = datetime(2025, 12, 1, tzinfo=UTC)
        await watch.sweep()
        december = (await told(site, 2))[1]
        assert december["data"]["BudgetStartDate"] == "2025-12-01"


async def test_another_amount_is_another_threshold(site: Site) -> None:
    """What was told of the former one was of another figure."""
    site.spent.cost = 25
    await site.resources.put(budget())
    async with site.server() as watch:
        await watch.evaluate(ID)
        await site.resources.put(budget(amount=100))
        await watch.evaluate(ID)
        await told(site, 1)
        await site.resources.put(budget(amount=20))
        await watch.evaluate(ID)
        assert [each["data"]["Budget"] for each in await told(site, 2)] == ["10.00", "20.00"]


async def test_the_common_schema(receiver: Receiver, tmp_path: Path) -> None:
    """For receivers that ask for it; here of a forecast."""
    site = Site(receiver, tmp_path, common=True)
    site.spent.cost = 6
    soon = notification(thresholdType="Forecasted", threshold=85)
    await site.resources.put(budget(notifications={"soon": soon, "eighty": notification()}))
    async with site.server() as watch:
        await watch.sweep()
        (body,) = await told(site, 1)
        data = body["data"]["alertContext"]["AlertData"]
        assert body["data"]["essentials"]["monitoringService"] == "CostAlerts"
        assert data["ThresholdType"] == "Forecasted"
        assert (data["SpentAmount"], data["NotificationThresholdAmount"]) == (
            "9.00 USD",
            "8.50 USD",
        )


async def test_what_a_filter_leaves_out_is_not_counted(site: Site) -> None:
    """All conditions must fit; those of earlier api-versions count as well."""
    fits = "/subscriptions/s/resourceGroups/RG/providers/Microsoft.CognitiveServices/accounts/a"
    site.spent.groups = {("chat", fits): 9, ("search", fits): 90, ("chat", fits + "2"): 900}
    chat = {"dimensions": {"name": "Deployment", "operator": "In", "values": ["CHAT"]}}
    earlier = {"resources": [fits], "resourceGroups": ["rg"]}
    await site.resources.put(budget(filter={"and": [chat]}, filters=earlier))
    async with site.server() as watch:
        await watch.sweep()
        spend = watch.spend_of(ID)
    assert spend is not None
    assert spend.amount == 9
    (asked,) = site.spent.asked
    assert (asked.scope, asked.since, asked.until) == (
        GROUP,
        date(2025, 11, 1),
        date(2025, 11, 30),
    )


async def test_each_group_is_told(site: Site) -> None:
    """One that is named twice once; one that is off, or gone, not at all."""
    site.spent.cost = 8
    other, off = TEAM.replace("team", "other"), TEAM.replace("team", "off")
    groups = notification(contactGroups=[TEAM, other, TEAM.upper(), off, f"{TEAM}2"])
    await site.resources.put(budget(notifications={"eighty": groups}))
    async with site.server() as watch:
        for name, enabled in ((other, True), (off, False)):
            properties = {"enabled": enabled, "webhookReceivers": [site.webhook]}
            await site.resources.put(
                Resource(id=name, type=ACTION_GROUP_TYPE, name="x", properties=properties)
            )
        await watch.sweep()
        await told(site, 2)


class Dying:
    """A postbox that a server dies before."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    async def post(self, letters: Sequence[Letter]) -> None:
        """See Postbox."""
        self.scopes += [each.account_id for each in letters]
        raise ServiceUnavailable(f"{len(letters)} letters stay here")


async def test_what_was_not_handed_on_is_by_the_next_server(site: Site) -> None:
    """A server that dies in between has told nobody, and loses nothing."""
    site.spent.cost = 8
    await site.resources.put(budget())
    async with site.server() as watch:
        watch._postbox = dying = Dying()
        await watch.sweep()
        assert set(dying.scopes) == {GROUP}  # whose bound of waiting letters holds
        await told(site, 0)
    async with site.server() as watch:
        await watch.sweep()
        await watch.sweep()
        await told(site, 1)


async def test_one_budget_that_fails_is_no_others_matter(site: Site) -> None:
    """And one that is gone is forgotten."""
    site.spent.cost = 8
    await site.resources.put(
        Resource(id=f"{GROUP}/providers/{BUDGET_TYPE}/a", type=BUDGET_TYPE, name="a")
    )
    await site.resources.put(budget())
    async with site.server() as watch:
        site.resources.subscribe(watch.follow)
        assert await watch.sweep() == 2
        await told(site, 1)
        await site.resources.delete(ID)
        assert watch.spend_of(ID) is None
        await watch.evaluate(ID)


@pytest.mark.parametrize(
    ("grain", "starts", "day", "period"),
    [
        ("Monthly", "2026-01-01", "2026-02-28", ("2026-02-01", "2026-02-28")),
        ("Quarterly", "2026-02-01", "2026-07-31", ("2026-05-01", "2026-07-31")),
        ("BillingQuarter", "2026-02-01", "2026-08-01", ("2026-08-01", "2026-10-31")),
        ("Annually", "2026-03-01", "2027-02-28", ("2026-03-01", "2027-02-28")),
        ("Annually", "2026-03-01", "2027-11-01", ("2027-03-01", "2027-12-31")),
        ("Monthly", "2026-03-01", "2026-02-28", None),
        ("Monthly", "2026-03-01", "2028-01-01", None),
    ],
)
def test_periods(grain: str, starts: str, day: str, period: tuple[str, str] | None) -> None:
    """From the start date on, in steps of the grain, to the end date."""
    resource = budget(
        timeGrain=grain,
        timePeriod={"startDate": f"{starts}T00:00:00Z", "endDate": "2027-12-31T00:00:00Z"},
    )
    found = budget_of(resource).period(date.fromisoformat(day))
    expected = period and Period(*map(date.fromisoformat, period))
    assert found == expected


def test_forecasts() -> None:
    """As it goes so far; nothing is said on the first day."""
    november = Period(date(2026, 11, 1), date(2026, 11, 30))
    assert forecast(1, november, date(2026, 11, 1)) is None
    assert forecast(10, november, date(2026, 11, 10)) == 30
    assert forecast(10, november, date(2026, 11, 30)) == 10

"""What every UsageBook promises."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from linarite.domain import usage_report
from linarite.domain.provisioned_hours import ProvisionedHour
from linarite.domain.usage_report import TooManySums, UsageQuestion
from tests.storage.builders import make_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.usage_report import UsageCounts, UsageSum
    from linarite.storage.memory.requests import MemoryRequestLedger

pytestmark = pytest.mark.anyio

CONTOSO = "/subscriptions/1/resourceGroups/west/providers/Microsoft.CognitiveServices/accounts/c"
FABRIKAM = "/subscriptions/1/resourceGroups/east/providers/Microsoft.CognitiveServices/accounts/f"
ALL = UsageQuestion(date(2026, 1, 1), date(2026, 12, 31))


def noon(month: int, day: int) -> int:
    """Of a day of 2026, in UTC."""
    return int(datetime(2026, month, day, 12, tzinfo=UTC).timestamp()) * 10**9


def asked(*by: str, **changed: object) -> UsageQuestion:
    """Of the whole year, but for what is `changed`."""
    said = {"since": ALL.since, "until": ALL.until, "by": by} | changed
    return UsageQuestion(**said)  # pyright: ignore[reportArgumentType] - fields of several types


def fill(ledger: MemoryRequestLedger) -> None:
    """Some requests of two accounts, two days, two keys and two teams."""
    for number, (account, day, key, tags) in enumerate(
        [
            (CONTOSO, noon(3, 1), "key1", '{"team":"red"}'),
            (CONTOSO, noon(3, 1), "key1", '{"team":"red","tier":"one"}'),
            (CONTOSO, noon(3, 2), "app:web", ""),
            (FABRIKAM, noon(4, 2), "key1", '{"team":"blue"}'),
        ]
    ):
        ledger.add(
            make_record(
                f"r{number}",
                account_id=account,
                started_at_ns=day,
                caller_key=key,
                tags=tags,
                prompt_tokens=10,
                completion_tokens=2,
                reasoning_tokens=1,
                cost_nano=5,
            )
        )


def told(sums: Sequence[UsageSum]) -> dict[tuple[str, ...], int]:
    """Requests of each group."""
    return {each.group: each.counts.requests for each in sums}


async def whole(ledger: MemoryRequestLedger, question: UsageQuestion = ALL) -> UsageCounts:
    """The sums of everything."""
    (only,) = await ledger.usage(question)
    return only.counts


async def test_nothing_adds_up_to_nothing(request_ledger: MemoryRequestLedger) -> None:
    """No group, not one of zeros."""
    assert await request_ledger.usage(ALL) == []
    assert await request_ledger.usage(asked("day")) == []


async def test_every_count_is_added(request_ledger: MemoryRequestLedger) -> None:
    """Of all requests together."""
    fill(request_ledger)
    request_ledger.add(
        make_record(
            "refused",
            account_id=CONTOSO,
            started_at_ns=noon(3, 1),
            status=429,
            prompt_tokens=0,
            completion_tokens=0,
            cached_tokens=0,
        )
    )
    sums = await whole(request_ledger)
    assert (sums.requests, sums.refused) == (5, 1)
    assert (sums.prompt_tokens, sums.completion_tokens, sums.cached_tokens) == (40, 8, 16)
    assert (sums.reasoning_tokens, sums.cost_nano) == (4, 20)


async def test_groups_come_in_order(request_ledger: MemoryRequestLedger) -> None:
    """By day, by month, by key, by both; by what nobody has it is one group without a name."""
    fill(request_ledger)
    by_day = await request_ledger.usage(asked("day"))
    assert [each.group for each in by_day] == [("2026-03-01",), ("2026-03-02",), ("2026-04-02",)]
    assert told(await request_ledger.usage(asked("month"))) == {("2026-03",): 3, ("2026-04",): 1}
    both = await request_ledger.usage(asked("key", "month"))
    assert told(both) == {("app:web", "2026-03"): 1, ("key1", "2026-03"): 2, ("key1", "2026-04"): 1}
    assert told(await request_ledger.usage(asked("project"))) == {("",): 4}


async def test_tags_are_told_apart_one_by_one(request_ledger: MemoryRequestLedger) -> None:
    """Whatever other tags there are beside."""
    fill(request_ledger)
    by_team = await request_ledger.usage(asked("tag:team"))
    assert told(by_team) == {("",): 1, ("blue",): 1, ("red",): 2}


async def test_days_and_scopes_bound_it(request_ledger: MemoryRequestLedger) -> None:
    """The last day counts; a scope is a whole id, whatever its case."""
    fill(request_ledger)
    march = asked(until=date(2026, 3, 2))
    assert (await whole(request_ledger, march)).requests == 3
    assert (await whole(request_ledger, asked(until=date(2026, 3, 1)))).requests == 2
    for scope, requests in (
        ("/subscriptions/1", 4),
        ("/SUBSCRIPTIONS/1/resourcegroups/West", 3),
        (FABRIKAM, 1),
    ):
        assert (await whole(request_ledger, asked(scope=scope))).requests == requests
    for scope in ("/subscriptions/11", "/subscriptions/1/resourceGroups/wes", "/subscriptions/_"):
        assert await request_ledger.usage(asked(scope=scope)) == []


async def test_values_choose(request_ledger: MemoryRequestLedger) -> None:
    """By a dimension that is asked by or not, a tag's too, and all of them together."""
    fill(request_ledger)
    for where, requests in (
        ((("key", frozenset(("key1",))),), 3),
        ((("key", frozenset(("key1", "app:web"))),), 4),
        ((("tag:team", frozenset(("red",))),), 2),
        ((("tag:team", frozenset(("",))),), 1),
        ((("key", frozenset(("key1",))), ("month", frozenset(("2026-04",)))), 1),
    ):
        assert (await whole(request_ledger, asked(where=where))).requests == requests


async def test_a_question_is_bounded(
    request_ledger: MemoryRequestLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has more answers than anybody reads is refused, whole."""
    fill(request_ledger)
    monkeypatch.setattr(usage_report, "SUMS_MAX", 2)
    assert len(await request_ledger.usage(asked("account", "accountId"))) == 2
    with pytest.raises(TooManySums):
        await request_ledger.usage(asked("day", "key"))


async def test_what_reached_no_deployment_is_not_usage(
    request_ledger: MemoryRequestLedger,
) -> None:
    """Nor what is of no account; a request's second record adds nothing."""
    request_ledger.add(make_record("a", account_id="", started_at_ns=noon(3, 1)))
    request_ledger.add(
        make_record("b", account_id=CONTOSO, deployment="", started_at_ns=noon(3, 1))
    )
    assert await request_ledger.usage(ALL) == []
    for _ in range(3):
        request_ledger.add(make_record("c", account_id=CONTOSO, started_at_ns=noon(3, 1)))
        await request_ledger.flush()
    assert (await whole(request_ledger)).requests == 1


def hour(number: int = 0, **changed: object) -> ProvisionedHour:
    """An hour of ten units, from midnight of 2 March on."""
    first = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) // 3600
    whole = {
        "hour": first + number,
        "units": 10,
        "cost_nano": 100,
        "deployment_id": f"{CONTOSO}/deployments/ptu",
        "account_id": CONTOSO,
        "account": "c",
        "deployment": "ptu",
        "model": "gpt-4o",
        "model_version": "1",
        "sku": "GlobalProvisionedManaged",
        "region": "East US",
    }
    return ProvisionedHour(**(whole | changed))  # pyright: ignore[reportArgumentType] - fields of several types


async def test_an_hour_is_charged_once(request_ledger: MemoryRequestLedger) -> None:
    """However often it is, by whatever spelling of its id; beside the requests of its day."""
    fill(request_ledger)
    hours = request_ledger.provisioned_hours
    await hours.charge([hour(), hour(1)])
    await hours.charge([hour(), hour(deployment_id=f"{CONTOSO}/deployments/PTU".upper())])
    await hours.charge([])
    sums = await request_ledger.usage(asked("day", "deployment", "operation"))
    (told,) = [each for each in sums if each.counts.provisioned_unit_hours]
    assert told.group == ("2026-03-02", "ptu", "ProvisionedThroughput")
    assert (told.counts.provisioned_unit_hours, told.counts.cost_nano) == (20, 200)
    assert told.counts.requests == 0
    assert (await whole(request_ledger)).requests == 4


async def test_what_an_hour_has_more_is_added(request_ledger: MemoryRequestLedger) -> None:
    """The most units that were there in it count; fewer change nothing."""
    hours = request_ledger.provisioned_hours
    for units in (10, 25, 5):
        await hours.charge([hour(units=units, cost_nano=units * 10)])
    counts = await whole(request_ledger)
    assert (counts.provisioned_unit_hours, counts.cost_nano) == (25, 250)

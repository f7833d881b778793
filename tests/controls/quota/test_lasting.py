"""Days and months: what is written ahead, and what a server finds that starts again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.controls.quota import MemoryLedger
from linarite.controls.quota.memory_ledger import KEPT_MAX
from linarite.domain.errors import ServiceUnavailable
from linarite.domain.ledger import Bucket, Charge, DoesNotFit, Window
from linarite.storage.database import open_database
from linarite.storage.memory.lasting_counts import MemoryLastingCounts
from linarite.storage.sqlite.lasting_counts import SqliteLastingCounts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from linarite.domain.ledger import LastingCount

pytestmark = pytest.mark.anyio

DAY = Bucket("d", "key-tokens", "tokens", 10_000, Window.DAY)
MONTH = Bucket("m", "key-cost", "cost", 10_000, Window.MONTH)
NOON = datetime(2026, 12, 31, 12, tzinfo=UTC).timestamp()


class Counts(MemoryLastingCounts):
    """Counts its writes, and fails when told to."""

    writes = 0
    broken = False
    unforeseen = False
    rotten = ""
    """a key that can't be written"""

    async def write(self, counts: Sequence[LastingCount], *, now: float) -> None:
        """Or not."""
        if self.broken:
            raise ServiceUnavailable("the disk is full")
        if self.unforeseen or any(each.key == self.rotten for each in counts):
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        self.writes += 1
        await super().write(counts, now=now)


async def server(counts: Counts, time_of_day: float = NOON) -> MemoryLedger:
    """One that starts."""
    ledger = MemoryLedger(time_of_day=lambda: time_of_day, counts=counts)
    await ledger.open()
    return ledger


async def test_the_disk_is_waited_for_once_in_a_hundredth_of_the_limit() -> None:
    """What was written ahead is charged without waiting."""
    counts = Counts()
    ledger = await server(counts)
    for _ in range(200):
        charges = [Charge(DAY, 10), Charge(MONTH, 10)]
        assert ledger.reserve_now(charges) or await ledger.reserve(charges)
    assert counts.writes <= 2000 // (10_000 // 100)


async def test_a_stopped_server_goes_on_where_it_was() -> None:
    """To the token; a killed one counts a hundredth of the limit too much at most."""
    counts = Counts()
    first = await server(counts)
    held = await first.reserve([Charge(DAY, 1000)])
    first.settle(held, [300])
    killed = await server(counts)
    assert 10_000 - 2000 <= (await killed.left([DAY]))[0] <= 10_000 - 300
    await first.close()
    stopped = await server(counts)
    assert await stopped.left([DAY]) == [9700]
    assert await (await server(counts, NOON + 86_400)).left([DAY]) == [10_000]


async def test_more_than_was_thought_is_written_too() -> None:
    """Of answers that took more than was reserved."""
    counts = Counts()
    first = await server(counts)
    held = await first.reserve([Charge(DAY, 1)])
    first.settle(held, [5000])
    writes = counts.writes
    await first.reserve([Charge(DAY, 1)])
    assert counts.writes > writes
    assert (await (await server(counts)).left([DAY]))[0] <= 4999


async def test_a_count_beyond_what_a_disk_can_hold_is_the_most_it_can(tmp_path: Path) -> None:
    """Those that are written with it are written."""
    database = open_database(tmp_path)
    counts = SqliteLastingCounts(database)
    ledger = MemoryLedger(time_of_day=lambda: NOON, counts=counts)
    await ledger.open()
    held = await ledger.reserve([Charge(DAY, 1), Charge(MONTH, 1)])
    ledger.settle(held, [10**20, 7])
    await ledger.close()
    assert sorted(each.amount for each in await counts.read()) == [7, 2**63 - 1]
    await database.close()


async def test_nothing_is_admitted_that_can_not_be_written() -> None:
    """And nothing is charged for it."""
    counts = Counts()
    counts.broken = True
    ledger = await server(counts)
    with pytest.raises(ServiceUnavailable):
        await ledger.reserve([Charge(DAY, 1)])
    counts.broken = False
    assert await ledger.left([DAY]) == [10_000]
    assert await ledger.reserve([Charge(DAY, 1)])


async def test_one_count_at_fault_is_no_others_matter() -> None:
    """Those that wait for the disk together with it are written."""
    counts = Counts()
    ledger = await server(counts)
    counts.rotten = "m"
    told = await asyncio.gather(
        ledger.reserve([Charge(DAY, 1)]),
        ledger.reserve([Charge(MONTH, 1)]),
        ledger.reserve([Charge(Bucket("e", "key-tokens", "tokens", 10, Window.DAY), 1)]),
        return_exceptions=True,
    )
    assert [isinstance(each, OverflowError) for each in told] == [False, True, False]
    assert {each.key for each in await counts.read()} == {"d", "e"}
    assert await ledger.left([MONTH]) == [10_000]


async def test_a_clock_that_is_set_gives_no_day_twice() -> None:
    """Forward over the end of the year, and back again."""
    now = [NOON]
    ledger = MemoryLedger(time_of_day=lambda: now[0])
    ledger.reserve_now([Charge(DAY, 10_000), Charge(MONTH, 10_000)])
    with pytest.raises(DoesNotFit) as refused:
        ledger.reserve_now([Charge(DAY, 1)])
    assert refused.value.refused.wait_s == 12 * 3600
    now[0] += 13 * 3600
    ledger.reserve_now([Charge(DAY, 4000), Charge(MONTH, 4000)])
    now[0] = NOON
    for bucket in (DAY, MONTH):
        with pytest.raises(DoesNotFit):
            ledger.reserve_now([Charge(bucket, 1)])
    now[0] += 13 * 3600
    assert await ledger.left([DAY, MONTH]) == [6000, 6000]


async def test_what_has_nothing_to_remember_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been charged lately is not, however many buckets come."""
    monkeypatch.setattr("linarite.controls.quota.memory_ledger.KEPT_MAX", 3)
    now = [1000.0]
    ledger = MemoryLedger(lambda: now[0])

    def charge(name: str) -> None:
        held = ledger.reserve_now([Charge(Bucket(name, name, "tokens", 10, Window.MINUTE), 6)])
        assert held
        ledger.settle(held, [6])

    for name in ("a", "b", "c"):
        charge(name)
    now[0] += 100
    for name in ("busy", "d", "e", "f"):
        charge(name)
    assert "a" not in ledger._meters
    with pytest.raises(DoesNotFit):
        charge("busy")


async def test_nothing_is_forgotten_that_a_reservation_is_about_to_take() -> None:
    """A place is one, though the meter of another bucket is made in between."""
    ledger = MemoryLedger(lambda: 1000.0)
    place = Bucket("p", "key-concurrent", "concurrent", 1, Window.HELD)

    def buckets(name: str) -> list[Charge]:
        return [Charge(place, 1), Charge(Bucket(name, name, "tokens", 10, Window.MINUTE), 0)]

    for number in range(KEPT_MAX - 1):
        await ledger.left([Bucket(f"k{number}", "k", "tokens", 10, Window.MINUTE)])
    assert ledger.reserve_now(buckets("new"))
    with pytest.raises(DoesNotFit):
        ledger.reserve_now(buckets("newer"))


async def test_what_takes_longer_than_its_minute_settles_where_it_counts() -> None:
    """However many buckets come meanwhile; then it may be forgotten as any other."""
    now = [1000.0]
    ledger = MemoryLedger(lambda: now[0])
    slow = Bucket("slow", "slow", "tokens", 100, Window.MINUTE)
    rescaled = msgspec.structs.replace(slow, window=Window.LEAKY_MINUTE)
    for later in (slow, rescaled):
        held = ledger.reserve_now([Charge(slow, 1)])
        assert held
        await ledger.left([later])
        now[0] += 100
        await many(ledger)
        ledger.settle(held, [90])
        assert await ledger.left([later]) == [11]
        now[0] += 100
        await many(ledger)
        assert "slow" not in ledger._meters


async def many(ledger: MemoryLedger) -> None:
    """More buckets than are kept."""
    for number in range(2 * KEPT_MAX + 1):
        await ledger.left([Bucket(f"k{number}", "k", "tokens", 10, Window.MINUTE)])


async def test_a_write_that_failed_for_any_reason_is_over() -> None:
    """The next one who asks has a write of its own."""
    counts = Counts()
    ledger = await server(counts)
    counts.unforeseen = True
    with pytest.raises(OverflowError):
        await ledger.reserve([Charge(DAY, 1)])
    counts.unforeseen = False
    assert await ledger.reserve([Charge(DAY, 1)])
    counts.unforeseen = True
    await ledger.close()


async def test_no_count_is_beyond_what_a_column_takes() -> None:
    """What an answer took in truth is counted, and written as far as it can be."""
    counts = Counts()
    ledger = await server(counts)
    held = await ledger.reserve([Charge(DAY, 1)])
    ledger.settle(held, [2**70])
    assert await ledger.reserve([Charge(MONTH, 1)])
    await ledger.close()
    assert max(each.amount for each in await counts.read()) == 2**63 - 1

"""What every RequestLedger promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.storage.builders import make_record

if TYPE_CHECKING:
    from linarite.domain.request_record import RequestLedger

pytestmark = pytest.mark.anyio


async def test_a_record_comes_back_as_it_was_added(request_ledger: RequestLedger) -> None:
    """Every field survives, extremes included, without waiting for a flush."""
    record = make_record(
        "a",
        streamed=False,
        started_at_ns=2**62,
        prompt_tokens=2**40,
        path="/ü€𐍈\x00' OR 1=1; --",
        user_agent="",
    )
    request_ledger.add(record)
    found = await request_ledger.find("a")
    assert found == record
    assert found is not None
    assert type(found.streamed) is bool


async def test_an_unknown_request_is_none(request_ledger: RequestLedger) -> None:
    """Finding compares whole ids, and exactly."""
    request_ledger.add(make_record("abc"))
    assert await request_ledger.find("ab") is None
    assert await request_ledger.find("ABC") is None
    assert await request_ledger.find("%") is None


async def test_the_newest_come_first(request_ledger: RequestLedger) -> None:
    """The order is that of adding, whatever the start times say."""
    for number in range(10):
        request_ledger.add(make_record(f"r{number}", started_at_ns=1_000 - number))
    latest = await request_ledger.latest(3)
    assert [record.request_id for record in latest] == ["r9", "r8", "r7"]
    assert len(await request_ledger.latest(100)) == 10
    assert await request_ledger.latest(0) == []


async def test_an_account_sees_its_own(request_ledger: RequestLedger) -> None:
    """Asked for one account, no record of another is given."""
    for number in range(6):
        account = "contoso" if number % 2 else "fabrikam"
        request_ledger.add(make_record(f"r{number}", account=account))
    latest = await request_ledger.latest(2, account="contoso")
    assert [record.request_id for record in latest] == ["r5", "r3"]
    assert await request_ledger.latest(2, account="contos") == []


async def test_a_request_is_kept_once(request_ledger: RequestLedger) -> None:
    """Its first record stays, whether the second comes at once or later, alone or among others."""
    for number in range(20):
        request_ledger.add(make_record(f"r{number % 10}", status=200 + number))
    await request_ledger.flush()
    request_ledger.add(make_record("r3", status=500))
    found = await request_ledger.find("r3")
    assert found is not None
    assert found.status == 203
    latest = await request_ledger.latest(100)
    assert [record.request_id for record in latest] == [f"r{n}" for n in range(9, -1, -1)]


async def test_flush_returns_when_there_is_nothing_to_write(request_ledger: RequestLedger) -> None:
    """An idle ledger does not keep anyone waiting."""
    await request_ledger.flush()
    request_ledger.add(make_record())
    await request_ledger.flush()
    await request_ledger.flush()


async def test_many_records_keep_their_order_and_number(request_ledger: RequestLedger) -> None:
    """Batches of every size are whole, in order, with every field in its place."""
    records = [make_record(f"r{number}", prompt_tokens=number) for number in range(3_000)]
    start = 0
    for size in (1, 2, 7, 8, 9, 63, 64, 65, 129, 2_652):
        for record in records[start : start + size]:
            request_ledger.add(record)
        await request_ledger.flush()
        start += size
    assert start == len(records)
    latest = await request_ledger.latest(5_000)
    assert msgspec.to_builtins(latest[::-1]) == msgspec.to_builtins(records)


async def test_closing_twice_is_closing(request_ledger: RequestLedger) -> None:
    """A second close, and a flush after it, return."""
    request_ledger.add(make_record())
    await request_ledger.close()
    await request_ledger.close()
    await request_ledger.flush()

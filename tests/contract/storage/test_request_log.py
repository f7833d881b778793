"""What every log of requests tells whoever follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from linarite.domain.diagnostics import RequestLog
from linarite.domain.request_record import RequestLedger
from tests.storage.builders import make_record

if TYPE_CHECKING:
    from linarite.domain.request_record import RequestRecord

pytestmark = pytest.mark.anyio
CONTOSO, FABRIKAM = "/accounts/Contoso", "/accounts/fabrikam"


class FollowedLedger(RequestLedger, RequestLog, Protocol):
    """Both ports, as every ledger has them."""


def ids(rows: list[tuple[int, RequestRecord]]) -> list[str]:
    """Their request ids."""
    return [record.request_id for _, record in rows]


async def test_an_account_is_followed(request_ledger: FollowedLedger) -> None:
    """In the order of adding, from a position on, refusals included; ids without case."""
    assert await request_ledger.ends() == (0, 0)
    for number in range(6):
        account_id = FABRIKAM if number % 2 else CONTOSO
        account = "" if number == 2 else "contoso"  # of a refusal nobody's name is kept
        record = make_record(f"r{number}", account_id=account_id, account=account)
        request_ledger.add(record)
    await request_ledger.flush()
    rows = await request_ledger.after(0, 2, account_id="/accounts/contoso")
    assert ids(rows) == ["r0", "r2"]
    rest = await request_ledger.after(rows[-1][0], 9, account_id=CONTOSO)
    assert ids(rest) == ["r4"]
    first, last = await request_ledger.ends()
    assert (first, last) == (rows[0][0], rest[0][0] + 1)
    assert await request_ledger.after(last, 9, account_id=FABRIKAM) == []


async def test_where_a_time_begins(request_ledger: FollowedLedger) -> None:
    """What comes after that position is younger."""
    for number in range(5):
        request_ledger.add(
            make_record(f"r{number}", started_at_ns=number * 100, account_id=CONTOSO)
        )
    await request_ledger.flush()
    position = await request_ledger.position_at(250)
    assert ids(await request_ledger.after(position, 9, account_id=CONTOSO)) == ["r3", "r4"]
    assert await request_ledger.position_at(0) == 0

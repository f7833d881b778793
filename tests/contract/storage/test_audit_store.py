"""What every AuditStore promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.controls.audit.chain import chained
from linarite.domain.audit import AuditQuery
from tests.controls.audit.events import make_entries, signed
from tests.controls.audit.events import make_event as event

if TYPE_CHECKING:
    from linarite.domain.audit import AuditStore

pytestmark = pytest.mark.anyio
UNDER = "/subscriptions/s/resourceGroups/g/providers/p/accounts"


async def test_what_was_appended_comes_back(audit_store: AuditStore) -> None:
    """Byte for byte, the newest first."""
    entries = make_entries(450)
    await audit_store.append(entries[:449], None)
    await audit_store.append(entries[449:], signed(entries[-1]))
    assert await audit_store.read(AuditQuery(limit=1_000)) == entries[::-1]


async def test_the_tail_is_what_no_signature_covers(audit_store: AuditStore) -> None:
    """The last checkpoint and the entries after it."""
    entries = make_entries(5)
    assert (await audit_store.tail()).checkpoint is None
    await audit_store.append(entries[:3], signed(entries[1]))
    tail = await audit_store.tail()
    assert tail.checkpoint == signed(entries[1])
    assert list(tail.entries) == entries[2:3]
    await audit_store.append([], signed(entries[2]))
    assert list((await audit_store.tail()).entries) == []
    await audit_store.append(entries[3:], None)
    assert list((await audit_store.tail()).entries) == entries[3:]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (AuditQuery(), [4, 3, 2, 1]),
        (AuditQuery(limit=2), [4, 3]),
        (AuditQuery(before_seq=3), [2, 1]),
        (AuditQuery(after_seq=0), [1, 2, 3, 4]),
        (AuditQuery(after_seq=2, limit=1), [3]),
        (AuditQuery(category="SignIn"), [2]),
        (AuditQuery(categories=frozenset(("SignIn", "KeyUse"))), [2]),
        (AuditQuery(category="SignIn", categories=frozenset(("KeyUse",))), []),
        (AuditQuery(principal="ALICE"), [3]),
        (AuditQuery(principal="alic"), []),
        (AuditQuery(under=f"{UNDER}/A4"), [4]),
        (AuditQuery(under=UNDER.upper()), [4, 3, 2, 1]),
        (AuditQuery(under="/subscriptions/s/resourceGroups/g2"), []),
        (AuditQuery(request_id="REQUEST-2"), [2]),
        (AuditQuery(correlation_id="correlation-3"), [3]),
        (AuditQuery(since="2026-11-02"), [4, 3, 2]),
        (AuditQuery(until="2026-11-02T00:00:00.000000+00:00"), [2, 1]),
        (AuditQuery(category="ControlPlane", since="2026-11-02", until="2026-11-04"), [3]),
    ],
)
async def test_entries_are_found(
    audit_store: AuditStore, query: AuditQuery, expected: list[int]
) -> None:
    """By each of the fields and by several."""
    events = [
        event(number, at=f"2026-11-0{number}T00:00:00.000000+00:00") for number in (1, 2, 3, 4)
    ]
    events[1] = event(2, at=events[1].at, category="SignIn")
    events[2] = event(3, at=events[2].at, principal="Alice")
    await audit_store.append(chained(b"", 0, events), None)
    assert [entry.seq for entry in await audit_store.read(query)] == expected


async def test_what_is_older_is_found(audit_store: AuditStore) -> None:
    """Up to the first entry that is young enough, whatever the clock said afterwards."""
    days = (1, 2, 5, 1)
    events = [event(at=f"2026-11-0{day}T00:00:00.000000+00:00") for day in days]
    entries = chained(b"", 0, events)
    assert await audit_store.before("2026-11-03") is None
    await audit_store.append(entries, None)
    assert await audit_store.before("2026-11-03") == entries[1]
    assert await audit_store.before("2026-10-01") is None
    assert await audit_store.before("2027") == entries[3]


async def test_pruning_removes_the_oldest_and_keeps_its_checkpoint(
    audit_store: AuditStore,
) -> None:
    """Nothing above it, and of the checkpoints those below it."""
    entries = make_entries(2_500)
    await audit_store.append(entries, signed(entries[9]))
    cut = signed(entries[2_399], kind="prune")
    assert await audit_store.prune(cut) == 2_400
    assert await audit_store.read(AuditQuery(limit=5_000)) == entries[:2_399:-1]
    tail = await audit_store.tail()
    assert tail.checkpoint == cut
    assert list(tail.entries) == entries[2_400:]

"""The trail: what it takes is chained and on disk, what it can't keep is counted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.controls.audit import trail as trail_module
from linarite.controls.audit.chain import event_of
from linarite.controls.audit.options import Audit
from linarite.controls.audit.trail import Trail
from linarite.controls.audit.verification import verified
from linarite.domain.audit_errors import AuditUnavailable
from linarite.domain.errors import ServiceUnavailable
from linarite.storage.memory.audit import MemoryAuditStore
from tests.controls.audit.events import KEY, evidence, make_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controls.audit.verification import Verdict
    from linarite.domain.audit import AuditEntry, AuditEvent, Checkpoint

pytestmark = pytest.mark.anyio


class Disk(MemoryAuditStore):
    """A store that can be full, and counts its transactions."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False
        self.stuck = False
        self.failures: list[Exception] = []
        """what the next ones end with"""
        self.transactions = 0
        self.signed = asyncio.Event()

    async def append(self, entries: Sequence[AuditEntry], checkpoint: Checkpoint | None) -> None:
        """Keep it, or say that the disk is full."""
        await asyncio.sleep(0)
        if self.full:
            raise ServiceUnavailable("disk is full")
        if self.failures:
            raise self.failures.pop()
        if self.stuck and entries:
            await asyncio.Event().wait()
        self.transactions += 1
        await super().append(entries, checkpoint)
        if checkpoint is not None:
            self.signed.set()

    @property
    def events(self) -> list[AuditEvent]:
        """What is kept."""
        return [event_of(entry.body) for entry in self.entries]

    def proved(self) -> Verdict:
        """What the log proves."""
        return verified(evidence(self.entries, self.checkpoints))


@pytest.fixture
def disk() -> Disk:
    """Empty."""
    return Disk()


async def opened(disk: Disk, **options: object) -> Trail:
    """A trail on a disk, which must find nothing wrong."""
    settings = msgspec.convert(options, Audit)
    trail = Trail(disk, KEY, settings)
    assert await trail.open() == ""
    return trail


async def test_what_was_recorded_is_kept_in_order_and_signed_at_the_end(disk: Disk) -> None:
    """A second server goes on where the first one stopped."""
    for first in (1, 4):
        trail = await opened(disk)
        for number in range(first, first + 3):
            await trail.record(make_event(number))
        await trail.close()
    assert [event.request_id for event in disk.events] == [f"request-{n}" for n in range(1, 7)]
    verdict = disk.proved()
    assert verdict.good, verdict.problem
    assert verdict.signed_to == verdict.last == 6


async def test_what_comes_together_is_one_transaction(disk: Disk) -> None:
    """A hundred that wait at once cost the disk a few flushes, not a hundred."""
    trail = await opened(disk)
    await asyncio.gather(*(trail.record(make_event(number)) for number in range(100)))
    assert len(disk.entries) == 100
    assert disk.transactions < 5
    await trail.close()


async def test_the_log_is_signed_by_number(disk: Disk) -> None:
    """Every so many events, within their transaction."""
    trail = await opened(disk, checkpoint_events=3)
    for number in range(7):
        await trail.record(make_event(number))
    assert [each.seq for each in disk.checkpoints] == [3, 6]
    assert {each.kind for each in disk.checkpoints} == {"count"}
    await trail.close()


async def test_the_log_is_signed_by_time(disk: Disk) -> None:
    """Some time after an event, and not again while nothing comes."""
    trail = await opened(disk, checkpoint_s=0.01)
    await trail.record(make_event())
    async with asyncio.timeout(10):
        await disk.signed.wait()
    await asyncio.sleep(0.05)
    assert [(each.seq, each.kind) for each in disk.checkpoints] == [(1, "time")]
    await trail.close()


async def test_a_full_disk_refuses_what_must_be_audited(disk: Disk) -> None:
    """At once and teachingly; when there is room again, it goes on without a gap."""
    trail = await opened(disk)
    await trail.record(make_event(1))
    disk.full = True
    for _ in range(3):
        with pytest.raises(AuditUnavailable, match=r"disk is full.*audit\.required"):
            await trail.record(make_event(2))
    assert trail.failing
    disk.full = False
    await trail.record(make_event(3))
    assert not trail.failing
    await trail.close()
    assert [event.request_id for event in disk.events] == ["request-1", "request-3"]
    assert disk.proved().good


async def test_settings_may_let_things_go_on(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nobody is refused, and what could not be written comes later."""
    monkeypatch.setattr(trail_module, "RETRY_FIRST_S", 0.01)
    trail = await opened(disk, required=False)
    disk.full = True
    await trail.record(make_event(1))
    trail.note(make_event(2))
    assert trail.backlog == 2
    disk.full = False
    await trail.record(make_event(3))
    await trail.close()
    assert sorted(event.request_id for event in disk.events) == [
        "request-1",
        "request-2",
        "request-3",
    ]
    assert trail.lost == 0


async def test_a_flood_is_counted_to_the_last_event(disk: Disk) -> None:
    """The first ones singly, the others in a summary with their exact number and addresses."""
    trail = await opened(disk, refusals_per_minute=5)
    for number in range(100):
        trail.note(make_event(1, code="401", address=f"10.0.0.{number % 3}"))
    assert trail.backlog == 100
    await trail.close()
    singly, summaries = disk.events[:5], disk.events[5:]
    assert not any(event.details for event in singly)
    (summary,) = summaries
    assert summary.details["folded"] == 95
    assert summary.code == "401"
    addresses = str(summary.details["addresses"])
    assert sum(int(part.split("(")[1].rstrip(")")) for part in addresses.split(", ")) == 95
    assert disk.proved().good


async def test_a_flood_of_many_kinds_is_bounded_and_counted(disk: Disk) -> None:
    """However many kinds there are, memory is bounded and the sum is right."""
    trail = await opened(disk, refusals_per_minute=1)
    for number in range(1_000):
        trail.note(make_event(number, address=f"10.0.{number}.1"))
    await trail.close()
    folded = [int(event.details["folded"]) for event in disk.events if event.details]
    assert len(folded) < 250
    assert sum(folded) == 999


async def test_events_lost_at_the_end_are_counted(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that refuses until the server stops costs events, and that is told."""
    monkeypatch.setattr(trail_module, "STOP_WAIT_S", 0.05)
    trail = await opened(disk)
    disk.full = True
    for number in range(7):
        trail.note(make_event(number))
    await trail.close()
    assert trail.lost == 7


async def test_what_is_being_written_at_the_end_is_counted_too(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that neither takes it nor refuses: nobody waits for ever, and the loss is told."""
    monkeypatch.setattr(trail_module, "STOP_WAIT_S", 0.05)
    trail = await opened(disk)
    disk.stuck = True
    trail.note(make_event(1))
    waiting = asyncio.create_task(trail.record(make_event(2)))
    await asyncio.sleep(0.01)
    await trail.close()
    with pytest.raises(AuditUnavailable, match="shutting down"):
        await asyncio.wait_for(waiting, 30)
    assert trail.lost == 1


@pytest.mark.parametrize("failure", [RuntimeError("a mistake"), TimeoutError("no connection")])
async def test_a_failure_of_our_own_is_a_refusal(disk: Disk, failure: Exception) -> None:
    """The writer goes on: whoever records next is not kept waiting."""
    trail = await opened(disk)
    disk.failures = [failure]
    with pytest.raises(AuditUnavailable, match="our own fault"):
        await asyncio.wait_for(trail.record(make_event(1)), 30)
    await asyncio.wait_for(trail.record(make_event(2)), 30)
    await trail.close()
    assert [event.request_id for event in disk.events] == ["request-2"]


async def test_a_broken_end_is_noticed_at_the_start(disk: Disk) -> None:
    """What was changed since the last signature is found, and the log goes on behind it."""
    trail = await opened(disk)
    await trail.record(make_event(1))
    await trail.checkpoint("asked")
    await trail.record(make_event(2))
    disk.entries[1] = msgspec.structs.replace(disk.entries[1], body=disk.entries[0].body)
    again = Trail(disk, KEY, Audit())
    assert "changed" in await again.open()
    await again.record(make_event(3))
    await again.close()
    assert disk.proved().problem is not None
    await trail.close()


async def test_a_log_cut_off_below_its_checkpoint_keeps_the_gap(disk: Disk) -> None:
    """The next entry has a number of its own: the missing ones stay missing."""
    trail = await opened(disk)
    for number in range(4):
        await trail.record(make_event(number))
    await trail.close()
    del disk.entries[2:]
    again = await opened(disk)
    await again.record(make_event(9))
    await again.close()
    problem = disk.proved().problem
    assert problem is not None
    assert problem.seq == 3


async def test_old_events_are_removed_below_a_signature(disk: Disk) -> None:
    """What is left proves itself; anchors from before are told as not comparable."""
    trail = await opened(disk)
    for number in range(6):
        await trail.record(make_event(number, at=f"2026-11-2{number}T00:00:00.000000+00:00"))
    assert await trail.prune("2026-11-23") == 3
    assert await trail.prune("2026-11-23") == 0
    await trail.close()
    verdict = disk.proved()
    assert verdict.good, verdict.problem
    assert (verdict.first, verdict.last) == (4, 6)


async def test_a_closed_trail_takes_nothing(disk: Disk) -> None:
    """Whoever comes too late is refused, not forgotten."""
    trail = await opened(disk)
    await trail.close()
    with pytest.raises(AuditUnavailable):
        await trail.record(make_event())

"""What waits to be written to the network log."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from linarite.domain.network_log import NetworkQuery, Occurrence
from linarite.storage.memory.network_log import MemoryNetworkLog
from linarite.telemetry.network_watch import OTHERS, PENDING_MAX, NetworkWatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.network_log import Entry

pytestmark = pytest.mark.anyio


def refused(host: str) -> Occurrence:
    """A refusal of a host."""
    return Occurrence(category="EgressRefused", direction="Outbound", remote=host, port=443)


class FullDisk(MemoryNetworkLog):
    """A log that can't be written until there is room."""

    full = True

    async def add(self, entries: Sequence[Entry]) -> None:
        """Fail while the disk is full."""
        if self.full:
            raise OSError("no room")
        await super().add(entries)


async def test_what_is_seen_is_written_soon() -> None:
    """By itself, with its count."""
    log = MemoryNetworkLog()
    watch = NetworkWatch(log, every_s=0.01)
    await watch.start()
    for _ in range(3):
        watch.see(refused("a.example"), "because")
    await asyncio.sleep(0.3)
    found = await log.read(NetworkQuery())
    await watch.stop()
    assert [(each.what.remote, each.count, each.reason) for each in found] == [
        ("a.example", 3, "because")
    ]


async def test_memory_is_bounded() -> None:
    """A flood of different hosts is counted, without their names beyond some; long ones are cut."""
    log = MemoryNetworkLog()
    watch = NetworkWatch(log)
    for number in range(PENDING_MAX + 500):
        watch.see(refused(f"h{number}.example"), "because")
    watch.see(refused("x" * 100_000), "because")
    await watch.stop()
    found = await log.read(NetworkQuery(limit=10_000))
    assert len(found) == PENDING_MAX + 1
    assert sum(each.count for each in found) == PENDING_MAX + 501
    others = next(each for each in found if each.what.remote == OTHERS)
    assert others.count == 501


async def test_what_can_not_be_written_is_tried_again() -> None:
    """Nothing is lost, and what came meanwhile is added."""
    log = FullDisk()
    watch = NetworkWatch(log)
    watch.see(refused("a.example"), "first")
    await watch.flush()
    watch.see(refused("a.example"), "second")
    watch.see(refused("b.example"), "third")
    log.full = False
    await watch.stop()
    found = {each.what.remote: each for each in await log.read(NetworkQuery())}
    assert (found["a.example"].count, found["a.example"].reason) == (2, "second")
    assert found["b.example"].count == 1

"""What commands leave for the network log of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.domain.network_log import NetworkQuery, Occurrence
from linarite.storage.memory.network_log import MemoryNetworkLog
from linarite.storage.network_spool import BYTES_MAX, SPOOL_FILE, NetworkSpool
from linarite.telemetry.network_watch import NetworkWatch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from linarite.domain.network_log import Entry


def refused(host: str) -> Occurrence:
    """A refusal of a host."""
    return Occurrence(category="EgressRefused", direction="Outbound", remote=host, port=443)


def test_what_was_taken_goes_and_what_came_later_stays(tmp_path: Path) -> None:
    """Nothing is lost that a command left in between; only the owner may read it."""
    spool = NetworkSpool(tmp_path)
    assert spool.read() == ([], 0)
    spool.add(refused("a.example"), "because")
    entries, size = spool.read()
    assert [each.what.remote for each in entries] == ["a.example"]
    spool.add(refused("b.example"), "because")
    spool.drop(size)
    assert [each.what.remote for each in spool.read()[0]] == ["b.example"]
    assert (tmp_path / SPOOL_FILE).stat().st_mode & 0o777 == 0o600


def test_it_is_bounded_and_survives_what_is_half_written(tmp_path: Path) -> None:
    """A command that is killed, or tries for days, does no harm."""
    spool = NetworkSpool(tmp_path)
    spool.add(refused("a.example"), "because")
    with (tmp_path / SPOOL_FILE).open("ab") as file:
        file.write(b'{"what": {"cat\n')
    spool.add(refused("b.example"), "x" * BYTES_MAX)
    spool.add(refused("c.example"), "because")
    entries, size = spool.read()
    assert [each.what.remote for each in entries] == ["a.example", "b.example"]
    spool.drop(size)
    assert spool.read() == ([], 0)


def test_a_folder_that_is_not_there_keeps_nobody_from_working(tmp_path: Path) -> None:
    """The refusal is told on the screen anyhow."""
    spool = NetworkSpool(tmp_path / "none")
    spool.add(refused("a.example"), "because")
    spool.drop(1)
    assert spool.read() == ([], 0)


@pytest.mark.anyio
async def test_the_server_takes_it_into_its_log_once(tmp_path: Path) -> None:
    """And leaves it where it is while the log can't be written."""

    class FullDisk(MemoryNetworkLog):
        full = True

        async def add(self, entries: Sequence[Entry]) -> None:
            if self.full:
                raise OSError("no room")
            await super().add(entries)

    log, spool = FullDisk(), NetworkSpool(tmp_path)
    watch = NetworkWatch(log, left=spool)
    spool.add(refused("a.example"), "because")
    await watch.flush()
    assert spool.read()[0]
    log.full = False
    await watch.flush()
    await watch.flush()
    found = await log.read(NetworkQuery())
    assert [(each.what.remote, each.count) for each in found] == [("a.example", 1)]
    assert spool.read() == ([], 0)

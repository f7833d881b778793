"""The log of results on disk: what a death leaves of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.domain.batch import LineResult
from linarite.domain.content_seals import ContentDamaged
from linarite.domain.errors import ServiceUnavailable
from linarite.storage.account_seals import AccountSeals
from linarite.storage.memory.keys import MemoryKeyStore
from linarite.storage.memory.resources import MemoryResourceStore
from linarite.storage.memory.result_log import MemoryResultLog
from linarite.storage.result_log import FolderResultLog
from linarite.storage.sealed_results import SealedResultLog

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"


async def lines(log: FolderResultLog | SealedResultLog) -> list[bytes]:
    """What it has."""
    pieces = [piece async for piece in log.lines("a", ACCOUNT, failed=False)]
    return b"".join(pieces).splitlines()


@pytest.mark.parametrize("spoiled", [b"", b"2 o 1", b"\0\0\0\0\n", b"9 o 0 0 0 0 {}\n", b"2 o\n"])
async def test_what_is_spoiled_is_cut_off(tmp_path: Path, spoiled: bytes) -> None:
    """Wherever a record broke off: what came before is there, and the next one comes after it."""
    log = FolderResultLog(tmp_path / "batches")
    log.add("a", LineResult(0, failed=False, text=b'{"of": 0}'))
    log.close()
    file = tmp_path / "batches" / "a.results"
    file.write_bytes(file.read_bytes() + spoiled)
    again = FolderResultLog(tmp_path / "batches")
    assert bytes((await again.done("a", 3, ACCOUNT)).places) == b"\1\0\0"
    again.add("a", LineResult(2, failed=False, text=b'{"of": 2}'))
    assert await lines(again) == [b'{"of": 0}', b'{"of": 2}']
    again.close()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


async def test_every_way_to_break_off(tmp_path: Path) -> None:
    """At each byte of the last record."""
    log = FolderResultLog(tmp_path)
    for place in range(2):
        log.add("a", LineResult(place, failed=False, text=b'{"of": %d}' % place))
    log.close()
    file = tmp_path / "a.results"
    content = file.read_bytes()
    for size in range(len(content) // 2, len(content)):
        file.write_bytes(content[:size])
        assert bytes((await log.done("a", 2, ACCOUNT)).places) == b"\1\0"
        assert await lines(log) == [b'{"of": 0}']


async def test_a_folder_that_is_none(tmp_path: Path) -> None:
    """Is told as a store that can't be used."""
    (tmp_path / "batches").write_bytes(b"")
    with pytest.raises(ServiceUnavailable):
        FolderResultLog(tmp_path / "batches" / "below").add("a", LineResult(0, True, b"{}"))


async def test_sealed_results_are_not_in_the_clear() -> None:
    """They open for their batch alone."""
    kept = MemoryResultLog()
    keys = MemoryKeyStore()
    await keys.ensure(ACCOUNT)
    seals = AccountSeals(MemoryResourceStore(), keys.box_of, always=True)
    log = SealedResultLog(kept, seals)
    await log.done("a", 2, ACCOUNT)
    log.add("a", LineResult(0, failed=False, text=b'{"secret": 0}'))
    raw = [piece async for piece in kept.lines("a", ACCOUNT, failed=False)]
    assert b"secret" not in b"".join(raw)
    assert await lines(log) == [b'{"secret": 0}']
    kept.add("b", LineResult(0, failed=False, text=raw[0].strip()))
    with pytest.raises(ContentDamaged):
        _ = [piece async for piece in log.lines("b", ACCOUNT, failed=False)]

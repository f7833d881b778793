"""The work that the keeper of files does by itself."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from linarite.files import opening
from linarite.files.keeper import FileKeeper
from linarite.files.opening import FileUpkeep
from linarite.files.options import Files
from linarite.storage.memory.blobs import MemoryBlobs
from linarite.storage.memory.resources import MemoryResourceStore
from linarite.storage.memory.stored_objects import MemoryStoredObjects

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio


class FailingBlobs(MemoryBlobs):
    """A disk that fails at first."""

    def __init__(self) -> None:
        super().__init__()
        self.tried = 0

    async def names(self) -> list[str]:
        """See Blobs; not at the first time."""
        self.tried += 1
        if self.tried == 1:
            raise OSError("Input/output error")
        return await super().names()


async def test_a_disk_that_failed_is_tidied_up_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work goes on, and what has expired goes though the bytes can't be looked at."""
    monkeypatch.setattr(opening, "SWEEP_EVERY_S", 0.001)
    blobs, swept = FailingBlobs(), asyncio.Event()
    keeper = FileKeeper(MemoryStoredObjects(), blobs, Files())

    async def sweep() -> int:
        swept.set()
        return 0

    monkeypatch.setattr(keeper, "sweep", sweep)
    await blobs.write("nobody's", _one())
    task = asyncio.create_task(FileUpkeep(keeper, MemoryResourceStore()).run())
    try:
        async with asyncio.timeout(5):
            await swept.wait()
            while await blobs.names():
                assert not task.done()
                await asyncio.sleep(0)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _one() -> AsyncIterator[bytes]:
    yield b"1"

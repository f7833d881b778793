"""Uses of application keys on their way to disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.domain.errors import ServiceUnavailable
from linarite.identity.key_uses import KeyUses
from linarite.storage.memory.keys import MemoryKeyStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.domain.application_key import ApplicationKeyStore

pytestmark = pytest.mark.anyio


class FullDisk:
    """A store that can't be written at first."""

    def __init__(self, store: ApplicationKeyStore) -> None:
        self.full = True
        self.make, self.digests, self.drop = store.make, store.digests, store.drop
        self.last_used = store.last_used
        self._store = store

    async def note_used(self, used: Mapping[str, int]) -> None:
        """Refuse while it is full."""
        if self.full:
            raise ServiceUnavailable("the disk is full")
        await self._store.note_used(used)


async def test_what_cannot_be_written_is_tried_again() -> None:
    """With what came meanwhile; the later use of a key counts."""
    store = MemoryKeyStore().applications
    await store.make("/a", "1")
    await store.make("/a", "2")
    seen = [{"1": 5, "2": 6}, {"1": 7}]
    disk = FullDisk(store)
    uses = KeyUses(lambda: seen.pop(0) if seen else {}, disk)
    await uses.flush()
    assert store.last_used("1") == 0
    disk.full = False
    await uses.flush()
    assert (store.last_used("1"), store.last_used("2")) == (7, 6)


async def test_stopping_writes_the_rest() -> None:
    """Whether it had begun or not."""
    store = MemoryKeyStore().applications
    await store.make("/a", "1")
    seen = [{"1": 5}]
    uses = KeyUses(lambda: seen.pop(0) if seen else {}, store)
    uses.start()
    await uses.stop()
    assert store.last_used("1") == 5

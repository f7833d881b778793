"""Whether an account may store more: its bounds, and the floor of the disk that all share."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from linarite.domain.held_data import StorageUse
from linarite.domain.storage_errors import AccountStorageFull, DiskNearlyFull
from linarite.storage.options import Storage
from linarite.telemetry.standing import StoredBytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from linarite.domain.stored_object import StoredObjects

FILE_KINDS = ("file", "upload_part")
LOOK_EVERY_S = 1.0
"""how long what the disk has said is believed, less what has come since"""
UNBOUNDED = Storage(account_bytes_max=0, free_bytes_min=0)


class Disk:
    """The disk of a folder, and how much of it stays free."""

    def __init__(
        self,
        least_bytes: int = 0,
        free: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`free` tells the bytes; with `least_bytes` 0 it is not asked before anything comes."""
        self._least = least_bytes
        self._ask = free
        self._clock = clock
        self._known = 0
        self._looked_at = -LOOK_EVERY_S

    def require(self, coming_bytes: int = 0) -> None:
        """Raise DiskNearlyFull where so much would not leave enough."""
        if not self._least:
            return
        now = self._clock()
        if now - self._looked_at >= LOOK_EVERY_S:
            self._known, self._looked_at = self.free(), now
        self._known -= coming_bytes
        if self._known < self._least:
            raise DiskNearlyFull(self._known, self._least)

    def free(self) -> int:
        """Bytes that are free now."""
        return self._ask()


class Room:
    """What accounts store, and may. Counts are exact, also after a death (`StoredObjects.sizes`).

    What comes piece by piece is held from its first byte; of the rest the one that reaches the
    bound is still kept.
    """

    def __init__(
        self,
        objects: StoredObjects,
        options: Storage = UNBOUNDED,
        files_max: int = 0,
        disk: Disk | None = None,
    ) -> None:
        """`files_max`: bytes of an account's files; 0 without a bound of their own."""
        self.disk = disk or Disk()
        self._objects = objects
        self._options = options
        self._accounts = {name.lower(): most for name, most in options.accounts.items()}
        self._files_max = files_max
        self._coming: Counter[str] = Counter()
        """bytes by account that are on disk, or on their way there, and of no object yet"""

    async def require(
        self, account_id: str, coming_bytes: int = 1, *, kinds: Iterable[str] = ()
    ) -> None:
        """Raise AccountStorageFull, DiskNearlyFull where so many bytes more are too many.

        `kinds`: of what is stored, where that has a bound of its own (FILE_KINDS).
        """
        self.disk.require()
        most, setting = self.bound(account_id)
        if not most and not self._files_max:
            return
        sizes = await self._objects.sizes(account_id)
        coming_bytes += self._coming[account_id.lower()]
        if most and sum(sizes.values()) + coming_bytes > most:
            raise AccountStorageFull("all that it stores", most, setting)
        of_kinds = sum(sizes.get(each, 0) for each in kinds)
        if kinds and self._files_max and of_kinds + coming_bytes > self._files_max:
            raise AccountStorageFull("files", self._files_max, "files.total_bytes_max")

    def bound(self, account_id: str) -> tuple[int, str]:
        """How many bytes an account may store, 0 for any number, and the setting that says so."""
        name = account_id.rpartition("/")[2].lower()
        if name in self._accounts:
            return self._accounts[name], f"storage.accounts.{name}"
        return self._options.account_bytes_max, "storage.account_bytes_max"

    async def use_of(self, account_id: str) -> StorageUse:
        """How an account stands."""
        most, setting = self.bound(account_id)
        return StorageUse(
            used=sum((await self._objects.sizes(account_id)).values())
            + self._coming[account_id.lower()],
            most=most,
            setting=setting,
            disk_free=self.disk.free(),
            disk_free_min=self._options.free_bytes_min,
        )

    def stored(self) -> StoredBytes:
        """How a whole server stands."""
        kinds: Counter[str] = Counter()
        for sizes in self._objects.all_sizes().values():
            kinds.update(sizes)
        return StoredBytes(kinds, self.disk.free())

    def arrival(self, account_id: str, *, bounded: bool = True) -> Arrival:
        """What is about to come. Not `bounded`: of what is there already, or the server's own."""
        return Arrival(self, account_id, bounded=bounded)

    def hold(self, account_id: str, count_bytes: int) -> None:
        """Count what is of no object yet; negative once it is, or is gone."""
        account = account_id.lower()
        self._coming[account] += count_bytes
        if self._coming[account] <= 0:
            del self._coming[account]


class Arrival:
    """Bytes that come piece by piece. `end` once."""

    def __init__(self, room: Room, account_id: str, *, bounded: bool) -> None:
        self._room = room
        self._account_id = account_id
        self._bounded = bounded
        self._came = 0
        self._over = False

    async def take(self, count_bytes: int) -> None:
        """Have so many more. Raises AccountStorageFull, DiskNearlyFull."""
        self._room.disk.require(count_bytes)
        if self._bounded:
            await self._room.require(self._account_id, count_bytes, kinds=FILE_KINDS)
        if not self._over:  # else its writer was cancelled, and this piece was still on its way
            self._came += count_bytes
            self._room.hold(self._account_id, count_bytes)

    def end(self) -> None:
        """They belong to an object by now, or are gone."""
        self._over = True
        self._room.hold(self._account_id, -self._came)

"""What is held of an account: how much of what, since when and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

DATA_REPORT_TYPE = "Linarite.Operations/dataReports"


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """All that is held of an account of one kind. Times are seconds since the epoch."""

    kind: str
    """`file`, `upload`, `requestRecord`, …"""
    place: str
    """where an administrator finds it: a file or folder of the data folder"""
    count: int
    bytes: int
    """about; 0 where nobody counts them"""
    oldest: int
    newest: int
    ends_first: int = 0
    """when the first of it is removed by itself; 0: nothing is"""
    ends_last: int = 0
    """when the last of what ends is"""
    endless: int = 0
    """how many stay until somebody removes them, or the bounds of settings do"""


class StorageUse(msgspec.Struct, frozen=True, kw_only=True):
    """How much an account stores of what it may, in bytes."""

    used: int = 0
    """exactly, and what is arriving"""
    most: int = 0
    """0: any number"""
    setting: str = ""
    """which says so"""
    disk_free: int = 0
    disk_free_min: int = 0
    """below which nothing new is stored"""


class HoldsData(Protocol):
    """Knows what it holds of an account."""

    async def held(self, account_id: str) -> list[Held]:
        """Each kind of which there is something. Ids are compared without case."""
        ...


class HoldsAll(HoldsData, Protocol):
    """Knows it of a whole server, and how much more may be stored."""

    use_of: Callable[[str], Awaitable[StorageUse]]


class HeldData:
    """`HoldsData` of a whole server: whoever holds something says so here."""

    def __init__(self, *holders: HoldsData) -> None:
        self._holders = [*holders]
        self.use_of: Callable[[str], Awaitable[StorageUse]] = _nothing_stored
        """how much of what it may an account stores"""

    def add(self, holder: HoldsData) -> None:
        """Ask it too."""
        self._holders.append(holder)

    async def held(self, account_id: str) -> list[Held]:
        """See HoldsData; sorted by kind."""
        found = [each for holder in self._holders for each in await holder.held(account_id)]
        return sorted(found, key=lambda each: each.kind)


async def _nothing_stored(account_id: str) -> StorageUse:
    """Where nothing is stored."""
    del account_id
    return StorageUse()

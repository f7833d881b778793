"""What is held of an account: how much of what, since when and until when."""

from __future__ import annotations

from typing import Protocol

import msgspec

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


class HoldsData(Protocol):
    """Knows what it holds of an account."""

    async def held(self, account_id: str) -> list[Held]:
        """Each kind of which there is something. Ids are compared without case."""
        ...


class HeldData:
    """`HoldsData` of a whole server: whoever holds something says so here."""

    def __init__(self, *holders: HoldsData) -> None:
        self._holders = [*holders]

    def add(self, holder: HoldsData) -> None:
        """Ask it too."""
        self._holders.append(holder)

    async def held(self, account_id: str) -> list[Held]:
        """See HoldsData; sorted by kind."""
        found = [each for holder in self._holders for each in await holder.held(account_id)]
        return sorted(found, key=lambda each: each.kind)

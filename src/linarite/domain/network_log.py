"""What the network's rules have let pass or refused, for those who answer for them.

Alike occurrences of a day are one entry with a count, as in the access logs of Azure's network
security perimeters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

Direction = Literal["Inbound", "Outbound"]
EGRESS_REFUSED = "EgressRefused"
"""the category of what the server's or an account's own lists refuse; perimeters have Azure's"""


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """What tells one entry from another."""

    category: str
    direction: Direction
    account_id: str = ""
    """whose rules; "" for the server's own"""
    purpose: str = ""
    """of an outgoing connection; of a request, its operation"""
    remote: str = ""
    """the host that was to be reached, or the address that a request came from"""
    port: int = 0
    rule: str = ""
    """what decided"""
    perimeter_id: str = ""
    profile: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Alike occurrences of one day."""

    what: Occurrence
    reason: str
    """why, the last time, in words"""
    first_at: str
    """ISO 8601, UTC"""
    last_at: str
    count: int = 1
    place: str = ""
    """set by the log: where a next page goes on"""


class NetworkQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are wanted; what is empty matches all."""

    account_id: str = ""
    perimeter_id: str = ""
    category: str = ""
    direction: str = ""
    since: str = ""
    """last seen then or later"""
    after: str = ""
    """a `place`: only what comes after it"""
    limit: int = 200


class NetworkLog(Protocol):
    """Keeps entries; of an account and category the oldest go when there are too many."""

    async def add(self, entries: Sequence[Entry]) -> None:
        """Count them, all or none; they are on disk when it returns."""
        ...

    async def read(self, query: NetworkQuery) -> list[Entry]:
        """Those that match, what was seen last first; ids compared without case."""
        ...

    async def forget(self, before: str) -> int:
        """Remove what was last seen before a time (ISO 8601, UTC); how many there were."""
        ...


def key_of(entry: Entry) -> tuple[str, Occurrence]:
    """Two entries of the same key are one."""
    return entry.first_at[:10], entry.what


def joined(earlier: Entry, later: Entry) -> Entry:
    """One entry for both, of the same key."""
    return msgspec.structs.replace(
        earlier,
        reason=later.reason,
        first_at=min(earlier.first_at, later.first_at),
        last_at=max(earlier.last_at, later.last_at),
        count=earlier.count + later.count,
    )

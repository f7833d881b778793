"""A zone and the records in it, as answers are looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

NEGATIVE_TTL_S = 10
"""how long it may be remembered that a name is not there"""


class RecordSet(msgspec.Struct, frozen=True):
    """All records of one name and type."""

    owner: str
    """the whole name, in lower case, without the full stop at its end"""
    type: str
    ttl: int
    values: tuple[str, ...]
    """as zone files write them"""


class Zone:
    """The records of one zone by name."""

    def __init__(self, name: str, records: Iterable[RecordSet], *, redirects: bool = False) -> None:
        """`redirects`: what is not in it is looked for outside (`NxDomainRedirect`)."""
        self.name = name
        self.redirects = redirects
        self._records: dict[str, dict[str, RecordSet]] = {}
        self._above: set[str] = set()
        """names that are there only because something is below them"""
        for record in records:
            self._records.setdefault(record.owner, {}).setdefault(record.type, record)
            self._add_above(record.owner)

    def holds(self, name: str) -> bool:
        """Whether a name lies in it."""
        return name == self.name or name.endswith(f".{self.name}")

    def at(self, name: str) -> dict[str, RecordSet] | None:
        """The record sets of a name by type; none of a name that is only above others.

        None for a name that is not there. A wildcard answers for names below it (RFC 4592).
        """
        found = self._records.get(name)
        if found is not None or name in self._above or name == self.name:
            return found or {}
        above = name
        while above != self.name:
            above = above.partition(".")[2]
            stands_for = self._records.get(f"*.{above}")
            if stands_for is not None:
                return {
                    kind: msgspec.structs.replace(record, owner=name)
                    for kind, record in stands_for.items()
                }
            if above in self._records or above in self._above:
                break
        return None

    def soa(self) -> RecordSet | None:
        """Its SOA record, which tells how long an absence may be remembered."""
        return self._records.get(self.name, {}).get("SOA")

    def _add_above(self, owner: str) -> None:
        above = owner.partition(".")[2]
        while above.endswith(f".{self.name}"):
            self._above.add(above)
            above = above.partition(".")[2]

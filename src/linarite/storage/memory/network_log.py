"""The network log in a dictionary."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.network_log import Entry, joined, key_of
from linarite.storage.network_key import ENTRIES_MAX, network_key, place_of
from linarite.storage.resource_id import id_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.network_log import NetworkQuery


class MemoryNetworkLog:
    """`NetworkLog` without a file: gone with the process."""

    def __init__(self, entries_max: int = ENTRIES_MAX) -> None:
        self._entries: dict[str, Entry] = {}
        self._entries_max = entries_max

    async def add(self, entries: Sequence[Entry]) -> None:
        """Count them."""
        for entry in entries:
            key = network_key(key_of(entry))
            there = self._entries.get(key)
            counted = joined(there, entry) if there is not None else entry
            self._entries[key] = msgspec.structs.replace(
                counted, place=place_of(counted.last_at, key)
            )
        kept: Counter[tuple[str, str]] = Counter()
        ordered = sorted(self._entries.items(), key=lambda each: each[1].place, reverse=True)
        self._entries = {}
        for key, each in ordered:
            group = (id_key(each.what.account_id), each.what.category)
            kept[group] += 1
            if kept[group] <= self._entries_max:
                self._entries[key] = each

    async def read(self, query: NetworkQuery) -> list[Entry]:
        """Those that match, what was seen last first."""
        ordered = sorted(self._entries.values(), key=lambda each: each.place, reverse=True)
        return [each for each in ordered if _matches(each, query)][: query.limit]

    async def forget(self, before: str) -> int:
        """Remove what was last seen before a time; how many there were."""
        kept = {key: each for key, each in self._entries.items() if each.last_at >= before}
        gone = len(self._entries) - len(kept)
        self._entries = kept
        return gone


def _matches(entry: Entry, query: NetworkQuery) -> bool:
    what = entry.what
    return (
        id_key(query.account_id) in ("", id_key(what.account_id))
        and id_key(query.perimeter_id) in ("", id_key(what.perimeter_id))
        and query.category in ("", what.category)
        and query.direction in ("", what.direction)
        and entry.last_at >= query.since
        and (not query.after or entry.place < query.after)
    )

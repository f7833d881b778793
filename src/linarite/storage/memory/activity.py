"""The activity log in a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.storage.resource_id import id_key, range_under

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.activity import ActivityEvent, ActivityQuery


class MemoryActivityLog:
    """`ActivityLog` without a file: gone with the process."""

    def __init__(self) -> None:
        self._events: list[ActivityEvent] = []
        self._last = 0

    async def add(self, events: Sequence[ActivityEvent]) -> None:
        """Keep them."""
        for event in events:
            self._last += 1
            self._events.append(msgspec.structs.replace(event, seq=self._last))

    async def read(self, query: ActivityQuery) -> list[ActivityEvent]:
        """Those that match, the newest first."""
        found = [event for event in reversed(self._events) if _matches(event, query)]
        return found[: query.limit]

    async def forget(self, before: str) -> int:
        """Remove what happened before a time; how many there were."""
        kept = [event for event in self._events if event.at >= before]
        gone = len(self._events) - len(kept)
        self._events = kept
        return gone


def _matches(event: ActivityEvent, query: ActivityQuery) -> bool:
    key = id_key(event.resource_id)
    first, end = range_under(query.under)
    return (
        event.subscription.lower() == query.subscription.lower()
        and (not query.since or event.at >= query.since)
        and (not query.until or event.at <= query.until)
        and (not query.under or key == id_key(query.under) or first <= key < end)
        and query.correlation_id.lower() in ("", event.correlation_id.lower())
        and (not query.before_seq or event.seq < query.before_seq)
    )

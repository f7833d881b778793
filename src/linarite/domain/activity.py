"""The activity log: who changed what, kept apart from the resources themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence


class ActivityEvent(msgspec.Struct, frozen=True):
    """One record: the beginning or the end of an operation."""

    at: str
    """ISO 8601, UTC"""
    subscription: str
    resource_id: str
    correlation_id: str
    """the same for the beginning and the end"""
    body: dict[str, Any]
    """the whole event, as Azure Monitor shows it"""
    seq: int = 0
    """set by the log: later events have higher ones"""


class ActivityQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which events are wanted; what is empty matches all."""

    subscription: str
    since: str = ""
    until: str = ""
    under: str = ""
    """a resource's or a resource group's id: it and all below it"""
    correlation_id: str = ""
    before_seq: int = 0
    """only earlier ones than this; 0 for all"""
    limit: int = 200


class ActivityLog(Protocol):
    """Keeps events in the order in which they come. Every write is on disk when it returns."""

    async def add(self, events: Sequence[ActivityEvent]) -> None:
        """Keep them, all or none."""
        ...

    async def read(self, query: ActivityQuery) -> list[ActivityEvent]:
        """Those that match, the newest first, ids compared without case."""
        ...

    async def forget(self, before: str) -> int:
        """Remove what happened before a time (ISO 8601, UTC); how many there were."""
        ...

"""Bounds on what strangers can make us write: the first of a minute singly, the rest counted.

Nothing is dropped silently. What is not written singly is counted by what it was, and a summary
event tells how many there were, when, and from where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.audit import AuditEvent

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_S = 60.0
KINDS_MAX = 200
"""kinds of events that are counted apart; further ones are counted together"""
ADDRESSES_MAX = 20
"""addresses that a summary names; further ones are counted together"""
OTHERS = "others"

_Kind = tuple[str, str, str, str, str, int]


class _Folded:
    """Events of one kind that were counted."""

    def __init__(self, first: AuditEvent) -> None:
        self.like = first
        self.count = 0
        self.last_at = first.at
        self.addresses: dict[str, int] = {}

    def add(self, event: AuditEvent) -> None:
        self.count += 1
        self.last_at = event.at
        address = event.address
        if address not in self.addresses and len(self.addresses) >= ADDRESSES_MAX:
            address = OTHERS
        self.addresses[address] = self.addresses.get(address, 0) + 1


class Flood:
    """Counts what comes in a window of a minute."""

    def __init__(self, singly_max: int, clock: Callable[[], float]) -> None:
        """`singly_max` events of a window are let through; `clock` gives seconds."""
        self._singly_max = singly_max
        self._clock = clock
        self._window_began = -WINDOW_S
        self._let_through = 0
        self._folded: dict[_Kind, _Folded] = {}

    @property
    def folded(self) -> int:
        """Events that are counted and not yet told."""
        return sum(each.count for each in self._folded.values())

    def admits(self) -> bool:
        """Whether the next event may be written singly; counts it then."""
        now = self._clock()
        if now - self._window_began >= WINDOW_S:
            self._window_began, self._let_through = now, 0
        if self._let_through >= self._singly_max:
            return False
        self._let_through += 1
        return True

    def fold(self, event: AuditEvent) -> None:
        """Count an event instead."""
        kind = (
            event.category,
            event.action,
            event.resource_id,
            event.code,
            event.decided_by,
            event.status,
        )
        if kind not in self._folded and len(self._folded) >= KINDS_MAX:
            kind = (event.category, OTHERS, "", OTHERS, "", 0)
            event = msgspec.structs.replace(
                event, action=OTHERS, resource_id="", code=OTHERS, decided_by="", status=0
            )
        if kind not in self._folded:
            self._folded[kind] = _Folded(event)
        self._folded[kind].add(event)

    def summaries(self) -> list[AuditEvent]:
        """An event for each kind that was counted; counting begins anew."""
        told = [_summary(each) for each in self._folded.values()]
        self._folded = {}
        return told


def _summary(folded: _Folded) -> AuditEvent:
    like = folded.like
    return AuditEvent(
        at=folded.last_at,
        category=like.category,
        action=like.action,
        outcome=like.outcome,
        status=like.status,
        code=like.code,
        resource_id=like.resource_id,
        decided_by=like.decided_by,
        details={
            "folded": folded.count,
            "first": like.at,
            "last": folded.last_at,
            "addresses": ", ".join(
                f"{address or 'unknown'} ({count})" for address, count in folded.addresses.items()
            ),
        },
    )

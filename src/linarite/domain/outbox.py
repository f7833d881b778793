"""What waits to be delivered to a webhook, and the port that keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

LetterState = Literal["Waiting", "Delivered", "Dead"]
"""dead: given up, after the last attempt failed or because the other side wants no more"""

LETTERS_MAX = 10_000
"""how many are kept; the oldest of those that have ended go first"""
WAITING_MAX = 500
"""how many may wait for one destination: one that is dead leaves room to all others"""

ACCOUNT_WAITING_MAX = 2_000
"""how many may wait of one account, or of the budgets of one scope: many dead destinations of one
leave room to others'"""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one webhook, and how its delivery stands."""

    id: str
    """the same for every attempt: `webhook-id`"""
    destination: str
    """who gets it; where that is and how it is signed is looked up at each attempt"""
    type: str
    """of the notice"""
    body: str
    """what is sent, JSON"""
    account_id: str = ""
    """whose it is, and whose bound holds: of a budget, the id of its scope"""
    made_at: str
    """ISO 8601, UTC, with microseconds, as all times here"""
    state: LetterState = "Waiting"
    attempts: int = 0
    due_at: str
    """when the next attempt is made; of one that has ended, when it ended"""
    outcome: str = ""
    """of the last attempt, in words"""


class OutboxQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters are wanted; what is empty matches all."""

    id: str = ""
    state: str = ""
    account_id: str = ""
    limit: int = 200


class Deliveries(Protocol):
    """What people may see and do about letters. Both raise ServiceUnavailable."""

    async def read(self, query: OutboxQuery) -> list[Letter]:
        """As `Outbox.read`."""
        ...

    async def send_again(self, letter: Letter) -> Letter:
        """Begin anew with one that has ended; as it then stands."""
        ...


class NothingSent:
    """Of a server without webhooks."""

    async def read(self, query: OutboxQuery) -> list[Letter]:
        """None."""
        del query
        return []

    async def send_again(self, letter: Letter) -> Letter:
        """The same."""
        return letter


NOTHING_SENT = NothingSent()


class Outbox(Protocol):
    """Keeps letters by id, at most `LETTERS_MAX`.

    Of those `WAITING_MAX` wait for one destination at most, and `ACCOUNT_WAITING_MAX` of one
    account; what is no account's has only the former bound.

    Every write is on disk when the call returns.

    All raise ServiceUnavailable when the store can't be used.
    """

    async def add(self, letters: Sequence[Letter]) -> list[str]:
        """Keep those whose ids are not there yet; the ids of those that found no room.

        Letters that have ended make room, the oldest first; those that wait never do.
        """
        ...

    async def due(self, at: str, limit: int, without: Collection[str] = ()) -> list[Letter]:
        """Those that wait and are due at a time, the longest due first.

        `without` names destinations whose letters are not wanted.
        """
        ...

    async def next_due_at(self, without: Collection[str] = ()) -> str | None:
        """When the next one that waits is due; None when none waits."""
        ...

    async def keep(self, letter: Letter) -> None:
        """Replace the one with its id."""
        ...

    async def read(self, query: OutboxQuery) -> list[Letter]:
        """Those that match, the newest first; account ids compared without case."""
        ...

    async def forget(self, ended_before: str) -> int:
        """Remove those that ended before a time; how many there were."""
        ...

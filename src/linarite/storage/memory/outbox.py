"""The outbox of webhooks in a dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.outbox import ACCOUNT_WAITING_MAX, LETTERS_MAX, WAITING_MAX
from linarite.storage.resource_id import id_key

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from linarite.domain.outbox import Letter, OutboxQuery


class MemoryOutbox:
    """`Outbox` without a file: gone with the process."""

    def __init__(
        self,
        letters_max: int = LETTERS_MAX,
        waiting_max: int = WAITING_MAX,
        account_waiting_max: int = ACCOUNT_WAITING_MAX,
    ) -> None:
        self._letters: dict[str, Letter] = {}
        self._letters_max = letters_max
        self._waiting_max = waiting_max
        self._account_waiting_max = account_waiting_max

    async def add(self, letters: Sequence[Letter]) -> list[str]:
        """Keep those whose ids are not there yet; the ids of those that found no room."""
        refused: list[str] = []
        for letter in letters:
            if letter.id in self._letters:
                continue
            if not self._has_room(letter):
                refused.append(letter.id)
                continue
            self._letters[letter.id] = letter
        return refused

    async def due(self, at: str, limit: int, without: Collection[str] = ()) -> list[Letter]:
        """Those that wait and are due at a time, the longest due first."""
        found = [each for each in self._waiting(without) if each.due_at <= at]
        return found[:limit]

    async def next_due_at(self, without: Collection[str] = ()) -> str | None:
        """When the next one that waits is due; None when none waits."""
        return next((each.due_at for each in self._waiting(without)), None)

    async def keep(self, letter: Letter) -> None:
        """Replace the one with its id."""
        if letter.id in self._letters:
            self._letters[letter.id] = letter

    async def read(self, query: OutboxQuery) -> list[Letter]:
        """Those that match, the newest first."""
        found = [
            each
            for each in self._letters.values()
            if query.id in ("", each.id)
            and query.state in ("", each.state)
            and id_key(query.account_id) in ("", id_key(each.account_id))
        ]
        return sorted(found, key=lambda each: (each.made_at, each.id), reverse=True)[: query.limit]

    async def forget(self, ended_before: str) -> int:
        """Remove those that ended before a time; how many there were."""
        gone = [
            each.id
            for each in self._letters.values()
            if each.state != "Waiting" and each.due_at < ended_before
        ]
        for letter_id in gone:
            del self._letters[letter_id]
        return len(gone)

    def _waiting(self, without: Collection[str]) -> list[Letter]:
        waiting = [
            each
            for each in self._letters.values()
            if each.state == "Waiting" and each.destination not in without
        ]
        return sorted(waiting, key=lambda each: (each.due_at, each.id))

    def _has_room(self, letter: Letter) -> bool:
        waiting = list(self._waiting(()))
        if sum(each.destination == letter.destination for each in waiting) >= self._waiting_max:
            return False
        account = id_key(letter.account_id)
        alike = sum(id_key(each.account_id) == account for each in waiting)
        if account and alike >= self._account_waiting_max:
            return False
        return len(self._letters) < self._letters_max or self._made_room()

    def _made_room(self) -> bool:
        ended = [each for each in self._letters.values() if each.state != "Waiting"]
        if not ended:
            return False
        del self._letters[min(ended, key=lambda each: (each.due_at, each.id)).id]
        return True

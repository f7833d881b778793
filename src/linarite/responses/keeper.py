"""Keeping responses: each with what went in, what came out, and what it went on from."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.response_errors import ContextTooLarge
from linarite.domain.stored_object import StoredObject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.domain.stored_object import StoredObjects
    from linarite.responses.options import Responses

RESPONSE = "response"
DAY_S = 86_400
ENDED = frozenset(("completed", "incomplete"))
"""states in which a response can be gone on from"""
ID_DIGITS = 32
"""hexadecimal digits that a response and its items have in common"""

CONTEXT_BYTES_MAX = 64 * 1024 * 1024
"""of everything that a request goes on from, as it is kept: twice a body of the usual bound"""

Item = dict[str, Any]


class NewResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A response and whose it is."""

    account_id: str
    owner: str
    response: dict[str, Any]
    input: list[Item]
    before: list[str]
    """ids of the responses that it went on from, the oldest first"""


class ResponseKeeper:
    """The responses of all accounts. Every look-up is by account and id, and by owner."""

    def __init__(
        self,
        objects: StoredObjects,
        options: Responses,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._objects = objects
        self._lives_s = options.retention_days * DAY_S
        self._now = now
        self._gathered = Gathered()
        self._writing = asyncio.Lock()

    async def find(
        self, account_id: str, response_id: str, owner: str | None
    ) -> StoredObject | None:
        """A response; None for one that is absent, expired, another account's or owner's.

        `owner` None stands for all.
        """
        found = await self._objects.get(account_id, RESPONSE, response_id)
        return found if found is not None and self._is_seen(found, owner) else None

    async def context_of(self, found: StoredObject, owner: str | None) -> list[Item]:
        """What had been said when a response ended; what was deleted since is not in it.

        Raises ContextTooLarge.
        """
        ids: list[str] = found.body["before"]
        size = await self._objects.size_of(found.account_id, RESPONSE, object_ids=[*ids, found.id])
        if size > CONTEXT_BYTES_MAX:
            raise ContextTooLarge("previous_response_id", CONTEXT_BYTES_MAX)
        earlier = await self._objects.those(found.account_id, RESPONSE, ids)
        said = [each for each in earlier if self._is_seen(each, owner)]
        return [item for each in (*said, found) for item in items_of(each)]

    def made(self, new: NewResponse) -> StoredObject:
        """A response as it is kept."""
        created_at = int(new.response["created_at"])
        return StoredObject(
            account_id=new.account_id,
            kind=RESPONSE,
            id=new.response["id"],
            created_at=created_at,
            owner=new.owner,
            expires_at=created_at + self._lives_s,
            body={"response": new.response, "input": new.input, "before": new.before},
        )

    async def keep(self, made: StoredObject) -> None:
        """Keep a new one; it is on disk when this returns.

        Those that come while a write is under way go to disk together: each write waits for it.
        """
        gathered = self._gathered
        gathered.objects.append(made)
        if gathered.written is None:
            gathered.written = asyncio.create_task(self._write(gathered))
            gathered.written.add_done_callback(_looked_at)
        await asyncio.shield(gathered.written)  # who leaves takes nobody else's with them

    async def _write(self, gathered: Gathered) -> None:
        async with self._writing:
            self._gathered = Gathered()
            await self._objects.write(added=gathered.objects)

    async def remove(self, found: StoredObject) -> bool:
        """Forget it; False when somebody else has."""
        return await self._objects.remove(found.account_id, RESPONSE, found.id)

    def _is_seen(self, found: StoredObject, owner: str | None) -> bool:
        alive = not 0 < found.expires_at <= self._now()
        return alive and (owner is None or owner == found.owner)


class Gathered:
    """Responses that go to disk together."""

    def __init__(self) -> None:
        self.objects: list[StoredObject] = []
        self.written: asyncio.Task[None] | None = None


def _looked_at(written: asyncio.Task[None]) -> None:
    """Whoever waited for it is told; where all have left, nobody is."""
    if not written.cancelled():
        written.exception()


def response_of(item_id: str) -> str:
    """The id of the response that an item belongs to: both have the same digits."""
    return f"resp_{item_id.partition('_')[2][:ID_DIGITS]}"


def items_of(found: StoredObject) -> Sequence[Item]:
    """What went into a response and what came out."""
    return [*found.body["input"], *found.body["response"]["output"]]

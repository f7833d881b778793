"""The events of responses that are made in the background: kept, and followed from any of them.

Nobody is told of an event before it is on disk: who follows on after the server has died is told
the same as before.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from linarite.domain.stored_object import Page, StoredObject

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from linarite.domain.stored_object import StoredObjects

EVENTS = "response_events"
READ_AT_ONCE = 100
LOOK_AGAIN_S = 5.0
"""a response may have been deleted while somebody follows it"""


class EventLog:
    """Events by response: pieces of the stream, numbered from 0 by their place."""

    def __init__(self, objects: StoredObjects) -> None:
        self._objects = objects
        self._news: dict[str, asyncio.Event] = {}

    def entry(
        self, response: StoredObject, first: int, frames: Sequence[bytes], *, last: bool = False
    ) -> StoredObject:
        """Events as they are kept; `first` is the number of the first of them."""
        body: dict[str, Any] = {
            "first": first,
            "frames": [each.decode() for each in frames],
            "last": last,
        }
        return StoredObject(
            account_id=response.account_id,
            kind=EVENTS,
            id=f"{response.id}.{first:08}",
            created_at=response.created_at,
            owner=response.owner,
            label=response.id,
            expires_at=response.expires_at,
            body=body,
        )

    def told(self, response_id: str) -> None:
        """There are new ones on disk."""
        event = self._news.pop(response_id, None)
        if event is not None:
            event.set()

    async def follow(self, response: StoredObject, after: int) -> AsyncGenerator[bytes, None]:
        """The events behind the one of that number, as they are told; -1: from the first.

        Ends with the last one, or when the response has gone.
        """
        read_to = ""
        while True:
            news = self._news.setdefault(response.id, asyncio.Event())
            for entry in await self._entries(response, read_to):
                read_to = entry.id
                skipped = max(0, after + 1 - int(entry.body["first"]))
                for frame in entry.body["frames"][skipped:]:
                    yield frame.encode()
                if entry.body["last"]:
                    self._news.pop(response.id, None)
                    return
            if not await self._is_there(response):
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await news.wait()

    async def remove(self, response: StoredObject) -> None:
        """Forget all of a response's."""
        while entries := await self._entries(response, ""):
            for entry in entries:
                await self._objects.remove(entry.account_id, EVENTS, entry.id)
        self.told(response.id)

    async def count(self, response: StoredObject) -> int:
        """How many there are."""
        newest = Page(limit=1, label=response.id)
        found = await self._objects.list(response.account_id, EVENTS, newest)
        return int(found[0].body["first"]) + len(found[0].body["frames"]) if found else 0

    async def _entries(self, response: StoredObject, after: str) -> list[StoredObject]:
        page = Page(limit=READ_AT_ONCE, after=after, ascending=True, label=response.id)
        return await self._objects.list(response.account_id, EVENTS, page)

    async def _is_there(self, response: StoredObject) -> bool:
        kind, account = response.kind, response.account_id
        return await self._objects.get(account, kind, response.id) is not None

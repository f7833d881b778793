"""Keeping conversations: their items one by one, in the order in which they were said."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.response_errors import ContextTooLarge
from linarite.domain.stored_object import Page, StoredObject
from linarite.responses.keeper import CONTEXT_BYTES_MAX
from linarite.web.ids import new_guid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.domain.stored_object import StoredObjects

CONVERSATION, ITEM = "conversation", "conversation_item"
READ_AT_ONCE = 1000

Item = dict[str, Any]


class ConversationKeeper:
    """The conversations of all accounts. They last until they are deleted."""

    def __init__(self, objects: StoredObjects, now: Callable[[], float] = time.time) -> None:
        self._objects = objects
        self._now = now

    async def make(
        self, account_id: str, owner: str, metadata: dict[str, str], items: Sequence[Item]
    ) -> StoredObject:
        """A new one that begins with these items."""
        made = StoredObject(
            account_id=account_id,
            kind=CONVERSATION,
            id=f"conv_{new_guid().replace('-', '')}",
            created_at=int(self._now()),
            owner=owner,
            body={"metadata": metadata},
        )
        await self._objects.write(added=[made, *self.items_made(made, items)])
        return made

    async def find(
        self, account_id: str, conversation_id: str, owner: str | None
    ) -> StoredObject | None:
        """A conversation; None for one that is absent, another account's or another owner's."""
        found = await self._objects.get(account_id, CONVERSATION, conversation_id)
        return found if found is not None and owner in {None, found.owner} else None

    async def describe(self, found: StoredObject, metadata: dict[str, str]) -> StoredObject | None:
        """Change its metadata; None when it has gone."""
        changed = msgspec.structs.replace(found, body={"metadata": metadata})
        return changed if await self._objects.write(replaced=[changed]) else None

    async def remove(self, found: StoredObject) -> None:
        """Forget it with everything that was said in it: a death in between leaves it to be found.

        What is added meanwhile goes too.
        """
        await self._remove_items(found)
        await self._objects.remove(found.account_id, CONVERSATION, found.id)
        await self._remove_items(found)

    async def add(self, found: StoredObject, items: Sequence[Item]) -> bool:
        """Add items at its end, all or none; False when it has gone.

        Raises ContextTooLarge where no model could be asked with what it has already.
        """
        await self._require_readable(found)
        return await self._objects.write(added=self.items_made(found, items), needed=[found])

    async def keep_with(
        self, found: StoredObject, response: StoredObject, items: Sequence[Item]
    ) -> None:
        """Keep a response and its items in one; without them where the conversation has gone."""
        added = [response, *self.items_made(found, items)]
        if not await self._objects.write(added=added, needed=[found]):
            await self._objects.add(response)

    async def items(self, found: StoredObject, page: Page) -> list[Item]:
        """A part of its items. `page.after` is the id of an item."""
        part = msgspec.structs.replace(page, after=_key(page.after), label=found.id)
        return [each.body for each in await self._page(found, part)]

    async def all_items(self, found: StoredObject, most: int) -> list[Item]:
        """Its items, the oldest first; one more than `most` at most. Raises ContextTooLarge."""
        await self._require_readable(found)
        return await self.items(found, Page(limit=most + 1, ascending=True))

    async def item(self, found: StoredObject, item_id: str) -> Item | None:
        """One of its items."""
        item = await self._objects.get(found.account_id, ITEM, _key(item_id))
        fits = item is not None and item.label == found.id and item.body["id"] == item_id
        return item.body if item is not None and fits else None

    async def remove_item(self, found: StoredObject, item_id: str) -> bool:
        """Forget one; False when it is not there."""
        if await self.item(found, item_id) is None:
            return False
        return await self._objects.remove(found.account_id, ITEM, _key(item_id))

    def items_made(self, found: StoredObject, items: Sequence[Item]) -> list[StoredObject]:
        """Items as they are kept."""
        return [
            StoredObject(
                account_id=found.account_id,
                kind=ITEM,
                id=_key(item["id"]),
                created_at=int(self._now()),
                owner=found.owner,
                label=found.id,
                body=item,
            )
            for item in items
        ]

    async def _require_readable(self, found: StoredObject) -> None:
        size = await self._objects.size_of(found.account_id, ITEM, label=found.id)
        if size > CONTEXT_BYTES_MAX:
            raise ContextTooLarge("conversation", CONTEXT_BYTES_MAX)

    async def _remove_items(self, found: StoredObject) -> None:
        while items := await self._page(found, Page(limit=READ_AT_ONCE, label=found.id)):
            if not await self._objects.write(removed=items):  # somebody else removes, too
                for item in items:
                    await self._objects.remove(item.account_id, ITEM, item.id)

    async def _page(self, found: StoredObject, page: Page) -> list[StoredObject]:
        return await self._objects.list(found.account_id, ITEM, page)


def _key(item_id: str) -> str:
    """What items are kept by: their ids without what they begin with sort as they were said."""
    return item_id.partition("_")[2]

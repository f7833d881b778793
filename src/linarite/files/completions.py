"""Chat completions that applications have stored (`store: true`): kept, found, listed, ended."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.stored_completion_errors import CompletionsAreFull, CompletionsNotKept
from linarite.domain.stored_object import Page, StoredObject
from linarite.files.keeper import EVERYBODY
from linarite.files.room import Room

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.stored_object import StoredObjects
    from linarite.files.options import StoredCompletions

COMPLETION = "stored_completion"
FIRST_LOOK, LOOKED_AT_ONCE = 8, 100
READ_AT_ONCE_BYTES = 32 * 1024 * 1024
DAY_S = 86_400


class NewCompletion(msgspec.Struct, frozen=True, kw_only=True):
    """An answered chat that is to be stored."""

    account_id: str
    owner: str
    id: str
    """as the answer tells it; ids sort as they were made"""
    deployment: str
    answer: dict[str, Any]
    """the plain answer, as it was told or would have been"""
    messages: list[dict[str, Any]]
    asked: dict[str, Any]
    """what else the request said, and its id"""
    metadata: dict[str, str]


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which stored completions are wanted; what is empty matches all."""

    model: str = ""
    """a deployment's name, or what answers call its model"""
    metadata: Mapping[str, str] = {}

    def takes(self, stored: StoredObject) -> bool:
        """Whether it is one of those."""
        body = stored.body
        if self.model and self.model not in {stored.label, body["deployment"]}:
            return False
        held = body["metadata"]
        return all(held.get(key) == value for key, value in self.metadata.items())


class CompletionKeeper:
    """Those of all accounts. Every look-up is by account and id, and by owner where asked."""

    def __init__(
        self,
        objects: StoredObjects,
        options: StoredCompletions,
        now: Callable[[], float] = time.time,
        room: Room | None = None,
    ) -> None:
        """`room` None: without bounds beside that of the options."""
        self._room = room or Room(objects)
        self._objects = objects
        self._options = options
        self._now = now

    async def require_room(self, account_id: str) -> None:
        """Raise CompletionsNotKept where settings keep none, CompletionsAreFull beyond the bound.

        AccountStorageFull, DiskNearlyFull where nothing more may be stored at all.
        Before a model is asked: what is answered in vain costs as much.
        """
        most = self._options.bytes_max
        if not most:
            raise CompletionsNotKept
        held = (await self._objects.sizes(account_id)).get(COMPLETION, 0)
        if held >= most:
            raise CompletionsAreFull(most)
        await self._room.require(account_id)

    async def keep(self, new: NewCompletion) -> StoredObject:
        """Store it; it survives the death of the process when this returns."""
        now = int(self._now())
        made = StoredObject(
            account_id=new.account_id,
            kind=COMPLETION,
            id=new.id,
            created_at=now,
            owner=new.owner,
            label=str(new.answer.get("model", "")),
            expires_at=now + self._options.days * DAY_S if self._options.days else 0,
            body={
                "answer": new.answer,
                "messages": new.messages,
                "asked": new.asked,
                "metadata": new.metadata,
                "deployment": new.deployment,
            },
        )
        await self._objects.add(made)
        return made

    async def find(self, account_id: str, wanted: str, owner: str | None) -> StoredObject | None:
        """One; None for one that is absent, expired, another account's or another owner's."""
        found = await self._objects.get(account_id, COMPLETION, wanted)
        if found is None or owner not in {EVERYBODY, found.owner}:
            return None
        return None if 0 < found.expires_at <= self._now() else found

    async def list(self, account_id: str, page: Page, wanted: Filter) -> list[StoredObject]:
        """A part of those that match, in the order of their ids, without their messages."""
        matching: list[StoredObject] = []
        part = msgspec.structs.replace(
            page,
            limit=FIRST_LOOK,
            alive_at=int(self._now()),
            bytes_max=READ_AT_ONCE_BYTES,
        )
        while len(matching) < page.limit:
            found = await self._objects.list(account_id, COMPLETION, part)
            matching += [_without_messages(each) for each in found if wanted.takes(each)]
            if not found:
                break
            more = min(2 * len(found), LOOKED_AT_ONCE)  # few where they are large
            part = msgspec.structs.replace(part, after=found[-1].id, limit=more)
        return matching[: page.limit]

    async def tell(self, stored: StoredObject, metadata: dict[str, str]) -> StoredObject | None:
        """Give it other metadata; None when it is not there any more."""
        changed = msgspec.structs.replace(stored, body=stored.body | {"metadata": metadata})
        return changed if await self._objects.write(replaced=[changed]) else None

    async def remove(self, stored: StoredObject) -> bool:
        """Forget it; False when it was not there any more."""
        return await self._objects.remove(stored.account_id, COMPLETION, stored.id)


def _without_messages(stored: StoredObject) -> StoredObject:
    """What lists show: messages may be a whole body's bytes."""
    return msgspec.structs.replace(stored, body=stored.body | {"messages": []})

"""Stored objects whose bodies are sealed where their account asks for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.content_seals import ContentDamaged
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.content_seals import ContentSeals
    from linarite.domain.secret_box import SecretBox
    from linarite.domain.stored_object import Page, StoredObject, StoredObjects

SEALED = "$sealed"
"""the one field of a body that is sealed"""


class SealedStoredObjects:
    """`StoredObjects` over another, to which no body comes in the clear that must be sealed.

    A body is bound to its account, kind and id. Label, owner and times stay readable: they are
    what is asked by. What upkeep reads (`expired`, `of_account`) keeps its bodies sealed.
    """

    def __init__(self, kept: StoredObjects, seals: ContentSeals) -> None:
        self._kept = kept
        self._seals = seals
        self.remove = kept.remove
        self.count = kept.count
        self.sizes = kept.sizes
        self.all_sizes = kept.all_sizes
        self.end = kept.end
        self.held = kept.held
        self.size_of = kept.size_of
        self.expired = kept.expired
        self.blobs = kept.blobs
        self.accounts = kept.accounts
        self.of_account = kept.of_account

    async def add(self, made: StoredObject) -> None:
        """See StoredObjects."""
        await self._kept.add((await self._sealed([made]))[0])

    async def get(self, account_id: str, kind: str, object_id: str) -> StoredObject | None:
        """See StoredObjects."""
        found = await self._kept.get(account_id, kind, object_id)
        return None if found is None else (await self._opened([found]))[0]

    async def those(
        self, account_id: str, kind: str, object_ids: Sequence[str]
    ) -> list[StoredObject]:
        """See StoredObjects."""
        return await self._opened(await self._kept.those(account_id, kind, object_ids))

    async def write(
        self,
        *,
        added: Sequence[StoredObject] = (),
        replaced: Sequence[StoredObject] = (),
        removed: Sequence[StoredObject] = (),
        needed: Sequence[StoredObject] = (),
    ) -> bool:
        """See StoredObjects."""
        return await self._kept.write(
            added=await self._sealed(added),
            replaced=await self._sealed(replaced),
            removed=removed,
            needed=needed,
        )

    async def list(self, account_id: str, kind: str, page: Page) -> list[StoredObject]:
        """See StoredObjects."""
        return await self._opened(await self._kept.list(account_id, kind, page))

    async def _sealed(self, objects: Sequence[StoredObject]) -> list[StoredObject]:
        boxes: dict[str, SecretBox | None] = {}
        for each in objects:
            if each.account_id not in boxes:
                boxes[each.account_id] = await self._seals.box_for_new(each.account_id)
        if not any(boxes.values()):
            return list(objects)
        return await asyncio.to_thread(
            lambda: [_sealed(each, boxes[each.account_id]) for each in objects]
        )

    async def _opened(self, objects: Sequence[StoredObject]) -> list[StoredObject]:
        boxes: dict[str, SecretBox] = {}
        for each in objects:
            if SEALED in each.body and each.account_id not in boxes:
                boxes[each.account_id] = await self._seals.box_of(each.account_id)
        if not boxes:
            return list(objects)
        return await asyncio.to_thread(
            lambda: [
                _unsealed(each, boxes[each.account_id]) if SEALED in each.body else each
                for each in objects
            ]
        )


def _sealed(made: StoredObject, box: SecretBox | None) -> StoredObject:
    if box is None:
        return made
    text = box.seal(_name(made), msgspec.json.encode(made.body))
    return msgspec.structs.replace(made, body={SEALED: text})


def _unsealed(kept: StoredObject, box: SecretBox) -> StoredObject:
    try:
        plain = box.unseal(_name(kept), kept.body[SEALED])
    except (SetupError, ValueError):
        raise ContentDamaged from None
    return msgspec.structs.replace(kept, body=msgspec.json.decode(plain, type=dict[str, Any]))


def _name(kept: StoredObject) -> str:
    return f"{kept.kind} {kept.id}"

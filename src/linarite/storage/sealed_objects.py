"""Stored objects whose bodies are sealed where their account asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.content_seals import ContentDamaged
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
        self.size = kept.size
        self.end = kept.end
        self.held = kept.held
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

    async def _sealed(self, objects: Iterable[StoredObject]) -> list[StoredObject]:
        boxes: dict[str, SecretBox | None] = {}
        sealed: list[StoredObject] = []
        for each in objects:
            account = each.account_id
            if account not in boxes:
                boxes[account] = await self._seals.box_for_new(account)
            box = boxes[account]
            if box is not None:
                text = box.seal(_name(each), msgspec.json.encode(each.body))
                sealed.append(msgspec.structs.replace(each, body={SEALED: text}))
            else:
                sealed.append(each)
        return sealed

    async def _opened(self, objects: Iterable[StoredObject]) -> list[StoredObject]:
        boxes: dict[str, SecretBox] = {}
        opened: list[StoredObject] = []
        for each in objects:
            if SEALED in each.body:
                account = each.account_id
                if account not in boxes:
                    boxes[account] = await self._seals.box_of(account)
                opened.append(_unsealed(each, boxes[account]))
            else:
                opened.append(each)
        return opened


def _unsealed(kept: StoredObject, box: SecretBox) -> StoredObject:
    try:
        plain = box.unseal(_name(kept), kept.body[SEALED])
    except (SetupError, ValueError):
        raise ContentDamaged from None
    return msgspec.structs.replace(kept, body=msgspec.json.decode(plain, type=dict[str, Any]))


def _name(kept: StoredObject) -> str:
    return f"{kept.kind} {kept.id}"

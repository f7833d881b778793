"""What accounts store is sealed where they ask for it (`properties.encryption`)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from linarite.domain.content_seals import ContentDamaged
from linarite.domain.errors import SetupError
from linarite.domain.resource import ACCOUNT_TYPE, may_concern_accounts
from linarite.storage.sealed_content import SealedContent, new_content_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from linarite.domain.resource import Committed, ResourceStore
    from linarite.domain.secret_box import SecretBox

    BoxOf = Callable[[str], Awaitable[SecretBox | None]]


class AccountSeals:
    """`ContentSeals` by each account's own key, which purging the account destroys."""

    def __init__(self, resources: ResourceStore, box_of: BoxOf, *, always: bool) -> None:
        """Knows no account until `refresh`. With `always` every account's things are sealed."""
        self._resources = resources
        self._box_of = box_of
        self._always = always
        self._asking: frozenset[str] = frozenset()
        self._turn = asyncio.Lock()

    async def refresh(self) -> None:
        """Read every account anew."""
        async with self._turn:
            accounts = await self._resources.list_under("", ACCOUNT_TYPE)
            self._asking = frozenset(
                each.id.lower() for each in accounts if asks_for_sealing(each.properties)
            )

    async def follow(self, committed: Committed) -> None:
        """Keep up with a change before its writer goes on."""
        if any(map(may_concern_accounts, (*committed.written, *committed.removed))):
            await self.refresh()

    async def box_for_new(self, account_id: str) -> SecretBox | None:
        """See ContentSeals."""
        if self._always or account_id.lower() in self._asking:
            return await self.box_of(account_id)
        return None

    async def box_of(self, account_id: str) -> SecretBox:
        """See ContentSeals."""
        box = await self._box_of(account_id)
        if box is None:
            raise ContentDamaged
        return box

    async def new_key(self, account_id: str, blob: str) -> SealedContent | None:
        """See ContentSeals."""
        box = await self.box_for_new(account_id)
        if box is None:
            return None
        key = new_content_key()
        return SealedContent(key, box.seal(_name(blob), key))

    async def key_of(self, account_id: str, blob: str, sealed: str) -> SealedContent:
        """See ContentSeals."""
        box = await self.box_of(account_id)
        try:
            return SealedContent(box.unseal(_name(blob), sealed), sealed)
        except (SetupError, ValueError):
            raise ContentDamaged from None


def asks_for_sealing(properties: Mapping[str, Any]) -> bool:
    """Whether an account says how it is encrypted, by whomever's key."""
    encryption = cast("dict[str, Any]", properties.get("encryption") or {})
    return bool(encryption.get("keySource"))


def _name(blob: str) -> str:
    return f"content {blob}"

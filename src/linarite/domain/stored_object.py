"""What applications leave with an account, such as files, and where that is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from linarite.domain.held_data import Held

EXPIRED, PURGED = "expired", "purged"
"""why something ends by itself: its time, or its account, is over"""


class StoredObject(msgspec.Struct, frozen=True, kw_only=True):
    """One object of an account's; found by account, kind and id together, never by id alone."""

    account_id: str
    """the ARM resource id of its account"""
    kind: str
    """`file`, …"""
    id: str
    """ids of a kind sort as they were made"""
    created_at: int
    """seconds since the epoch"""
    owner: str = ""
    """who made it; "" for whoever holds a key of the account's own"""
    label: str = ""
    """what lists may be narrowed by; of a file: its purpose"""
    expires_at: int = 0
    """seconds since the epoch; 0 for never"""
    blob: str = ""
    """the name under which its bytes are kept; "" where there are none"""
    blob_bytes: int = 0
    """how many bytes these are"""
    body: dict[str, Any] = {}
    """everything else about it"""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list is wanted."""

    limit: int
    after: str = ""
    """id that the part follows, even if its object has gone"""
    ascending: bool = False
    """oldest first"""
    label: str = ""
    owner: str | None = None
    """None: whoever made it"""
    alive_at: int = 0
    """seconds since the epoch: objects that have expired by then are left out"""
    bytes_max: int = 0
    """the part ends with the object that takes it past about so many bytes; 0: by `limit` alone"""


class StoredObjects(Protocol):
    """Keeps objects. What a call has written survives the death of the process."""

    async def add(self, made: StoredObject) -> None:
        """Keep a new one. Ids are never used twice."""
        ...

    async def get(self, account_id: str, kind: str, object_id: str) -> StoredObject | None:
        """The object; None for an absent one as for another account's."""
        ...

    async def those(
        self, account_id: str, kind: str, object_ids: Sequence[str]
    ) -> list[StoredObject]:
        """The objects of these ids that are there, in the order of the ids."""
        ...

    async def remove(self, account_id: str, kind: str, object_id: str) -> bool:
        """Forget it; False when it was not there."""
        ...

    async def write(
        self,
        *,
        added: Sequence[StoredObject] = (),
        replaced: Sequence[StoredObject] = (),
        removed: Sequence[StoredObject] = (),
        needed: Sequence[StoredObject] = (),
    ) -> bool:
        """Do all of it at once, or nothing: also when the process dies meanwhile.

        False, and nothing done, when one that is to be replaced or removed, or that is needed and
        stays as it is, is not there any more.
        """
        ...

    async def list(self, account_id: str, kind: str, page: Page) -> list[StoredObject]:
        """A part of an account's objects by their ids, which follow time: newest first.

        While others are added and removed, following one part by the next shows every object
        that stays exactly once.
        """
        ...

    async def size_of(
        self, account_id: str, kind: str, *, object_ids: Sequence[str] = (), label: str = ""
    ) -> int:
        """About how many bytes the objects of these ids, or of a label, take where they are kept.

        Told without reading them into memory.
        """
        ...

    async def count(self, account_id: str, kind: str, label: str, *, lasting: bool) -> int:
        """How many there are that expire, or, `lasting`, that do not."""
        ...

    async def sizes(self, account_id: str) -> Mapping[str, int]:
        """How many bytes an account has by kind, those of blobs included.

        Nothing is summed for it: it is known after each write, and after a death too.
        """
        ...

    def all_sizes(self) -> Mapping[str, Mapping[str, int]]:
        """The same of all accounts that have any, by lower-cased id, once one was asked for."""
        ...

    async def end(self, over: Sequence[StoredObject], why: str) -> None:
        """Forget what is over, at once, whether or not it is still there.

        `why`: EXPIRED or PURGED. What upkeep has read is enough: of what is sealed, too.
        """
        ...

    async def held(self, account_id: str) -> list[Held]:
        """What there is of an account, by kind, the bytes of blobs included."""
        ...

    async def expired(self, now: int, limit: int) -> list[StoredObject]:
        """Objects whose time is over, of all accounts."""
        ...

    async def blobs(self) -> set[str]:
        """Names of the bytes that any object speaks of."""
        ...

    async def accounts(self) -> set[str]:
        """Lower-cased ids of the accounts that have any."""
        ...

    async def of_account(self, account_id: str, limit: int) -> list[StoredObject]:
        """Some of an account's objects, of all kinds."""
        ...

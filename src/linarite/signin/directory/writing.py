"""Changes of the directory: each is one transaction, on disk when the call returns."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.resource import Delete, Put
from linarite.signin.directory.book import DirectoryBook, entry_of
from linarite.signin.directory.records import (
    MANAGED_IDENTITY,
    Application,
    Group,
    Record,
    RecordT,
    ServicePrincipal,
    User,
    resource_id,
    resource_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from linarite.domain.directory import DirectoryEntry
    from linarite.domain.resource import Change, ResourceStore


class DirectoryWriter:
    """`Directory`, and all other changes.

    `turn` is held from reading what a change rests on until it is written: no two changes cross,
    and no two records get the same name.
    """

    def __init__(
        self, resources: ResourceStore, book: DirectoryBook, now: Callable[[], float]
    ) -> None:
        """`now` in seconds since the epoch."""
        self.book = book
        self.turn = asyncio.Lock()
        self._resources = resources
        self._now = now

    def entry(self, object_id: str) -> DirectoryEntry | None:
        """`Directory.entry`."""
        return self.book.entry(object_id)

    def groups_of(self, object_id: str) -> frozenset[str]:
        """`Directory.groups_of`."""
        return self.book.groups_of(object_id)

    def managed_identity(self, resource_id: str) -> DirectoryEntry | None:
        """`Directory.managed_identity`."""
        known = self.book.managed_identity(resource_id)
        return None if known is None else entry_of(known)

    async def ensure_managed_identity(self, resource_id: str) -> DirectoryEntry:
        """`Directory.ensure_managed_identity`."""
        async with self.turn:
            known = self.book.managed_identity(resource_id)
            if known is None:
                known = ServicePrincipal(
                    object_id=new_id(),
                    app_id=new_id(),
                    name=resource_id.rpartition("/")[2],
                    created_at=int(self._now()),
                    kind=MANAGED_IDENTITY,
                    resource_id=resource_id,
                )
                await self.put(known)
        return entry_of(known)

    async def forget_managed_identity(self, resource_id: str) -> None:
        """`Directory.forget_managed_identity`."""
        async with self.turn:
            known = self.book.managed_identity(resource_id)
            if known is not None:
                await self.remove(known)

    async def put(self, *records: Record) -> None:
        """Write records, all or none. The caller holds `turn`."""
        await self._resources.commit([Put(resource_of(each)) for each in records])

    async def change(self, record: RecordT, **fields: object) -> RecordT:
        """Write a record with other fields. The caller holds `turn` and has just read it."""
        changed = msgspec.structs.replace(record, **fields)
        await self.put(changed)
        return changed

    async def remove(self, record: Record) -> None:
        """Remove a record, what stands for it, and its places in groups."""
        gone: list[Record] = [record]
        if isinstance(record, Application):
            principal = self.book.service_principal(record.app_id)
            gone += [principal] if principal is not None else []
        ids = {each.object_id for each in gone}
        changes: list[Change] = [Delete(resource_id(type(each), each.object_id)) for each in gone]
        changes += [Put(resource_of(each)) for each in self._without(ids)]
        await self._resources.commit(changes)

    def _without(self, ids: set[str]) -> Iterable[Record]:
        """The groups and holders of roles that name one of these, without it."""
        for group in self.book.all(Group):
            if group.object_id not in ids and not ids.isdisjoint((*group.members, *group.owners)):
                yield msgspec.structs.replace(
                    group,
                    members=tuple(each for each in group.members if each not in ids),
                    owners=tuple(each for each in group.owners if each not in ids),
                )
        for holder in (*self.book.all(ServicePrincipal), *self.book.all(User)):
            kept = tuple(each for each in holder.roles if each.resource_id not in ids)
            if holder.object_id not in ids and len(kept) != len(holder.roles):
                yield msgspec.structs.replace(holder, roles=kept)


def new_id() -> str:
    """A GUID for a record: random, in lower case."""
    return str(uuid.uuid4())

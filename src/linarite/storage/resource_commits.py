"""The writes of a `ResourceStore`, the same for every adapter: each is one commit, and told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from linarite.domain.resource import Delete, Put
from linarite.storage.resource_write import committed
from linarite.storage.subscriptions import Subscriptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.jobs import Job
    from linarite.domain.resource import Change, Resource


class ResourceCommits(ABC):
    """An adapter says how a transaction is made (`_transact`); the rest is here."""

    def __init__(self) -> None:
        self._subscriptions = Subscriptions()
        self.subscribe = self._subscriptions.add
        self.told = self._subscriptions.told

    async def put(self, resource: Resource, *, expected_etag: str | None = None) -> Resource:
        """Write and return it with its new etag. Raises EtagMismatch."""
        (new,) = await self.commit([Put(resource, expected_etag)])
        assert new is not None  # noqa: S101 - a put always returns what it wrote
        return new

    async def delete(self, resource_id: str) -> bool:
        """Remove it and everything under it; False, and nothing removed, when it was not there."""
        return await self.commit([Delete(resource_id)]) != [None]

    async def commit(
        self, changes: Sequence[Change], jobs: Sequence[Job] = ()
    ) -> list[Resource | None]:
        """Make all changes and keep all jobs, or nothing of it."""
        return await self._subscriptions.to_its_end(self._commit(changes, jobs))

    async def _commit(
        self, changes: Sequence[Change], jobs: Sequence[Job]
    ) -> list[Resource | None]:
        outcome = await self._transact(changes, jobs)
        await self._subscriptions.tell(committed(changes, outcome, jobs))
        return outcome

    @abstractmethod
    async def _transact(
        self, changes: Sequence[Change], jobs: Sequence[Job]
    ) -> list[Resource | None]:
        """Make all of it or nothing; what `ResourceStore.commit` returns and raises."""

"""Resources as they would be: what is stored, and over it what was written on trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.resource import Put, Resource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from linarite.domain.jobs import Job
    from linarite.domain.resource import Change, Committed, ResourceStore


class StagedResources:
    """`ResourceStore` whose writes stay in memory and reach nobody else."""

    def __init__(self, stored: ResourceStore) -> None:
        self._stored = stored
        self._staged: dict[str, Resource | None] = {}
        """by id in lower case; None for what was removed"""

    def has(self, resource_id: str) -> bool:
        """Whether it was written on trial."""
        return self._staged.get(resource_id.lower()) is not None

    async def get(self, resource_id: str) -> Resource | None:
        """The resource, or None."""
        key = resource_id.lower().rstrip("/")
        return self._staged[key] if key in self._staged else await self._stored.get(resource_id)

    async def list_under(self, parent_id: str, resource_type: str) -> list[Resource]:
        """Those of a type at any depth under `parent_id` ("" for all), ordered by id."""
        found = {
            one.id.lower(): one for one in await self._stored.list_under(parent_id, resource_type)
        }
        under = f"{parent_id.lower().rstrip('/')}/"
        for key, staged in self._staged.items():
            if staged is None:
                found.pop(key, None)
            elif key.startswith(under) and staged.type.lower() == resource_type.lower():
                found[key] = staged
        return [found[key] for key in sorted(found)]

    async def put(self, resource: Resource, *, expected_etag: str | None = None) -> Resource:
        """Keep it on trial."""
        del expected_etag
        staged = msgspec.structs.replace(resource, etag=resource.etag or "staged")
        self._staged[resource.id.lower()] = staged
        return staged

    async def delete(self, resource_id: str) -> bool:
        """Remove it on trial; what lies under it stays."""
        there = await self.get(resource_id) is not None
        self._staged[resource_id.lower()] = None
        return there

    async def commit(
        self, changes: Sequence[Change], jobs: Sequence[Job] = ()
    ) -> list[Resource | None]:
        """Make all changes on trial; no job begins."""
        del jobs
        made: list[Resource | None] = []
        for change in changes:
            if isinstance(change, Put):
                made.append(await self.put(change.resource))
            else:
                before = await self.get(change.resource_id)
                await self.delete(change.resource_id)
                made.append(before)
        return made

    def subscribe(self, listener: Callable[[Committed], Awaitable[None]]) -> None:
        """Nobody is told of trials."""
        del listener

    async def told(self) -> None:
        """Nobody waits for what nobody is told."""

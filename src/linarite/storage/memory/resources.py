"""Resources in a dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.jobs import OperationInProgress
from linarite.domain.resource import Put, Resource
from linarite.storage.job_write import encoded_job, require_running
from linarite.storage.memory.jobs import MemoryJobStore
from linarite.storage.resource_commits import ResourceCommits
from linarite.storage.resource_id import id_key, range_under
from linarite.storage.resource_write import encoded, require_etag, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.jobs import Job
    from linarite.domain.resource import Change


class MemoryResourceStore(ResourceCommits):
    """`ResourceStore` without a file: gone with the process.

    Resources are kept encoded, as on disk, so that nobody's later change of a dictionary reaches
    what is stored. `jobs` is where its transactions keep jobs.
    """

    def __init__(self, jobs: MemoryJobStore | None = None) -> None:
        super().__init__()
        self._bodies: dict[str, str] = {}
        self._jobs = jobs or MemoryJobStore()
        self._decode = msgspec.json.Decoder(Resource).decode

    async def get(self, resource_id: str) -> Resource | None:
        """The resource, or None."""
        return self._get(id_key(resource_id))

    async def list_under(self, parent_id: str, resource_type: str) -> list[Resource]:
        """Those of a type at any depth under `parent_id` ("" for all), ordered by id."""
        first, end = range_under(parent_id)
        wanted = resource_type.lower()
        keys = sorted(key for key in self._bodies if first <= key < end)
        found = (self._decode(self._bodies[key]) for key in keys)
        return [resource for resource in found if resource.type.lower() == wanted]

    async def _transact(
        self, changes: Sequence[Change], jobs: Sequence[Job]
    ) -> list[Resource | None]:
        before = self._bodies.copy()
        try:
            outcome = [self._apply(change) for change in changes]
            for job in jobs:
                self._admit(job)
        except BaseException:
            self._bodies = before
            raise
        for job in jobs:
            self._jobs.keep(job)
        return outcome

    def _apply(self, change: Change) -> Resource | None:
        if isinstance(change, Put):
            key = id_key(change.resource.id)
            body = encoded(written(change.resource, self._get(key), change.expected_etag))
            self._bodies[key] = body
            return self._decode(body)
        key = id_key(change.resource_id)
        present = self._get(key)
        require_etag(change.resource_id, present, change.expected_etag)
        if present is not None:
            first, end = range_under(change.resource_id)
            for each in [each for each in self._bodies if each == key or first <= each < end]:
                del self._bodies[each]
        return present

    def _admit(self, job: Job) -> None:
        present = self._jobs.find(job.id)
        require_running(job, present)
        if present is None and job.scope and self._jobs.scope_taken(job):
            raise OperationInProgress(job.scope)
        encoded_job(job)

    def _get(self, key: str) -> Resource | None:
        body = self._bodies.get(key)
        return None if body is None else self._decode(body)

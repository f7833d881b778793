"""Jobs in a dictionary."""

from __future__ import annotations

import msgspec

from linarite.domain.jobs import Job
from linarite.storage.job_write import encoded_job, require_running
from linarite.storage.resource_id import id_key, range_under


class MemoryJobStore:
    """`JobStore` without a file: gone with the process. Kept encoded, as on disk."""

    def __init__(self) -> None:
        self._bodies: dict[str, str] = {}
        self._decode = msgspec.json.Decoder(Job).decode

    async def get(self, job_id: str) -> Job | None:
        """The job, or None."""
        return self.find(job_id)

    async def of(self, resource_id: str, *, limit: int = 20) -> list[Job]:
        """The jobs of one resource, the newest first."""
        key = id_key(resource_id)
        found = [job for job in self._all() if id_key(job.resource_id) == key]
        return sorted(found, key=lambda job: job.started_at, reverse=True)[:limit]

    async def running(self, resource_id: str) -> list[Job]:
        """Those that have not ended, on a resource or anything under it ("" for all)."""
        return self.running_at(resource_id)

    async def advance(self, job: Job) -> None:
        """Keep how far a job is. Raises JobEnded when it has ended."""
        require_running(job, self.find(job.id))
        self.keep(job)

    async def forget(self, ended_before: str) -> int:
        """Remove jobs that ended before a time; how many there were."""
        old = [job.id for job in self._all() if job.ended_at and job.ended_at < ended_before]
        for each in old:
            del self._bodies[each]
        return len(old)

    def find(self, job_id: str) -> Job | None:
        """The job, or None, at once."""
        body = self._bodies.get(job_id)
        return None if body is None else self._decode(body)

    def running_at(self, resource_id: str) -> list[Job]:
        """`running`, at once."""
        key = id_key(resource_id)
        first, end = range_under(resource_id)
        found = [
            job
            for job in self._all()
            if job.running
            and (
                not key or id_key(job.resource_id) == key or first <= id_key(job.resource_id) < end
            )
        ]
        return sorted(found, key=lambda job: job.started_at)

    def scope_taken(self, job: Job) -> bool:
        """Whether another job runs under the scope in which this one must run alone."""
        return any(
            each.running and each.id != job.id and id_key(each.scope) == id_key(job.scope)
            for each in self._all()
        )

    def keep(self, job: Job) -> None:
        """Write it, whatever is there."""
        self._bodies[job.id] = encoded_job(job)

    def _all(self) -> list[Job]:
        return [self._decode(body) for body in self._bodies.values()]

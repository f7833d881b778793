"""Stores for jobs, and a kind of job whose steps a test writes down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.domain.jobs import new_job
from linarite.domain.resource import Put
from linarite.jobs.kind import Step
from linarite.jobs.worker import Worker
from linarite.storage.memory.jobs import MemoryJobStore
from linarite.storage.memory.resources import MemoryResourceStore
from tests.storage.builders import make_resource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from linarite.domain.jobs import Job, JobProblem
    from linarite.domain.resource import Change
    from linarite.jobs.kind import Progress

RESOURCE = "/subscriptions/s/resourceGroups/g/things/thing"


@dataclass
class Scripted:
    """A kind that notes which of its steps ran, and writes its outcome into its resource."""

    bodies: dict[str, Callable[[Progress], Awaitable[None]]]
    again: set[str] = field(default_factory=set)
    ran: list[str] = field(default_factory=list)
    tidied: list[str] = field(default_factory=list)

    @property
    def steps(self) -> list[Step]:
        """In the order of `bodies`."""
        return [
            Step(
                name, 100 * (number + 1) / len(self.bodies), self._runner(name), name in self.again
            )
            for number, name in enumerate(self.bodies)
        ]

    def _runner(self, name: str) -> Callable[[Job, Progress], Awaitable[dict[str, Any]]]:
        async def run(_job: Job, progress: Progress) -> dict[str, Any]:
            self.ran.append(name)
            await self.bodies[name](progress)
            return {"of": name}

        return run

    async def succeed(self, job: Job) -> list[Change]:
        """Say so."""
        return [Put(make_resource(job.resource_id, state="Succeeded", found=job.found))]

    async def fail(self, job: Job, problem: JobProblem) -> list[Change]:
        """Say why."""
        return [Put(make_resource(job.resource_id, state="Failed", code=problem.code))]

    async def after(self, job: Job) -> None:
        """Note it."""
        self.tidied.append(job.status)


@dataclass
class Bench:
    """Stores that outlive workers."""

    jobs: MemoryJobStore = field(default_factory=MemoryJobStore)
    resources: MemoryResourceStore = field(init=False)

    def __post_init__(self) -> None:
        self.resources = MemoryResourceStore(self.jobs)

    async def ask(self, **changed: Any) -> Job:  # noqa: ANN401 - a job's fields
        """Commit a resource that is being made, with its job."""
        job = msgspec.structs.replace(new_job("scripted", RESOURCE), **changed)
        await self.resources.commit([Put(make_resource(RESOURCE, state="Creating"))], [job])
        return job

    def worker(self, kind: Scripted) -> Worker:
        """A worker that knows one kind."""
        return Worker(self.resources, self.jobs, {"scripted": kind})

    async def job(self, job: Job) -> Job:
        """The job as it stands now."""
        found = await self.jobs.get(job.id)
        assert found is not None
        return found

    async def properties(self) -> dict[str, Any]:
        """What the resource says."""
        found = await self.resources.get(RESOURCE)
        assert found is not None
        return found.properties


@pytest.fixture
def bench() -> Bench:
    """Empty stores."""
    return Bench()

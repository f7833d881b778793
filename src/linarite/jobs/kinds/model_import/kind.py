"""The steps of bringing a listed model's file, and of taking it out.

A step that a server died in is begun anew: the store has a version whole or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.errors import LinariteError
from linarite.domain.listed_model import listed_model_of
from linarite.domain.resource import Put, Resource
from linarite.jobs.kind import Step

if TYPE_CHECKING:
    from linarite.domain.jobs import Job, JobProblem
    from linarite.domain.model_fetcher import ModelFetcher
    from linarite.domain.resource import Change, ResourceStore
    from linarite.jobs.kind import Progress


class ModelGone(LinariteError):
    """The listed model was removed while its file was brought."""

    status = 404
    code = "ResourceNotFound"


class ModelImport:
    """`Kind`: IMPORT_MODEL."""

    def __init__(self, resources: ResourceStore, fetcher: ModelFetcher) -> None:
        self._resources = resources
        self._fetcher = fetcher
        self.steps = (Step("fetch", 99, self._fetch),)

    async def _fetch(self, job: Job, progress: Progress) -> dict[str, Any]:
        return await self._fetcher.fetch(listed_model_of(await self._resource(job)), progress)

    async def succeed(self, job: Job) -> list[Change]:
        """It can be deployed from now on; what is known of its file stands with it."""
        resource = await self._resource(job)
        return [_changed(resource, provisioningState="Succeeded", file=job.found["fetch"])]

    async def fail(self, job: Job, problem: JobProblem) -> list[Change]:  # noqa: ARG002 - the job keeps the problem
        """It says that it failed; the operation says why."""
        resource = await self._resources.get(job.resource_id)
        return [] if resource is None else [_changed(resource, provisioningState="Failed")]

    async def after(self, job: Job) -> None:
        """Nothing is left over."""
        del job

    async def _resource(self, job: Job) -> Resource:
        found = await self._resources.get(job.resource_id)
        if found is None:
            raise ModelGone(f"{job.resource_id} was removed while its file was brought.")
        return found


class ModelRemoval:
    """`Kind`: REMOVE_MODEL. The entry is gone; the job's arguments are the resource as it was."""

    def __init__(self, fetcher: ModelFetcher) -> None:
        self._fetcher = fetcher
        self.steps = (Step("discard", 99, self._discard),)

    async def _discard(self, job: Job, progress: Progress) -> dict[str, Any]:
        progress(0, "removing the file")
        resource = msgspec.convert(job.arguments["resource"], Resource)
        await self._fetcher.discard(listed_model_of(resource))
        return {}

    async def succeed(self, job: Job) -> list[Change]:
        """Nothing is left to change."""
        del job
        return []

    async def fail(self, job: Job, problem: JobProblem) -> list[Change]:
        """The operation says why."""
        del job, problem
        return []

    async def after(self, job: Job) -> None:
        """Nothing is left over."""
        del job


def _changed(resource: Resource, **properties: Any) -> Put:  # noqa: ANN401 - JSON
    changed = msgspec.structs.replace(resource, properties=resource.properties | properties)
    return Put(changed, resource.etag)

"""The steps of provisioning a deployment, and what becomes of its resource.

Created, changed, scaled or upgraded: it is always the same job, because it looks at what is wanted
and at what there is. Until it succeeds, a deployment that served goes on as it did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.errors import LinariteError
from linarite.domain.jobs import PROVISION_DEPLOYMENT, new_job
from linarite.domain.placement import (
    InstanceRecord,
    Placement,
    Wish,
    instance_resource,
    placement_resource,
    runtime_of,
    sku_of,
)
from linarite.domain.resource import Put
from linarite.domain.upgrades import UPGRADE_TO, model_of
from linarite.jobs.kind import Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.domain.jobs import Job, JobProblem, JobStore
    from linarite.domain.placement import Provisioner
    from linarite.domain.resource import Change, Resource, ResourceStore
    from linarite.jobs.kind import Progress


class DeploymentGone(LinariteError):
    """The deployment was removed while it was provisioned."""

    status = 404
    code = "ResourceNotFound"


class Provisioning:
    """`Kind`: PROVISION_DEPLOYMENT."""

    def __init__(self, resources: ResourceStore, provisioner: Provisioner) -> None:
        self._resources = resources
        self._provisioner = provisioner
        self.steps = (
            Step("verify", 15, self._verify),
            Step("place", 20, self._place),
            # What these do is gone with the process.
            Step("bring_up", 80, self._bring_up, again=True),
            Step("warm_up", 85, self._warm_up, again=True),
            Step("measure", 99, self._measure),
        )

    async def _verify(self, job: Job, progress: Progress) -> dict[str, Any]:
        return await self._provisioner.verify(await self._wish(job), progress)

    async def _place(self, job: Job, progress: Progress) -> dict[str, Any]:
        progress(0, "looking for a place")
        return msgspec.to_builtins(await self._provisioner.place(await self._wish(job)))

    async def _bring_up(self, job: Job, progress: Progress) -> dict[str, Any]:
        await self._provisioner.bring_up(await self._wish(job), _record(job), progress)
        return {}

    async def _warm_up(self, job: Job, progress: Progress) -> dict[str, Any]:
        progress(0, "warming up")
        await self._provisioner.warm_up(_record(job))
        return {}

    async def _measure(self, job: Job, progress: Progress) -> dict[str, Any]:
        progress(0, "measuring what it can do")
        placement = await self._provisioner.measure(await self._wish(job), _record(job))
        return msgspec.to_builtins(placement)

    async def succeed(self, job: Job) -> list[Change]:
        """From now on this instance serves the deployment."""
        deployment = await self._deployment(job)
        placement = msgspec.convert(job.found["measure"], Placement)
        record = _record(job)
        ready = in_state(_upgraded(deployment, job), "Succeeded")
        changes: list[Change] = [
            Put(ready, deployment.etag),
            Put(placement_resource(deployment.id, placement)),
        ]
        if not record.declared:
            measured = msgspec.structs.replace(record, measured=placement.measured)
            changes.append(Put(instance_resource(measured)))
        return changes

    async def fail(self, job: Job, problem: JobProblem) -> list[Change]:  # noqa: ARG002 - the job keeps the problem
        """The deployment says that it failed; the operation says why.

        One that was to be upgraded goes on as before, and so nothing of it has failed.
        """
        deployment = await self._resources.get(job.resource_id)
        if deployment is None:
            return []
        state = "Succeeded" if UPGRADE_TO in job.arguments else "Failed"
        return [Put(in_state(deployment, state), deployment.etag)]

    async def after(self, job: Job) -> None:
        """Take down what is not needed any more."""
        await self._provisioner.tidy(job.resource_id)

    async def _wish(self, job: Job) -> Wish:
        deployment = await self._deployment(job)
        account = await self._resources.get(deployment.id.rpartition("/deployments/")[0])
        if account is None:
            raise DeploymentGone(f"{job.resource_id} has lost its account.")
        return Wish(
            deployment_id=deployment.id,
            location=account.location or "",
            model=model_of(_upgraded(deployment, job)),
            sku=sku_of(deployment),
            engine=runtime_of(deployment),
        )

    async def _deployment(self, job: Job) -> Resource:
        found = await self._resources.get(job.resource_id)
        if found is None:
            raise DeploymentGone(f"{job.resource_id} was removed while it was provisioned.")
        return found


async def provision_anew(
    resources: ResourceStore, jobs: JobStore, deployment_ids: Iterable[str]
) -> None:
    """Put jobs on the queue for deployments that have lost their instance."""
    for deployment_id in deployment_ids:
        deployment = await resources.get(deployment_id)
        if deployment is None or await jobs.running(deployment_id):
            continue
        change = Put(in_state(deployment, "Updating"), deployment.etag)
        await resources.commit([change], [new_job(PROVISION_DEPLOYMENT, deployment.id)])


def _upgraded(deployment: Resource, job: Job) -> Resource:
    """The deployment with the version that an upgrade gives it; others stay as they are."""
    target = job.arguments.get(UPGRADE_TO)
    if target is None:
        return deployment
    model: dict[str, Any] = deployment.properties.get("model") or {}
    properties = deployment.properties | {"model": model | target}
    return msgspec.structs.replace(deployment, properties=properties)


def in_state(deployment: Resource, state: str) -> Resource:
    """The deployment with another provisioning state."""
    properties = deployment.properties | {"provisioningState": state}
    return msgspec.structs.replace(deployment, properties=properties)


def _record(job: Job) -> InstanceRecord:
    return msgspec.convert(job.found["place"], InstanceRecord)

"""Deployments as durable work: what their job keeps, and how it is carried out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.caller import Caller
from linarite.controlplane.resources.template_deployments.execution import carry_out
from linarite.controlplane.resources.template_deployments.failures import refused, simple_error
from linarite.controlplane.resources.template_deployments.place import DeploymentPlace
from linarite.controlplane.resources.template_deployments.planning import planned
from linarite.controlplane.resources.template_deployments.records import (
    ENDED,
    forget_operations,
)
from linarite.controlplane.resources.template_deployments.sent import Sent
from linarite.controlplane.resources.template_deployments.world import Errand, World
from linarite.controlplane.templates.problems import TemplateRefused
from linarite.domain.arm_errors import ArmError
from linarite.domain.jobs import DEPLOY_TEMPLATE, Job, new_job
from linarite.domain.resource import Put

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.controlplane.resources.template_deployments.planning import Planned
    from linarite.controlplane.surface import Surface
    from linarite.domain.jobs import JobProblem
    from linarite.domain.resource import Change, Resource

SEALED = "sealed"
QUICK_S = 1.0
"""a small template is done by then; its client is spared the asking"""
LOOK_AGAIN_S = 0.02


class Asked(msgspec.Struct, frozen=True):
    """What a job needs to know. Sealed as a whole: parameters may be secrets."""

    sent: Sent
    caller: Caller
    base_url: str
    correlation_id: str


def deployment_job(world: World, deployment: Planned) -> Job:
    """The job that carries a deployment out."""
    errand = world.errand
    asked = Asked(deployment.sent, errand.caller, errand.base_url, errand.correlation_id)
    job = new_job(DEPLOY_TEMPLATE, deployment.place.id)
    sealed = world.surface.box.seal(job.id, msgspec.json.encode(asked))
    return msgspec.structs.replace(
        job, arguments={SEALED: sealed}, correlation_id=errand.correlation_id
    )


async def quickly_ended(surface: Surface, deployment_id: str) -> Resource | None:
    """The deployment as it stands after a moment, or earlier when it has ended."""
    deadline = asyncio.get_running_loop().time() + QUICK_S
    while True:
        found = await surface.resources.get(deployment_id)
        if found is None or found.properties["provisioningState"] in ENDED:
            return found
        if asyncio.get_running_loop().time() > deadline:
            return found
        await asyncio.sleep(LOOK_AGAIN_S)


class TemplateDeployer:
    """`Deployer` over the control plane."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface

    async def deploy(self, job: Job, progress: Callable[[float, str], None]) -> None:
        """Do all of it that is not done yet. Raises ArmError when any of it failed."""
        plain = self._surface.box.unseal(job.id, job.arguments[SEALED])
        asked = msgspec.json.decode(plain, type=Asked)
        errand = Errand(
            caller=asked.caller, base_url=asked.base_url, correlation_id=asked.correlation_id
        )
        world = World(self._surface, errand)
        place = DeploymentPlace(
            job.resource_id, job.resource_id.rpartition("/")[2], asked.sent.location
        )
        await forget_operations(self._surface, place.id)
        try:
            deployment = await planned(world, place, asked.sent)
        except TemplateRefused as refusal:
            raise refused(refusal) from None
        outcome = await carry_out(world, deployment, progress)
        if outcome.error is not None:
            raise ArmError(409, outcome.error["code"], outcome.error["message"])

    async def ended_badly(self, job: Job, problem: JobProblem) -> list[Change]:
        """What to change so that the deployment does not seem to run any more."""
        found = await self._surface.resources.get(job.resource_id)
        if found is None or found.properties["provisioningState"] in ENDED:
            return []
        error = simple_error(problem.code, problem.message, found.id)
        properties = {**found.properties, "provisioningState": "Failed", "error": error}
        return [Put(msgspec.structs.replace(found, properties=properties), found.etag)]

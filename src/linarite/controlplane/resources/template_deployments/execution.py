"""Carries a plan out: one resource after another, each by the same request as a client's.

What cannot be written does not stop what does not depend on it. Carried out again, also after the
server was killed in the middle, a plan writes only what is not yet as it should be.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.resources.template_deployments.failures import (
    DeploymentFailed,
    deployment_failed,
    error_of,
    simple_error,
    write_failed,
)
from linarite.controlplane.resources.template_deployments.planning import planned_module
from linarite.controlplane.resources.template_deployments.records import (
    Operation,
    kept_begin,
    kept_end,
    kept_operation,
)
from linarite.controlplane.templates.problems import (
    ArgumentUnfit,
    ExpressionFailed,
    TemplateRefused,
)
from linarite.domain.arm_errors import ArmError
from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from linarite.controlplane.resources.template_deployments.planning import Planned
    from linarite.controlplane.resources.template_deployments.world import World
    from linarite.controlplane.templates.planned import PlannedResource

    Progress = Callable[[float, str], None]

SETTLED = frozenset({"Succeeded", "Failed", "Canceled", "Disabled"})
LOOK_AGAIN_S = 0.2
CONFLICT = 409
CONFLICT_WAIT_S = 600.0
"""how long a resource waits for another operation on its parent"""


class Outcome(msgspec.Struct, frozen=True):
    """What a deployment did."""

    state: str
    outputs: dict[str, Any] | None = None
    output_resources: list[dict[str, str]] = []
    error: dict[str, Any] | None = None


async def carry_out(world: World, deployment: Planned, progress: Progress) -> Outcome:
    """Do all that can be done, and keep how it ended."""
    run = Run(world, deployment)
    try:
        outcome = await run.everything(progress)
    except DeploymentCanceled:
        outcome = Outcome("Canceled", output_resources=run.written)
    await kept_end(
        world,
        deployment.place.id,
        outcome.state,
        outputs=outcome.outputs,
        outputResources=outcome.output_resources or None,
        error=outcome.error,
    )
    return outcome


class DeploymentCanceled(Exception):
    """Somebody canceled it, or deleted it, on the way."""


class Run:
    """One deployment being carried out."""

    def __init__(self, world: World, deployment: Planned) -> None:
        self._world = world
        self._deployment = deployment
        self._failed: set[str] = set()
        self._errors: list[dict[str, Any]] = []
        self.written: list[dict[str, str]] = []

    async def everything(self, progress: Progress) -> Outcome:
        """All resources, then the outputs."""
        plan = self._deployment.plan
        for at, resource in enumerate(plan.resources):
            await self._stop_if_canceled()
            progress(at / len(plan.resources), f"writing {resource.declared.name}")
            if plan.dependencies[resource.key] & self._failed:
                self._failed.add(resource.key)
                continue
            await self._one(resource)
        if self._errors:
            error = deployment_failed(self._deployment.place.id, self._errors)
            return Outcome("Failed", output_resources=self.written, error=error)
        return await self._outputs()

    async def _one(self, resource: PlannedResource) -> None:
        started = self._world.surface.now()
        try:
            status = await self._write(resource)
        except DeploymentFailed as failure:
            await self._fail(resource, started, "Conflict", failure.error)
        except ArmError as refusal:
            words = HTTPStatus(refusal.status).phrase.title().replace(" ", "")
            await self._fail(resource, started, words, error_of(refusal, resource.id))
        except LinariteError as refusal:
            await self._fail(resource, started, "BadRequest", error_of(refusal, resource.id))
        except (ExpressionFailed, ArgumentUnfit) as reason:
            error = simple_error("InvalidTemplate", str(reason), resource.id)
            await self._fail(resource, started, "BadRequest", error)
        else:
            self.written.append({"id": resource.id})
            await self._keep(resource, "Succeeded", status, started)

    async def _write(self, resource: PlannedResource) -> str:
        """Write it and wait until it is there; HTTP's word for how that went."""
        if resource.is_nested:
            return await self._module(resource)
        plan, world = self._deployment.plan, self._world
        body = await world.resolved(plan, lambda facts: plan.body(resource, facts))
        status = await self._put(resource, msgspec.json.encode(body))
        await self._settled(resource)
        world.forget(resource.id)
        return HTTPStatus(status).phrase.title().replace(" ", "").replace("Ok", "OK")

    async def _put(self, resource: PlannedResource, body: bytes) -> int:
        """Put it as soon as no other operation runs on its parent."""
        deadline = asyncio.get_running_loop().time() + CONFLICT_WAIT_S
        while True:
            try:
                answer = await self._world.request(
                    "PUT", resource.id, resource.declared.api_version, body
                )
            except LinariteError as refusal:
                waits = asyncio.get_running_loop().time() < deadline
                if refusal.code != "RequestConflict" or not waits:
                    raise
                await asyncio.sleep(LOOK_AGAIN_S)
                await self._stop_if_canceled()
            else:
                return answer.status

    async def _settled(self, resource: PlannedResource) -> None:
        """Wait for the end of what the write began. Raises DeploymentFailed for a bad one."""
        while True:
            stored = await self._world.surface.resources.get(resource.id)
            state = "" if stored is None else stored.properties.get("provisioningState", "")
            if not state or state in {"Succeeded", "Disabled"}:
                return
            if state in SETTLED:
                raise DeploymentFailed(await self._why(resource, state))
            await self._stop_if_canceled()
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _why(self, resource: PlannedResource, state: str) -> dict[str, Any]:
        """The error of a resource that ended badly, with what its own operation says."""
        jobs = await self._world.surface.jobs.of(resource.id, limit=1)
        problem = jobs[0].error if jobs else None
        reason = None if problem is None else msgspec.to_builtins(problem)
        return write_failed(state, resource.id, reason)

    async def _module(self, resource: PlannedResource) -> str:
        world = self._world
        module = await planned_module(world, self._deployment, resource)
        await kept_begin(world, module)
        outcome = await carry_out(world, module, lambda _share, _doing: None)
        world.forget(resource.id)
        if outcome.state == "Canceled":
            raise DeploymentCanceled
        if outcome.error is not None:
            raise DeploymentFailed(outcome.error)
        return "OK"

    async def _outputs(self) -> Outcome:
        plan, world = self._deployment.plan, self._world
        place = self._deployment.place
        started = world.surface.now()
        try:
            outputs = await world.resolved(plan, plan.outputs)
        except (TemplateRefused, ArmError) as refusal:
            error = plan.secrets.hidden(error_of(refusal, place.id))
            error["code"] = "DeploymentOutputEvaluationFailed"
            await self._keep(None, "Failed", "BadRequest", started, error)
            return Outcome("Failed", output_resources=self.written, error=error)
        await self._keep(None, "Succeeded", "OK", started)
        return Outcome("Succeeded", outputs=outputs or None, output_resources=self.written)

    async def _fail(
        self, resource: PlannedResource, started: datetime, status: str, error: dict[str, Any]
    ) -> None:
        self._failed.add(resource.key)
        error = self._deployment.plan.secrets.hidden(error)
        self._errors.append(error)
        await self._keep(resource, "Failed", status, started, error)

    async def _keep(
        self,
        resource: PlannedResource | None,
        state: str,
        status: str,
        started: datetime,
        error: dict[str, Any] | None = None,
    ) -> None:
        operation = Operation(
            resource=resource,
            state=state,
            status=status,
            started=started,
            ended=self._world.surface.now(),
            error=error,
        )
        await kept_operation(self._world, self._deployment.place.id, operation)

    async def _stop_if_canceled(self) -> None:
        kept = await self._world.surface.resources.get(self._deployment.place.id)
        if kept is None or kept.properties.get("provisioningState") == "Canceled":
            raise DeploymentCanceled

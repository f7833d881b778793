"""What can be seen to fail before anything is written: all of it, for every resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.preview import Preview
from linarite.controlplane.resources.template_deployments.failures import refused
from linarite.controlplane.resources.template_deployments.place import DEPLOYMENT_TYPE
from linarite.controlplane.resources.template_deployments.planning import Planned, planned_module
from linarite.controlplane.templates.planned import PlannedResource
from linarite.controlplane.templates.problems import (
    ArgumentUnfit,
    ExpressionFailed,
    TemplateRefused,
)
from linarite.controlplane.templates.secrets import Secrets
from linarite.domain.arm_errors import ArmError, Problem
from linarite.domain.resource import Resource

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from linarite.controlplane.resources.template_deployments.world import World

MODULES_DEPTH_MAX = 8
TOO_DEEP = Problem(
    "InvalidTemplate", f"Deployments are nested more than {MODULES_DEPTH_MAX} levels deep."
)


class Foreseen(msgspec.Struct, frozen=True):
    """A resource and what writing it would come to, as far as can be told."""

    resource: PlannedResource
    preview: Preview | None = None
    """None when it rests on what is not there yet"""
    problems: tuple[Problem, ...] = ()
    unknown: str = ""
    """why nothing can be told"""
    secrets: Secrets = Secrets()
    """what must not be shown of it"""


async def foresee(world: World, deployment: Planned) -> AsyncIterator[Foreseen]:
    """Every resource of a deployment and of its modules, in order; no problem tells a secret.

    Each is written on trial, so that what follows sees it.
    """
    async for foreseen in _hidden(world.on_trial(), deployment, 0):
        yield foreseen


async def _hidden(trial: World, deployment: Planned, depth: int) -> AsyncIterator[Foreseen]:
    secrets = deployment.plan.secrets
    async for foreseen in _every(trial, deployment, depth):
        hidden = tuple(
            msgspec.structs.replace(problem, message=secrets.hidden_in(problem.message))
            for problem in foreseen.problems
        )
        unknown = secrets.hidden_in(foreseen.unknown)
        yield msgspec.structs.replace(foreseen, problems=hidden, unknown=unknown)


async def _every(trial: World, deployment: Planned, depth: int) -> AsyncIterator[Foreseen]:
    for resource in deployment.plan.resources:
        if not resource.is_nested:
            yield await _foreseen(trial, deployment, resource)
            continue
        if depth >= MODULES_DEPTH_MAX:
            yield Foreseen(resource, problems=(TOO_DEEP,))
            continue
        try:
            module = await planned_module(trial, deployment, resource)
        except ArmError as reason:
            # What it reads, or the group that it goes to, is not there yet.
            yield Foreseen(resource, unknown=reason.message)
        except (TemplateRefused, ExpressionFailed, ArgumentUnfit) as reason:
            yield Foreseen(resource, problems=problems_of(reason, resource.id))
        else:
            async for inner in _hidden(trial, module, depth + 1):
                yield inner
            await _stage_module(trial, module)


async def _stage_module(trial: World, module: Planned) -> None:
    """Let what follows read the module's outputs, where they are known."""
    try:
        outputs = await trial.resolved(module.plan, module.plan.outputs)
    except (ArmError, TemplateRefused):
        return
    place = module.place
    properties = {"provisioningState": "Succeeded", "outputs": outputs}
    await trial.surface.resources.put(
        Resource(id=place.id, type=DEPLOYMENT_TYPE, name=place.name, properties=properties)
    )
    trial.forget(place.id)


async def _foreseen(trial: World, deployment: Planned, resource: PlannedResource) -> Foreseen:
    version = resource.declared.api_version
    plane = trial.surface.plane
    plan = deployment.plan
    try:
        await plane.check(trial.asked("PUT", resource.id, version))
    except ArmError as reason:
        return Foreseen(resource, problems=problems_of(reason, resource.id))
    try:
        body = await trial.resolved(plan, lambda facts: plan.body(resource, facts))
    except ArmError as reason:
        return Foreseen(resource, unknown=reason.message)
    except (ExpressionFailed, ArgumentUnfit) as reason:
        return Foreseen(resource, problems=problems_of(reason, resource.id))
    request = trial.asked("PUT", resource.id, version, msgspec.json.encode(body))
    try:
        preview = await plane.preview(request)
    except ArmError as reason:
        return Foreseen(resource, problems=problems_of(reason, resource.id))
    if preview.resource is not None:
        await trial.surface.resources.put(preview.resource)
        trial.forget(resource.id)
    told = tuple(about(resource.id, problem) for problem in preview.problems)
    return Foreseen(resource, preview, told, secrets=plan.secrets)


def problems_of(reason: Exception, target: str) -> tuple[Problem, ...]:
    """The problems that an error tells, each with what it is about."""
    if isinstance(reason, TemplateRefused):
        reason = refused(reason)
    if isinstance(reason, ArmError):
        told = reason.details or (
            Problem(
                reason.code or "BadRequest", reason.message, additional_info=reason.additional_info
            ),
        )
        return tuple(about(target, problem) for problem in told)
    return (Problem("InvalidTemplate", str(reason), target),)


def about(resource_id: str, problem: Problem) -> Problem:
    """The problem with the resource as its target; the property at fault moves into the text."""
    if not problem.target or problem.target == resource_id:
        return msgspec.structs.replace(problem, target=resource_id)
    message = f"{problem.message} (at '{problem.target}')"
    return msgspec.structs.replace(problem, message=message, target=resource_id)

"""What can be seen to fail before anything is written: all of it, for every resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.preview import Preview
from linarite.controlplane.resources.template_deployments.failures import refused
from linarite.controlplane.resources.template_deployments.planning import Planned, planned_module
from linarite.controlplane.templates.planned import PlannedResource
from linarite.controlplane.templates.problems import (
    ArgumentUnfit,
    ExpressionFailed,
    TemplateRefused,
)
from linarite.controlplane.templates.secrets import Secrets
from linarite.domain.arm_errors import ArmError, Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from linarite.controlplane.resources.template_deployments.world import World

MODULES_DEPTH_MAX = 8
NOT_FOUND = 404
TOO_DEEP = Problem(
    "InvalidTemplate", f"Deployments are nested more than {MODULES_DEPTH_MAX} levels deep."
)


class Foreseen(msgspec.Struct, frozen=True):
    """A resource and what writing it would come to, as far as can be told."""

    resource: PlannedResource
    body: dict[str, Any] | None = None
    """None when it rests on what is not there yet"""
    preview: Preview | None = None
    problems: tuple[Problem, ...] = ()
    unknown: str = ""
    """why nothing can be told"""
    secrets: Secrets = Secrets()
    """what must not be shown of it"""


async def foresee(world: World, deployment: Planned, depth: int = 0) -> AsyncIterator[Foreseen]:
    """Every resource of a deployment and of its modules, in order; no problem tells a secret."""
    secrets = deployment.plan.secrets
    async for foreseen in _every(world, deployment, depth):
        hidden = tuple(
            msgspec.structs.replace(problem, message=secrets.hidden_in(problem.message))
            for problem in foreseen.problems
        )
        unknown = secrets.hidden_in(foreseen.unknown)
        yield msgspec.structs.replace(foreseen, problems=hidden, unknown=unknown)


async def _every(world: World, deployment: Planned, depth: int) -> AsyncIterator[Foreseen]:
    made = {resource.id.lower() for resource in deployment.plan.resources}
    for resource in deployment.plan.resources:
        if not resource.is_nested:
            yield await _foreseen(world, deployment, resource)
            continue
        if depth >= MODULES_DEPTH_MAX:
            yield Foreseen(resource, problems=(TOO_DEEP,))
            continue
        try:
            module = await planned_module(world, deployment, resource)
        except (TemplateRefused, ArmError, ExpressionFailed, ArgumentUnfit) as reason:
            if isinstance(reason, ArmError) and reason.status == NOT_FOUND and made:
                yield Foreseen(resource, unknown=reason.message)
            else:
                yield Foreseen(resource, problems=problems_of(reason, resource.id))
            continue
        async for inner in foresee(world, module, depth + 1):
            yield inner


async def _foreseen(world: World, deployment: Planned, resource: PlannedResource) -> Foreseen:
    version = resource.declared.api_version
    plane = world.surface.plane
    plan = deployment.plan
    try:
        plane.check(world.asked("PUT", resource.id, version))
    except ArmError as reason:
        return Foreseen(resource, problems=problems_of(reason, resource.id))
    try:
        body = await world.resolved(plan, lambda facts: plan.body(resource, facts))
    except ArmError as reason:
        # What it reads is not there yet, or will be another by then.
        return Foreseen(resource, unknown=reason.message)
    except (ExpressionFailed, ArgumentUnfit) as reason:
        return Foreseen(resource, problems=problems_of(reason, resource.id))
    request = world.asked("PUT", resource.id, version, msgspec.json.encode(body))
    try:
        preview = await plane.preview(request)
    except ArmError as reason:
        return Foreseen(resource, body, problems=problems_of(reason, resource.id))
    told = tuple(about(resource.id, problem) for problem in preview.problems)
    return Foreseen(resource, body, preview, told, secrets=plan.secrets)


def problems_of(reason: Exception, target: str) -> tuple[Problem, ...]:
    """The problems that an error tells, each with what it is about."""
    if isinstance(reason, TemplateRefused):
        reason = refused(reason)
    if isinstance(reason, ArmError):
        told = reason.details or (Problem(reason.code or "BadRequest", reason.message),)
        return tuple(about(target, problem) for problem in told)
    return (Problem("InvalidTemplate", str(reason), target),)


def about(resource_id: str, problem: Problem) -> Problem:
    """The problem with the resource as its target; the property at fault moves into the text."""
    if not problem.target or problem.target == resource_id:
        return msgspec.structs.replace(problem, target=resource_id)
    message = f"{problem.message} (at '{problem.target}')"
    return msgspec.structs.replace(problem, message=message, target=resource_id)

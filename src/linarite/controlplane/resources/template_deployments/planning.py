"""From a request to a plan, and from a plan to those of its modules."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.resources.template_deployments.place import (
    DeploymentPlace,
    surroundings,
)
from linarite.controlplane.resources.template_deployments.sent import Sent
from linarite.controlplane.templates.plan import Plan, draft, draft_nested

if TYPE_CHECKING:
    from typing import Any

    from linarite.controlplane.resources.template_deployments.world import World
    from linarite.controlplane.templates.planned import PlannedResource


class Planned(msgspec.Struct, frozen=True):
    """A deployment that is ready to be carried out."""

    place: DeploymentPlace
    sent: Sent
    plan: Plan


async def planned(world: World, place: DeploymentPlace, sent: Sent) -> Planned:
    """Plan a deployment. Raises TemplateRefused, ArmError 404 when its scope is not there."""
    here = await surroundings(world.surface, place, sent, world.errand, world.surface.now())
    plan = await asyncio.to_thread(draft, sent.template, sent.parameters, here)
    return Planned(place, sent, plan)


async def planned_module(world: World, outside: Planned, resource: PlannedResource) -> Planned:
    """Plan a deployment within a deployment.

    Raises what `planned` raises, ExpressionFailed, and ArmError for what cannot be read.
    """
    plan = outside.plan
    nested = await world.resolved(plan, lambda facts: plan.nested(resource, facts))
    body: dict[str, Any] = await world.resolved(plan, lambda facts: plan.body(resource, facts))
    place = DeploymentPlace(resource.id, resource.declared.name, body.get("location"))
    sent = Sent(
        template=nested.template,
        parameters={**nested.parameters},
        location=place.location,
        tags=body.get("tags"),
    )
    here = await surroundings(world.surface, place, sent, world.errand, world.surface.now())
    inside = await asyncio.to_thread(draft_nested, plan, resource, nested, here)
    return Planned(place, sent, inside)

"""Enabling and disabling an application, and which agents it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.request import Answer, Target
from linarite.controlplane.resources.applications.rules import TYPE
from linarite.controlplane.verbs.get import existing, showing_one
from linarite.controlplane.verbs.put import system_data

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource


async def enable(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """200 with the application."""
    return await _switched(request, target, surface, on=True)


async def disable(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """200 with the application."""
    return await _switched(request, target, surface, on=False)


async def list_agents(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The agents that the application was given."""
    del request
    application = await _application(target, surface, "read")
    agents: list[dict[str, Any]] = application.properties.get("agents") or []
    named = [(agent, str(agent.get("agentName") or agent.get("agentId"))) for agent in agents]
    value = [
        {
            "id": f"{application.id}/agents/{name}",
            "name": name,
            "type": f"{TYPE}/agents",
            "properties": agent,
        }
        for agent, name in named
    ]
    return Answer(200, {"value": value})


async def _switched(request: ArmRequest, target: Target, surface: Surface, *, on: bool) -> Answer:
    async with surface.turn:
        old = await _application(target, surface, "write")
        new = msgspec.structs.replace(
            old,
            properties=old.properties | {"isEnabled": on},
            system_data=system_data(old, request.caller, surface.now().isoformat()),
        )
        stored = await surface.resources.put(new, expected_etag=old.etag)
    return showing_one(200, stored, surface.rows[TYPE.lower()], surface, request)


async def _application(target: Target, surface: Surface, verb: str) -> Resource:
    """The application whose action the path is. Raises ArmError 404."""
    path = target.path.rpartition("/")[0]
    of_it = msgspec.structs.replace(target, path=path)
    return await existing(of_it, surface.rows[TYPE.lower()], surface, verb)

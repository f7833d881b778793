"""DELETE: removes a resource and what is under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane import conditions
from linarite.controlplane.request import Answer
from linarite.controlplane.verbs.get import existing
from linarite.controlplane.verbs.parents import stored_parent_id
from linarite.domain.arm_errors import refusal
from linarite.domain.arm_id import RESOURCE_GROUP_TYPE, parent_id

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.resource_type import ResourceType
    from linarite.controlplane.surface import Surface


async def delete(
    request: ArmRequest, target: Target, row: ResourceType, surface: Surface
) -> Answer:
    """200 when it is gone, 204 when it was not there; an unknown resource group is a 404."""
    async with surface.turn:
        if row.type == RESOURCE_GROUP_TYPE:
            await existing(target, row, surface, "delete")
        await stored_parent_id(surface, parent_id(target.path), row.type, "delete")
        found = await surface.resources.get(target.path)
        conditions.require(request.headers, found, target.path)
        if found is None:
            return Answer(204)
        if problems := await row.keep(surface, found):
            raise refusal(problems)
        await row.remove(surface, found)
        await surface.changed()
    return Answer(200)

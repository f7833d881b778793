"""DELETE: removes a resource and what is under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane import conditions
from linarite.controlplane.authorizing import require_linked
from linarite.controlplane.policy.guard import require_deletable
from linarite.controlplane.request import Answer
from linarite.controlplane.resource_type import found
from linarite.controlplane.verbs.get import existing, showing_one
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
    """200 (for some types 204) when it is gone, 204 when it was not there."""
    async with surface.turn:
        if row.type == RESOURCE_GROUP_TYPE:
            await existing(target, row, surface, "delete")
        await stored_parent_id(surface, parent_id(target.path), row.type, "delete")
        resource = await found(surface, row, target.path)
        conditions.require(request.headers, resource, target.path)
        if resource is None:
            return Answer(204)
        require_linked(
            surface,
            request.caller,
            (f"{row.grants}/delete", target.path),
            row.linked(None, resource),
        )
        await require_deletable(resource, request, row, surface)
        if problems := await row.keep(surface, resource):
            raise refusal(problems)
        await row.remove(surface, resource)
    if row.tells_deleted:
        return showing_one(row.deleted, resource, row, surface, request)
    return Answer(row.deleted)

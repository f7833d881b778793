"""GET and HEAD on a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.request import Answer
from linarite.controlplane.resource_type import found
from linarite.controlplane.verbs.parents import stored_parent_id
from linarite.controlplane.wire import quoted, shown
from linarite.domain.arm_errors import resource_group_not_found, resource_not_found
from linarite.domain.arm_id import RESOURCE_GROUP_TYPE, parent_id, resource_group_of

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.resource_type import ResourceType
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource


async def get(request: ArmRequest, target: Target, row: ResourceType, surface: Surface) -> Answer:
    """The resource, with its etag."""
    resource = await existing(target, row, surface, "read")
    return showing_one(200, resource, row, surface, request)


async def head(request: ArmRequest, target: Target, row: ResourceType, surface: Surface) -> Answer:
    """204 when it is there, 404 without a body when not."""
    del request, row
    return Answer(404 if await surface.resources.get(target.path) is None else 204)


async def existing(target: Target, row: ResourceType, surface: Surface, verb: str) -> Resource:
    """The stored resource. Raises ArmError 404 for the outermost thing that is missing."""
    resource = await found(surface, row, target.path)
    if resource is not None and resource.type.lower() == row.type.lower():
        if not resource.etag:  # built in: its parent must be there
            await stored_parent_id(surface, parent_id(target.path), row.type, verb)
        return resource
    await stored_parent_id(surface, parent_id(target.path), row.type, verb)
    if row.type == RESOURCE_GROUP_TYPE:
        raise resource_group_not_found(resource_group_of(target.path))
    names = [target.names[word] for word in target.names if f"{{{word}}}" in row.template]
    of_type = names[-row.type.count("/") :]
    raise resource_not_found(row.type, "/".join(of_type), resource_group_of(target.path))


def showing_one(
    status: int, resource: Resource, row: ResourceType, surface: Surface, request: ArmRequest
) -> Answer:
    """An answer whose body is the resource."""
    view = shown(resource, row, surface.showing(request))
    return Answer(status, view, {} if row.plain else {"etag": quoted(resource.etag)})

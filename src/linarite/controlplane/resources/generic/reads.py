"""Lists of the tracked resources that a caller may read, in a subscription or a group."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from linarite.controlplane.authorizing import readable
from linarite.controlplane.stocktaking import require_subscription
from linarite.controlplane.verbs.list import paged
from linarite.controlplane.wire import top_of
from linarite.domain.arm_errors import bad_request, resource_group_not_found
from linarite.domain.arm_id import RESOURCE_GROUP_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

CONDITION = re.compile(r"(resourceType|name|location|resourceGroup) eq '([^']*)'", re.IGNORECASE)


async def of_subscription(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Everything that has a location."""
    return await _listed(request, require_subscription(surface, target), surface)


async def of_group(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """What lies in the group. Raises ArmError 404."""
    require_subscription(surface, target)
    group = await surface.resources.get(target.path.rpartition("/")[0])
    if group is None:
        raise resource_group_not_found(target["resource_group"])
    return await _listed(request, group.id, surface)


async def _listed(request: ArmRequest, scope: str, surface: Surface) -> Answer:
    wanted = _conditions(request.query.get("$filter", ""))
    found = [
        resource
        for known in surface.known
        if known.tracked and known.type != RESOURCE_GROUP_TYPE
        for resource in await surface.resources.list_under(scope, known.type)
        if _fits(resource, wanted)
    ]
    found = readable(surface, request.caller, found)
    return paged(sorted((each.id.lower(), each) for each in found), request, _shown)


def _conditions(text: str) -> dict[str, str]:
    """`resourceType eq '…' and name eq '…'`. Raises ArmError for anything else."""
    if not text.strip():
        return {}
    wanted: dict[str, str] = {}
    for part in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE):
        match = CONDITION.fullmatch(part)
        if match is None:
            raise bad_request(
                "InvalidFilterInQueryString",
                f"The filter '{part[:200]}' is not understood; use resourceType, name, location "
                "or resourceGroup with eq and join them with and.",
            )
        wanted[match[1].lower()] = match[2].lower()
    return wanted


def _fits(resource: Resource, wanted: dict[str, str]) -> bool:
    facts = {
        "resourcetype": resource.type,
        "name": resource.name,
        "location": resource.location or "",
        "resourcegroup": resource.id.split("/")[4],
    }
    return all(facts[key].lower() == value for key, value in wanted.items())


def _shown(resource: Resource) -> dict[str, Any]:
    view = top_of(resource) | {"tags": resource.tags or {}}
    return {key: value for key, value in view.items() if value is not None}

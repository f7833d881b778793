"""PATCH: changes parts of a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controlplane import conditions
from linarite.controlplane.verbs.get import existing, showing_one
from linarite.controlplane.verbs.operation import followed
from linarite.controlplane.verbs.put import Change, admitted
from linarite.controlplane.wire import SETTABLE, read_resource

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.resource_type import ResourceType
    from linarite.controlplane.surface import Surface


async def patch(request: ArmRequest, target: Target, row: ResourceType, surface: Surface) -> Answer:
    """200 with the resource as it is now, 202 where a job carries the change out.

    A JSON merge patch (RFC 7396): objects are merged, null removes, lists are replaced. Tags are
    replaced as a whole, as the Resource Manager does.
    """
    sent = read_resource(request, row)
    async with surface.turn:
        old = await existing(target, row, surface, "write")
        conditions.require(request.headers, old, target.path)
        fields = {
            key: sent[key] if key == "tags" else merged(getattr(old, key), sent[key])
            for key in SETTABLE
            if key in sent
        }
        new = msgspec.structs.replace(
            old, properties=merged(old.properties, sent["properties"]), **fields
        )
        written = await admitted(Change(old, new), request, target, row, surface)
    status = 202 if written.job else 200
    answer = showing_one(status, written.resource, row, surface, request)
    return followed(answer, "location", written.job, request, surface)


def merged(old: Any, patch: Any) -> Any:  # noqa: ANN401 - JSON
    """A JSON value with a merge patch applied."""
    if not isinstance(patch, dict):
        return patch
    result: dict[str, Any] = dict(cast("dict[str, Any]", old)) if isinstance(old, dict) else {}
    for key, value in cast("dict[str, Any]", patch).items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result

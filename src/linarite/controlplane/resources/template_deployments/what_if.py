"""What a deployment would change. Source: "ARM template deployment what-if operation"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from linarite.controlplane.authorizing import readable
from linarite.controlplane.resources.template_deployments.preflight import foresee
from linarite.controlplane.resources.template_deployments.records import (
    DEPLOYMENT_TYPE,
    OPERATION_TYPE,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.controlplane.resources.template_deployments.planning import Planned
    from linarite.controlplane.resources.template_deployments.preflight import Foreseen
    from linarite.controlplane.resources.template_deployments.world import World
    from linarite.domain.arm_errors import Problem

PASSING = frozenset({"etag", "systemData"})
"""what every write changes"""


async def what_if(
    world: World, deployment: Planned, result_format: str
) -> tuple[list[dict[str, Any]], list[Problem]]:
    """The changes, ordered by id, and the problems that would keep them from being made."""
    full = result_format.lower() != "resourceidonly"
    changes: list[dict[str, Any]] = []
    problems: list[Problem] = []
    async for foreseen in foresee(world, deployment):
        problems += foreseen.problems
        changes.append(foreseen.secrets.hidden(_change(foreseen, full=full)))
    named = {change["resourceId"].lower() for change in changes}
    changes += await _ignored(world, deployment, named, full=full)
    return sorted(changes, key=lambda change: change["resourceId"].lower()), problems


def _change(foreseen: Foreseen, *, full: bool) -> dict[str, Any]:
    resource_id = foreseen.resource.id
    preview = foreseen.preview
    if foreseen.unknown or preview is None or preview.after is None:
        reason = foreseen.unknown or "It would be refused; see the errors."
        return {
            "resourceId": resource_id,
            "changeType": "Unsupported",
            "unsupportedReason": reason,
        }
    before, after = _lasting(preview.before), _lasting(preview.after) or {}
    delta: list[dict[str, Any]] = []
    if before is not None:
        # What the server alone sets follows from the rest: nobody has asked for its change.
        ignored = preview.read_only
        delta = [*differences(_without(before, ignored), _without(after, ignored))]
    kind = "Create" if before is None else "Modify" if delta else "NoChange"
    change: dict[str, Any] = {"resourceId": resource_id, "changeType": kind}
    if full:
        change |= {"after": after}
        change |= {} if before is None else {"before": before}
        change |= {"delta": delta} if delta else {}
    return change


async def _ignored(
    world: World, deployment: Planned, named: set[str], *, full: bool
) -> list[dict[str, Any]]:
    """What is there and not in the template: an incremental deployment leaves it alone."""
    own = {DEPLOYMENT_TYPE.lower(), OPERATION_TYPE.lower()}
    scope = deployment.place.scope
    found: list[dict[str, Any]] = []
    for resource_type in world.surface.plane.stored_types:
        if resource_type.lower() in own:
            continue
        there = await world.surface.resources.list_under(scope, resource_type)
        for resource in readable(world.surface, world.errand.caller, there):
            if resource.id.lower() not in named:
                change = {"resourceId": resource.id, "changeType": "Ignore"}
                found.append(change | ({"before": {"id": resource.id}} if full else {}))
    return found


def _lasting(view: dict[str, Any] | None) -> dict[str, Any] | None:
    if view is None:
        return None
    return {name: value for name, value in view.items() if name not in PASSING}


def _without(view: dict[str, Any], properties: frozenset[str]) -> dict[str, Any]:
    kept = {key: value for key, value in view["properties"].items() if key not in properties}
    return view | {"properties": kept}


def differences(before: Any, after: Any, path: str = "") -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any JSON
    """The properties that differ, each with its path and what it was and would be."""
    if isinstance(before, dict) and isinstance(after, dict):
        old, new = cast("dict[str, Any]", before), cast("dict[str, Any]", after)
        for name in [*old, *(name for name in new if name not in old)]:
            inner = f"{path}.{name}" if path else name
            if name not in new:
                yield {"path": inner, "propertyChangeType": "Delete", "before": old[name]}
            elif name not in old:
                yield {"path": inner, "propertyChangeType": "Create", "after": new[name]}
            else:
                yield from differences(old[name], new[name], inner)
    elif before != after:
        yield {
            "path": path,
            "propertyChangeType": "Modify",
            "before": before,
            "after": after,
        }

"""How a deployment and its operations are kept and shown.

The deployment is a resource like any other; each operation is one under it.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.resources.template_deployments.place import DEPLOYMENT_TYPE
from linarite.controlplane.templates.planned import PlannedResource
from linarite.domain.resource import Delete, Put, Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controlplane.resources.template_deployments.planning import Planned
    from linarite.controlplane.resources.template_deployments.world import World
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Change

OPERATION_TYPE = f"{DEPLOYMENT_TYPE}/operations"
HIDDEN = frozenset({"template", "operation", "startedAt"})
"""kept beside what is shown"""
ENDED = frozenset({"Succeeded", "Failed", "Canceled"})


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What was done for one resource, or to answer the outputs (`resource` None)."""

    resource: PlannedResource | None
    state: str
    status: str
    """HTTP's words: Created, OK, BadRequest …"""
    started: datetime
    ended: datetime
    error: dict[str, Any] | None = None


async def kept_begin(world: World, deployment: Planned) -> None:
    """Keep that a module begins; what an earlier one of its name left goes."""
    old = await world.surface.resources.get(deployment.place.id)
    await world.surface.resources.commit(beginning(world, deployment, old, ""))


def beginning(
    world: World, deployment: Planned, old: Resource | None, operation: str
) -> list[Change]:
    """The changes that keep that a deployment begins, where `old` is still what is there.

    What an earlier one of its name left goes.
    """
    place, sent = deployment.place, deployment.sent
    now = world.surface.now()
    who = {"createdBy": world.errand.caller.name, "createdByType": world.errand.caller.kind}
    resource = Resource(
        id=place.id if old is None else old.id,
        type=DEPLOYMENT_TYPE,
        name=place.name,
        location=sent.location,
        tags=sent.tags,
        system_data={**who, "createdAt": now.isoformat()},
        properties={
            "templateHash": sent.template_hash,
            "parameters": deployment.plan.shown_parameters(),
            "mode": "Incremental",
            "provisioningState": "Running",
            "timestamp": written(now),
            "duration": "PT0S",
            "correlationId": world.errand.correlation_id,
            "providers": providers(deployment),
            "dependencies": dependencies(deployment),
            "template": sent.template,
            "operation": operation,
            "startedAt": now.isoformat(),
        },
    )
    gone: list[Change] = [] if old is None else [Delete(old.id, old.etag)]
    return [*gone, Put(resource, expected_etag="")]


async def forget_operations(surface: Surface, deployment_id: str) -> None:
    """Forget what was done: it is all done again."""
    done = await surface.resources.list_under(deployment_id, OPERATION_TYPE)
    if done:
        await surface.resources.commit([Delete(one.id) for one in done])


async def kept_end(world: World, place_id: str, state: str, **found: Any) -> None:  # noqa: ANN401 - any JSON
    """Keep how a deployment ended; one that was canceled stays so."""
    resource = await world.surface.resources.get(place_id)
    if resource is None or resource.properties.get("provisioningState") in ENDED:
        return
    now = world.surface.now()
    started = datetime.fromisoformat(resource.properties["startedAt"])
    properties = {
        **resource.properties,
        "provisioningState": state,
        "timestamp": written(now),
        "duration": duration(now - started),
        **{name: value for name, value in found.items() if value is not None},
    }
    await world.surface.resources.put(msgspec.structs.replace(resource, properties=properties))


async def kept_operation(world: World, place_id: str, operation: Operation) -> None:
    """Keep what was done for one resource."""
    name = str(uuid.uuid4())
    resource = operation.resource
    properties: dict[str, Any] = {
        "provisioningOperation": "EvaluateDeploymentOutput" if resource is None else "Create",
        "provisioningState": operation.state,
        "timestamp": written(operation.ended),
        "duration": duration(operation.ended - operation.started),
        "trackingId": world.errand.correlation_id,
        "statusCode": operation.status,
    }
    if operation.error is not None:
        properties["statusMessage"] = {"error": operation.error}
    if resource is not None:
        properties["targetResource"] = shown_resource(resource)
    await world.surface.resources.put(
        Resource(
            id=f"{place_id}/operations/{name}",
            type=OPERATION_TYPE,
            name=name,
            properties=properties,
        )
    )


def shown_deployment(resource: Resource) -> dict[str, Any]:
    """A deployment as clients read it."""
    properties = {name: value for name, value in resource.properties.items() if name not in HIDDEN}
    view: dict[str, Any] = {
        "id": resource.id,
        "name": resource.name,
        "type": resource.type,
        "location": resource.location,
        "tags": resource.tags,
        "systemData": resource.system_data or None,
        "properties": properties,
    }
    return {name: value for name, value in view.items() if value is not None}


def shown_operation(resource: Resource) -> dict[str, Any]:
    """An operation as clients read it."""
    return {"id": resource.id, "operationId": resource.name, "properties": resource.properties}


def shown_resource(resource: PlannedResource) -> dict[str, Any]:
    """A resource as others point at it."""
    return {
        "id": resource.id,
        "resourceType": resource.declared.type,
        "resourceName": resource.declared.name,
    }


def providers(deployment: Planned) -> list[dict[str, Any]]:
    """The types that are written, by namespace."""
    found: dict[str, dict[str, Any]] = {}
    for resource in deployment.plan.resources:
        namespace, _, kind = resource.declared.type.partition("/")
        types = found.setdefault(namespace, {})
        types[kind] = {"resourceType": kind, "locations": [None]}
    return [
        {"namespace": namespace, "resourceTypes": [*types.values()]}
        for namespace, types in found.items()
    ]


def dependencies(deployment: Planned) -> list[dict[str, Any]]:
    """What waits for what."""
    plan = deployment.plan
    by_key = {resource.key: resource for resource in plan.resources}
    return [
        {
            "dependsOn": [
                shown_resource(by_key[key])
                for key in sorted(plan.dependencies[resource.key])
                if key in by_key
            ],
            **shown_resource(resource),
        }
        for resource in plan.resources
        if _awaits(plan.dependencies[resource.key], by_key)
    ]


def _awaits(keys: set[str], by_key: dict[str, Any]) -> Sequence[str]:
    return [key for key in keys if key in by_key]


def written(at: datetime) -> str:
    """A time as the Resource Manager writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def duration(span: timedelta) -> str:
    """A span of time in ISO 8601."""
    return f"PT{max(0.0, span.total_seconds()):.3f}S".replace(".000S", "S")

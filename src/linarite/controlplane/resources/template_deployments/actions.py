"""The requests that deployments answer. Source: the Resource Manager's REST API, Deployments."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from linarite.controlplane.request import Answer
from linarite.controlplane.resources.template_deployments.deployer import (
    deployment_job,
    quickly_ended,
)
from linarite.controlplane.resources.template_deployments.failures import not_valid, refused
from linarite.controlplane.resources.template_deployments.place import (
    DEPLOYMENT_TYPE,
    DeploymentPlace,
)
from linarite.controlplane.resources.template_deployments.planning import Planned, planned
from linarite.controlplane.resources.template_deployments.preflight import foresee
from linarite.controlplane.resources.template_deployments.records import (
    ENDED,
    OPERATION_TYPE,
    beginning,
    dependencies,
    providers,
    shown_deployment,
    shown_operation,
    shown_resource,
)
from linarite.controlplane.resources.template_deployments.sent import Sent, read_sent
from linarite.controlplane.resources.template_deployments.what_if import what_if
from linarite.controlplane.resources.template_deployments.world import Errand, World
from linarite.controlplane.templates.problems import TemplateRefused
from linarite.controlplane.verbs.list import paged
from linarite.controlplane.verbs.parents import stored_parent_id
from linarite.domain.arm_errors import ArmError, bad_request
from linarite.domain.arm_id import parent_id
from linarite.domain.resource import EtagMismatch

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.arm_errors import Problem
    from linarite.domain.resource import Resource

NAME = r"[-\w.()]{1,64}"


async def put(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Check the template as a whole, then carry it out. 201, or 200 for a name used before."""
    sent = read_sent(request.body)
    world = _world(request, surface)
    _require_idle(await surface.resources.get(target.path))
    deployment, problems = await _checked(world, target, sent)
    if problems:
        raise not_valid(target["deployment"], request.correlation_id, problems)
    job = deployment_job(world, deployment)
    async with surface.turn:
        existed = await surface.resources.get(target.path)
        _require_idle(existed)
        await surface.resources.commit(beginning(world, deployment, existed, job.id), [job])
    kept = await quickly_ended(surface, deployment.place.id) or await _existing(target, surface)
    ended = kept.properties["provisioningState"] in ENDED
    return Answer(
        201 if existed is None else 200,
        shown_deployment(kept),
        {
            "azure-asyncoperation": f"{request.base_url}{quote(kept.id)}/operationStatuses/{job.id}"
            f"?api-version={request.api_version}",
            "retry-after": "0" if ended else "1",
        },
    )


async def validate(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """200 with what the template would do, or 400 with everything that is wrong with it."""
    sent = read_sent(request.body)
    deployment, problems = await _checked(_world(request, surface), target, sent)
    if problems:
        raise not_valid(target["deployment"], request.correlation_id, problems)
    place = deployment.place
    properties: dict[str, Any] = {
        "templateHash": sent.template_hash,
        "parameters": deployment.plan.shown_parameters(),
        "mode": "Incremental",
        "provisioningState": "Succeeded",
        "correlationId": request.correlation_id,
        "providers": providers(deployment),
        "dependencies": dependencies(deployment),
        "validatedResources": [shown_resource(one) for one in deployment.plan.resources],
    }
    view = {"id": place.id, "name": place.name, "type": DEPLOYMENT_TYPE, "properties": properties}
    return Answer(200, view)


async def what_would_change(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """200 with a change for every resource; what would be refused is told as an error."""
    sent = read_sent(request.body)
    world = _world(request, surface)
    deployment = await _planned(world, target, sent)
    changes, problems = await what_if(world, deployment, sent.result_format)
    if problems:
        raise not_valid(target["deployment"], request.correlation_id, problems)
    return Answer(200, {"status": "Succeeded", "properties": {"changes": changes}})


async def get(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The deployment as it stands."""
    del request
    return Answer(200, shown_deployment(await _existing(target, surface)))


async def head(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """204 when it is there, 404 when not."""
    del request
    return Answer(404 if await surface.resources.get(target.path) is None else 204)


async def list_deployments(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Those of the group or subscription itself, ordered by id."""
    scope = target.path.removesuffix(f"/providers/{DEPLOYMENT_TYPE}")
    await stored_parent_id(surface, scope, DEPLOYMENT_TYPE, "read")
    found = await surface.resources.list_under(scope, DEPLOYMENT_TYPE)
    here = [one for one in found if parent_id(one.id).lower() == scope.lower()]
    return paged([(one.id.lower(), one) for one in here], request, shown_deployment)


async def delete(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """204; the record goes, what was deployed stays."""
    del request
    found = await surface.resources.get(target.path)
    _require_idle(found)
    await surface.resources.delete(target.path)
    return Answer(204)


async def cancel(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """204 when it was running; what has been written stays."""
    found = await _existing(target, surface)
    if found.properties.get("provisioningState") in ENDED:
        raise ArmError(
            409,
            "DeploymentCannotBeCancelled",
            f"The deployment '{found.name}' cannot be cancelled: it has ended as "
            f"'{found.properties['provisioningState']}'.",
        )
    properties = {**found.properties, "provisioningState": "Canceled"}
    canceled = msgspec.structs.replace(found, properties=properties)
    try:
        await surface.resources.put(canceled, expected_etag=found.etag)
    except EtagMismatch:  # it has ended, or begun anew, in between
        return await cancel(request, target, surface)
    return Answer(204)


async def export(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The template that was deployed."""
    del request
    found = await _existing(target, surface)
    return Answer(200, {"template": found.properties["template"]})


async def list_operations(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """What was done for each resource, in the order in which it was done."""
    deployment = await _existing(target, surface)
    found = await surface.resources.list_under(deployment.id, OPERATION_TYPE)
    ordered = sorted((f"{one.properties['timestamp']}{one.name}", one) for one in found)
    return paged(ordered, request, shown_operation)


async def get_operation(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """One operation."""
    del request
    deployment = await _existing(target, surface)
    found = await surface.resources.get(f"{deployment.id}/operations/{target['operation']}")
    if found is None:
        raise ArmError(
            404,
            "DeploymentOperationNotFound",
            f"Deployment operation '{target['operation'][:100]}' could not be found.",
        )
    return Answer(200, shown_operation(found))


async def get_status(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """How far the deployment is: what `Azure-AsyncOperation` points at."""
    del request
    found = await _existing(target, surface)
    state = str(found.properties["provisioningState"])
    body: dict[str, Any] = {"status": state}
    if "error" in found.properties:
        body["error"] = found.properties["error"]
    return Answer(200, body, {} if state in ENDED else {"retry-after": "1"})


def _world(request: ArmRequest, surface: Surface) -> World:
    errand = Errand(
        caller=request.caller,
        base_url=request.base_url,
        correlation_id=request.correlation_id or str(uuid.uuid4()),
    )
    return World(surface, errand)


async def _planned(world: World, target: Target, sent: Sent) -> Planned:
    name = target["deployment"]
    if re.fullmatch(NAME, name) is None:
        raise bad_request(
            "InvalidDeploymentName",
            f"The deployment name '{name[:100]}' is not valid: it has 1 to 64 letters, digits, "
            "'-', '_', '.', '(' and ')'.",
        )
    if sent.location is None and not target["resource_group"]:
        raise bad_request(
            "InvalidDeployment",
            f"The 'location' property must be specified for '{name}'. Please see "
            "https://aka.ms/deploy-to-subscription for usage details.",
            target="location",
        )
    try:
        return await planned(world, DeploymentPlace(_id(target), name, sent.location), sent)
    except TemplateRefused as refusal:
        raise refused(refusal) from None


async def _checked(world: World, target: Target, sent: Sent) -> tuple[Planned, list[Problem]]:
    """The plan, and everything that can be seen to fail."""
    deployment = await _planned(world, target, sent)
    problems = [
        problem async for foreseen in foresee(world, deployment) for problem in foreseen.problems
    ]
    return deployment, problems


def _require_idle(found: Resource | None) -> None:
    """Let pass what does not run. Raises ArmError 409."""
    if found is not None and found.properties.get("provisioningState") not in ENDED:
        raise ArmError(
            409,
            "DeploymentActive",
            f"Unable to edit or replace deployment '{found.name}': previous deployment from "
            f"'{found.properties['timestamp']}' is still active. Please see "
            "https://aka.ms/arm-deploy for usage details.",
        )


async def _existing(target: Target, surface: Surface) -> Resource:
    deployment_id = _id(target)
    found = await surface.resources.get(deployment_id)
    if found is None:
        await stored_parent_id(surface, parent_id(deployment_id), DEPLOYMENT_TYPE, "read")
        raise ArmError(
            404,
            "DeploymentNotFound",
            f"Deployment '{target['deployment'][:100]}' could not be found.",
        )
    return found


def _id(target: Target) -> str:
    """The deployment that a path is about, whatever follows its name."""
    group = f"/resourceGroups/{target['resource_group']}" if target["resource_group"] else ""
    scope = f"/subscriptions/{target['subscription']}{group}"
    return f"{scope}/providers/{DEPLOYMENT_TYPE}/{target['deployment']}"

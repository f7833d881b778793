"""Long-running operations: the job behind a write, seen from outside.

Source: the Resource Manager's contract for asynchronous operations
(learn.microsoft.com, "Track asynchronous Azure operations").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import msgspec

from linarite.controlplane.authorizing import may
from linarite.controlplane.request import Answer
from linarite.controlplane.verbs.get import showing_one
from linarite.domain.arm_errors import ArmError
from linarite.domain.arm_id import type_of

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.jobs import Job

Header = Literal["azure-asyncoperation", "location"]
WORDS: dict[Header, str] = {
    "azure-asyncoperation": "operationStatuses",
    "location": "operationResults",
}
RETRY_AFTER_S = "1"


def followed(
    answer: Answer, header: Header, job: Job | None, request: ArmRequest, surface: Surface
) -> Answer:
    """The answer to a write, with the link under which its job can be followed."""
    if job is None:
        return answer
    path = path_of(job, surface, WORDS[header])
    link = f"{request.base_url}{path}?api-version={request.api_version}"
    headers = answer.headers | {header: link, "retry-after": RETRY_AFTER_S}
    return msgspec.structs.replace(answer, headers=headers)


def path_of(job: Job, surface: Surface, word: str = "operationStatuses") -> str:
    """Where a job is followed."""
    subscription = "/".join(job.resource_id.split("/")[:3])
    return (
        f"{subscription}/providers/Microsoft.CognitiveServices/locations/"
        f"{surface.realm.locations[0]}/{word}/{job.id}"
    )


async def status(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """How far a job is: always 200, its status in the body."""
    job = await _job(request, surface, target)
    return _waiting(Answer(200, told(job, target.path)), job)


def told(job: Job, path: str) -> dict[str, Any]:
    """What a client is told of a job that it follows under a path."""
    body: dict[str, Any] = {
        "id": path,
        "name": job.id,
        "resourceId": job.resource_id,
        "status": job.status,
        "startTime": job.started_at,
        "percentComplete": job.percent_complete,
    }
    if job.ended_at:
        body["endTime"] = job.ended_at
    if job.doing:
        body["properties"] = {"message": job.doing}
    if job.error is not None:
        body["error"] = msgspec.to_builtins(job.error)
    return body


async def result(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """202 until the job has ended; then its resource, 204 if that is gone, or why it failed."""
    job = await _job(request, surface, target)
    if job.running:
        link = f"{request.base_url}{quote(target.path)}?api-version={request.api_version}"
        return _waiting(Answer(202, headers={"location": link}), job)
    if job.error is not None:
        raise ArmError(409, job.error.code, job.error.message)
    resource = await surface.resources.get(job.resource_id)
    # The result of a template deployment is read where that is.
    row = surface.rows.get(resource.type.lower()) if resource else None
    if resource is None or row is None:
        return Answer(204)
    return showing_one(200, resource, row, surface, request)


def _waiting(answer: Answer, job: Job) -> Answer:
    if not job.running:
        return answer
    headers = answer.headers | {"retry-after": RETRY_AFTER_S}
    return msgspec.structs.replace(answer, headers=headers)


async def _job(request: ArmRequest, surface: Surface, target: Target) -> Job:
    """The job of that id in this subscription, of a resource that the caller may read.

    Raises ArmError 404.
    """
    found = await surface.jobs.get(target["operation"].lower())
    scope = f"/subscriptions/{target['subscription']}/".lower()
    if (
        found is None
        or not found.resource_id.lower().startswith(scope)
        or not may(surface, request.caller, f"{type_of(found.resource_id)}/read", found.resource_id)
    ):
        raise ArmError(
            404, "OperationNotFound", f"There is no operation '{target['operation'][:100]}'."
        )
    return found

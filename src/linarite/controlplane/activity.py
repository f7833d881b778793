"""What the activity log says of a request: a record at its beginning and one at its end.

Source: learn.microsoft.com, "Azure activity log event schema", category Administrative.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from linarite.controlplane.request import ArmRequest
from linarite.domain.activity import ActivityEvent
from linarite.domain.arm_id import resource_group_of

if TYPE_CHECKING:
    from linarite.controlplane.caller import Caller
    from linarite.controlplane.surface import Realm
    from linarite.domain.jobs import Job

BODY_CHARACTERS_MAX = 8192
_IDENTITY = "http://schemas.microsoft.com/identity/claims"
ACTIVITY_KEPT = timedelta(days=90)
"""as Azure keeps its activity log"""


class Deed(msgspec.Struct, frozen=True):
    """A write, delete or action that is about to happen."""

    request: ArmRequest
    permission: str
    """`Microsoft.CognitiveServices/accounts/write`"""
    resource_type: str
    resource_id: str
    tells_body: bool
    """whether the body may be kept: it holds no secrets"""


def begun(deed: Deed, realm: Realm, at: str) -> ActivityEvent:
    """The record of a beginning."""
    properties: dict[str, Any] = {"entity": deed.resource_id, "message": deed.permission}
    if deed.tells_body and deed.request.body:
        text = deed.request.body.decode("utf-8", "replace")
        properties["requestbody"] = text[:BODY_CHARACTERS_MAX]
    return _event(deed, realm, at, ("BeginRequest", "Started", ""), properties)


def ended(
    deed: Deed, realm: Realm, at: str, status: int, code: str = "", *, goes_on: bool = False
) -> ActivityEvent:
    """The record of an end, with HTTP's status and, for a refusal, the error's code.

    `goes_on`: a job carries it out, whose end has a record of its own (`job_ended`).
    """
    word = HTTPStatus(status).phrase.title().replace(" ", "")
    properties: dict[str, Any] = {
        "entity": deed.resource_id,
        "message": deed.permission,
        "statusCode": word,
        "serviceRequestId": deed.request.request_id,
    }
    if code:
        properties["statusMessage"] = code
    state = "Failed" if status >= HTTPStatus.BAD_REQUEST else "Succeeded"
    if goes_on or status == HTTPStatus.ACCEPTED:
        state = "Accepted"
    return _event(deed, realm, at, ("EndRequest", state, word), properties)


def job_ended(beginning: ActivityEvent, job: Job, at: str) -> ActivityEvent:
    """The record of the end of what a request began: that of its beginning, with how it ended."""
    event_id = str(uuid4())
    properties: dict[str, Any] = {
        "entity": beginning.resource_id,
        "message": beginning.body["properties"]["message"],
        "statusCode": "OK" if job.error is None else "Conflict",
        "serviceRequestId": job.id,
    }
    if job.error is not None:
        properties["statusMessage"] = msgspec.json.encode({"error": job.error}).decode()
    body = beginning.body | {
        "eventDataId": event_id,
        "eventName": named("EndRequest"),
        "eventTimestamp": at,
        "submissionTimestamp": at,
        "id": f"{beginning.resource_id}/events/{event_id}",
        "level": "Error" if job.status == "Failed" else "Informational",
        "properties": properties,
        "status": named(job.status),
        "subStatus": named(""),
    }
    return msgspec.structs.replace(beginning, at=at, body=body, seq=0)


def _event(
    deed: Deed, realm: Realm, at: str, words: tuple[str, str, str], properties: dict[str, Any]
) -> ActivityEvent:
    name, status, sub_status = words
    request = deed.request
    event_id = str(uuid4())
    namespace = deed.permission.partition("/")[0]
    body = {
        "authorization": {"action": deed.permission, "scope": deed.resource_id},
        "caller": request.caller.name,
        "channels": "Operation",
        "claims": claims_of(request.caller),
        "correlationId": request.correlation_id,
        "description": "",
        "eventDataId": event_id,
        "eventName": named(name),
        "category": named("Administrative"),
        "eventTimestamp": at,
        "submissionTimestamp": at,
        "httpRequest": {
            "clientRequestId": request.headers.get("x-ms-client-request-id", "")[:100],
            "clientIpAddress": request.client_address,
            "method": request.method,
        },
        "id": f"{deed.resource_id}/events/{event_id}",
        "level": "Error" if status == "Failed" else "Informational",
        "operationId": request.correlation_id,
        "operationName": named(deed.permission),
        "properties": properties,
        "resourceGroupName": resource_group_of(deed.resource_id),
        "resourceId": deed.resource_id,
        "resourceProviderName": named(namespace),
        "resourceType": named(deed.resource_type),
        "status": named(status),
        "subStatus": named(sub_status),
        "subscriptionId": realm.subscription,
        "tenantId": realm.tenant,
    }
    return ActivityEvent(
        at=at,
        subscription=realm.subscription,
        resource_id=deed.resource_id,
        correlation_id=request.correlation_id,
        body=body,
    )


def claims_of(caller: Caller) -> dict[str, str]:
    """What is told of a caller, under the names that Azure has for claims."""
    principal = caller.principal
    claims = {
        "name": principal.name,
        "iss": principal.issuer,
        "appid": principal.app_id,
        "uti": principal.token_id,
        f"{_IDENTITY}/objectidentifier": principal.object_id,
        f"{_IDENTITY}/tenantid": principal.tenant_id,
        "xms_mirid": principal.resource_id,
    }
    return {name: value for name, value in claims.items() if value}


def named(value: str) -> dict[str, str]:
    """A word as events have it: with what people read, which is the same here."""
    return {"value": value, "localizedValue": value}

"""What the audit log says of requests to the control plane.

A write, delete or action leaves an event before it begins and one when it has ended, each on disk
before anything goes on; so does a refusal. Source of the shape: learn.microsoft.com, "Azure
activity log event schema", which the activity log itself follows more closely.
"""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from linarite.domain.audit import (
    ACCEPTED,
    CONTROL_PLANE,
    FAILED,
    REFUSED,
    STARTED,
    SUCCEEDED,
    AuditEvent,
)

if TYPE_CHECKING:
    from linarite.controlplane.activity import Deed
    from linarite.controlplane.request import ArmRequest
    from linarite.domain.errors import LinariteError

REFUSALS = frozenset((HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT))
UNKNOWN_ACTION = "unknown"


def audited_start(deed: Deed) -> AuditEvent:
    """A deed is about to begin."""
    return _event(deed.request, deed.permission, deed.resource_id, STARTED)


def audited_end(deed: Deed, status: int, code: str = "") -> AuditEvent:
    """A deed has ended."""
    outcome = SUCCEEDED
    if status == HTTPStatus.ACCEPTED:
        outcome = ACCEPTED
    elif status in REFUSALS:
        outcome = REFUSED
    elif status >= HTTPStatus.BAD_REQUEST:
        outcome = FAILED
    return _event(deed.request, deed.permission, deed.resource_id, outcome, status, code)


def audited_refusal(request: ArmRequest, permission: str, refused: LinariteError) -> AuditEvent:
    """A request that was refused before anything began."""
    return _event(
        request,
        permission or UNKNOWN_ACTION,
        request.path[:1_000],
        REFUSED,
        refused.status,
        refused.code or "",
    )


def _event(
    request: ArmRequest,
    permission: str,
    resource_id: str,
    outcome: str,
    status: int = 0,
    code: str = "",
) -> AuditEvent:
    caller, principal = request.caller, request.caller.principal
    credential = "management-key" if principal.is_key else "token" if principal.issuer else ""
    return AuditEvent(
        at=datetime.now(UTC).isoformat(timespec="microseconds"),
        category=CONTROL_PLANE,
        action=permission,
        outcome=outcome,
        status=status,
        code=code,
        resource_id=resource_id,
        principal=caller.name,
        principal_kind=principal.kind if principal.name else "",
        object_id=principal.object_id,
        app_id=principal.app_id,
        credential=credential,
        issuer=principal.issuer,
        token_id=principal.token_id,
        address=request.client_address,
        decided_by="key" if caller.kind == "Key" else "",
        request_id=request.request_id,
        correlation_id=request.correlation_id,
        details={"method": request.method, "by": "template"}
        if request.of_template
        else {"method": request.method},
    )

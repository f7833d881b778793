"""What the audit log says of requests to the control plane.

A write, delete or action leaves an event before it begins and one when it has ended, each on disk
before anything goes on; so does a refusal. Source of the shape: learn.microsoft.com, "Azure
activity log event schema", which the activity log itself follows more closely.
"""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.request import ArmRequest
from linarite.domain.access import ALLOWED_BY_KEY, Decision
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
    from linarite.domain.access import Access
    from linarite.domain.errors import LinariteError
    from linarite.domain.principal import Principal

REFUSALS = frozenset((HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT))
PATH_CHARACTERS_MAX = 1_000
UNKNOWN_ACTION = "unknown"


class Judged(msgspec.Struct, frozen=True):
    """A request, what it does to what, and the rule that lets its caller or not."""

    request: ArmRequest
    permission: str
    resource_id: str
    decision: Decision


def audited_start(deed: Judged) -> AuditEvent:
    """A deed is about to begin."""
    return _event(deed, STARTED)


def audited_end(deed: Judged, status: int, code: str = "") -> AuditEvent:
    """A deed has ended."""
    outcome = SUCCEEDED
    if status == HTTPStatus.ACCEPTED:
        outcome = ACCEPTED
    elif status in REFUSALS:
        outcome = REFUSED
    elif status >= HTTPStatus.BAD_REQUEST:
        outcome = FAILED
    return _event(deed, outcome, status, code)


def audited_refusal(
    request: ArmRequest, permission: str, refused: LinariteError, access: Access
) -> AuditEvent:
    """A request that was refused before anything began."""
    resource_id = request.path[:PATH_CHARACTERS_MAX]
    if permission.endswith("/action"):  # the resource whose action it is
        resource_id = resource_id.rpartition("/")[0]
    action, principal = permission or UNKNOWN_ACTION, request.caller.principal
    decision = ALLOWED_BY_KEY if principal.is_key else access.decide(principal, action, resource_id)
    deed = Judged(request, action, resource_id, decision)
    return _event(deed, REFUSED, refused.status, refused.code or "")


def _event(deed: Judged, outcome: str, status: int = 0, code: str = "") -> AuditEvent:
    request, decision = deed.request, deed.decision
    principal = request.caller.principal
    known = bool(request.caller.name)
    details: dict[str, str | int] = {"method": request.method}
    if request.of_template:
        details["by"] = "template"
    if decision.reason and known:
        details["reason"] = decision.reason
    return AuditEvent(
        at=datetime.now(UTC).isoformat(timespec="microseconds"),
        category=CONTROL_PLANE,
        action=deed.permission,
        outcome=outcome,
        status=status,
        code=code,
        resource_id=deed.resource_id,
        principal=request.caller.name,
        principal_kind=principal.kind if known else "",
        object_id=principal.object_id,
        app_id=principal.app_id,
        credential=_credential(principal, known=known),
        issuer=principal.issuer,
        token_id=principal.token_id,
        address=request.client_address,
        decided_by=decision.rule if known else "",
        request_id=request.request_id,
        correlation_id=request.correlation_id,
        details=details,
    )


def _credential(principal: Principal, *, known: bool) -> str:
    if not known:
        return ""
    return principal.name if principal.is_key else "token"

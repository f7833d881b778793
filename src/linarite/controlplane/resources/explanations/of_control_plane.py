"""Explaining a request to the control plane, from its audit events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.resources.explanations.shape import (
    NONE_IN_FORCE,
    NOT_REACHED,
    PASSED,
    REFUSED,
    Explanation,
    Step,
)
from linarite.domain.audit import DIRECTORY, STARTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.audit import AuditEvent

UNAUTHENTICATED, FORBIDDEN, CONFLICT = 401, 403, 409
ERRORS_FROM = 400
ORDER = ("network", "authentication", "authorization", "policy", "lock", "request")
"""as the plane asks them, but for a policy and a lock, of which either may come first"""
BY_POLICY = "RequestDisallowedByPolicy"
BY_LOCK = "ScopeLocked"


def explained(events: Sequence[AuditEvent]) -> Explanation:
    """Everything that is known about a request; `events` are its own, the oldest first."""
    last = events[-1]
    ended = last.outcome != STARTED
    return Explanation(
        request_id=last.request_id,
        plane="control",
        asked=_told(
            action=last.action,
            method=str(last.details.get("method", "")),
            resource=last.resource_id,
            at=events[0].at,
            address=last.address,
            correlationId=last.correlation_id,
        ),
        answer=_told(
            outcome=last.outcome if ended else "unknown: it has begun and no end was written",
            status=last.status,
            code=last.code,
        ),
        steps=_steps(last),
        would_have_to_change=_advice(last) if ended else [],
    )


def _steps(event: AuditEvent) -> list[Step]:
    at = _refused_at(event)
    steps: list[Step] = []
    beyond = False
    for control in ORDER:
        if control == "network":
            why = "network rules of accounts are for the data plane"
            steps.append(Step(control, NONE_IN_FORCE, why=why))
        elif beyond:
            steps.append(Step(control, NOT_REACHED))
        else:
            beyond = control == at
            why = f"{event.status} {event.code}" if beyond else _why(control, event)
            outcome = REFUSED if beyond else PASSED
            steps.append(Step(control, outcome, _decided(control, event), why))
    return steps


def _refused_at(event: AuditEvent) -> str:
    by_code = {BY_POLICY: "policy", BY_LOCK: "lock"}
    by_status = {UNAUTHENTICATED: "authentication", FORBIDDEN: "authorization"}
    if event.status < ERRORS_FROM:
        return ""
    return by_code.get(event.code) or by_status.get(event.status) or "request"


def _decided(control: str, event: AuditEvent) -> str:
    if control == "authentication":
        return event.object_id or event.principal
    return event.decided_by if control == "authorization" else ""


def _why(control: str, event: AuditEvent) -> str:
    if control == "authentication" and event.credential:
        token = f" {event.token_id} of {event.issuer}" if event.token_id else ""
        return f"{event.credential}{token} was shown"
    if control == "authorization" and event.decided_by == "key":
        return "whoever holds the management key may do everything"
    return ""


def _advice(event: AuditEvent) -> list[str]:
    refused_at = _refused_at(event)
    if not refused_at:
        return []
    kind = refused_at
    if event.status == CONFLICT and refused_at == "request":
        kind = "conflict"
    elif event.category == DIRECTORY and refused_at == "authorization":
        kind = "directory"
    line = ADVICE[kind]
    return [
        line.format(
            action=event.action,
            resource=event.resource_id,
            who=event.object_id or event.principal or "the caller",
            code=event.code or event.status,
            decided_by=event.decided_by or event.code,
        )
    ]


ADVICE = {
    "authentication": "Show the management key (`linarite keys --management --show`) or a token "
    "that this server knows as `Authorization: Bearer …`.",
    "authorization": "Assign a role that grants {action} to {who} at {resource} or above it. What "
    "decided: {decided_by}.",
    "directory": "Assign a role to {who} at the root, '/', that grants changes of the directory "
    "(Microsoft.Directory/*) and the right to assign roles, as Owner does. What decided: "
    "{decided_by}.",
    "policy": "Change what was asked for as the policy wants it, which the answer named; or have "
    "{resource} exempted: `linarite policy`.",
    "lock": "Remove the lock on {resource} or above it, which the answer named.",
    "conflict": "Wait until what runs on {resource} has ended (`linarite operation list`), or "
    "remove what {code} names.",
    "request": "Change the request itself: it was refused with {code}.",
}


def _told(**facts: str | int) -> dict[str, str | int]:
    return {name: value for name, value in facts.items() if value not in ("", 0)}

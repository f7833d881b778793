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
from linarite.domain.audit import STARTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.audit import AuditEvent

UNAUTHENTICATED, FORBIDDEN, CONFLICT = 401, 403, 409
ERRORS_FROM = 400
ORDER = ("network", "authentication", "authorization", "request")


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
    refused = {UNAUTHENTICATED: "authentication", FORBIDDEN: "authorization"}
    at = refused.get(event.status) or ("request" if event.status >= ERRORS_FROM else "")
    steps: list[Step] = []
    beyond = False
    for control in ORDER:
        if control == "network":
            steps.append(Step(control, NONE_IN_FORCE, why="no network rules are in force"))
        elif beyond:
            steps.append(Step(control, NOT_REACHED))
        else:
            beyond = control == at
            why = f"{event.status} {event.code}" if beyond else _why(control, event)
            outcome = REFUSED if beyond else PASSED
            steps.append(Step(control, outcome, _decided(control, event), why))
    return steps


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
    if event.status < ERRORS_FROM:
        return []
    if event.status == UNAUTHENTICATED:
        return [
            (
                "Show the management key (`linarite keys --management --show`) or a token that "
                "this server knows as `Authorization: Bearer …`."
            )
        ]
    if event.status == FORBIDDEN:
        who = event.object_id or event.principal or "the caller"
        return [
            (
                f"Assign a role that grants {event.action} to {who} at {event.resource_id} or "
                f"above it. What decided: {event.decided_by or event.code}."
            )
        ]
    if event.status == CONFLICT:
        return [
            (
                f"Wait until what runs on {event.resource_id} has ended (`linarite operation "
                f"list`), or remove what {event.code} names."
            )
        ]
    return [f"Change the request itself: it was refused with {event.code or event.status}."]


def _told(**facts: str | int) -> dict[str, str | int]:
    return {name: value for name, value in facts.items() if value not in ("", 0)}

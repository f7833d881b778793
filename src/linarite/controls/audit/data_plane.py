"""What of the data plane is audited: refusals of callers, and which keys are used from where."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from linarite.controls.audit.key_uses import USE_KEY, Places
from linarite.domain.audit import (
    DATA_PLANE_REFUSAL,
    KEY_USE,
    REFUSED,
    SUCCEEDED,
    AuditEvent,
)

if TYPE_CHECKING:
    from linarite.controls.audit.options import Audit
    from linarite.domain.audit import AuditTrail
    from linarite.domain.request_record import RequestRecord

UNAUTHENTICATED = 401
FORBIDDEN = 403
NANOSECONDS = 1_000_000_000
NETWORK = "network"


class DataPlaneAudit:
    """Looks at each finished request's record; costs it a look-up in a dictionary."""

    def __init__(self, trail: AuditTrail, options: Audit) -> None:
        self._trail = trail
        self._places = Places(int(options.key_use_s * NANOSECONDS))

    def observe(self, record: RequestRecord) -> None:
        """Take a record; never blocks or raises."""
        if record.status in (UNAUTHENTICATED, FORBIDDEN):
            self._trail.note(refusal(record))
        elif record.caller_key:
            place = (record.account_id, record.caller_key, record.client_address)
            if self._places.is_due(place, record.started_at_ns):
                self._trail.note(key_use(record))


def refusal(record: RequestRecord) -> AuditEvent:
    """A request that was refused for who called."""
    return AuditEvent(
        at=moment_of(record.started_at_ns),
        category=DATA_PLANE_REFUSAL,
        action=record.operation or f"{record.method} {record.path}",
        outcome=REFUSED,
        status=record.status,
        code=record.error_code,
        resource_id=record.account_id,
        principal=record.caller_key or record.object_id,
        object_id=record.object_id,
        app_id=record.app_id,
        credential=record.caller_key or ("token" if record.token_id or record.object_id else ""),
        issuer=record.issuer,
        token_id=record.token_id,
        address=record.client_address,
        decided_by=_decider(record),
        request_id=record.request_id,
    )


def _decider(record: RequestRecord) -> str:
    """The rule that refused, as far as one did; else the control."""
    if record.refused_by == NETWORK and record.network_rule:
        return record.network_rule
    return record.decided_by or record.refused_by


def key_use(record: RequestRecord) -> AuditEvent:
    """A key has opened the data plane."""
    return AuditEvent(
        at=moment_of(record.started_at_ns),
        category=KEY_USE,
        action=USE_KEY,
        outcome=SUCCEEDED,
        resource_id=record.account_id,
        principal=record.caller_key,
        principal_kind="Key",
        credential=record.caller_key,
        address=record.client_address,
        decided_by=record.decided_by or "key",
        request_id=record.request_id,
    )


def moment_of(nanoseconds: int) -> str:
    """Nanoseconds since the epoch, as events tell times."""
    moment = datetime.fromtimestamp(nanoseconds / NANOSECONDS, UTC)
    return moment.isoformat(timespec="microseconds")

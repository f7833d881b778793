"""Events and logs for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controls.audit.chain import chained, genesis
from linarite.controls.audit.signing import AuditKey
from linarite.controls.audit.verification import Evidence, Link
from linarite.domain.audit import AuditEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.audit import AuditEntry, Checkpoint

KEY = AuditKey.from_bytes(b"1" * 32)
OTHER_KEY = AuditKey.from_bytes(b"2" * 32)
AT = "2026-11-26T10:00:00.000000+00:00"


def make_event(number: int = 1, **changed: object) -> AuditEvent:
    """A write of the control plane that went well, but for what is `changed`."""
    fields: dict[str, Any] = {
        "at": AT,
        "category": "ControlPlane",
        "action": "Microsoft.CognitiveServices/accounts/write",
        "outcome": "Succeeded",
        "status": 200,
        "resource_id": f"/subscriptions/s/resourceGroups/g/providers/p/accounts/a{number}",
        "principal": "Somebody",
        "request_id": f"request-{number}",
        "correlation_id": f"Correlation-{number}",
    }
    fields.update(changed)
    return AuditEvent(**fields)


def make_entries(count: int, key: AuditKey = KEY) -> list[AuditEntry]:
    """The entries of a log."""
    return chained(genesis(key.public), 0, (make_event(number) for number in range(1, count + 1)))


def signed(entry: AuditEntry, key: AuditKey = KEY, kind: str = "time") -> Checkpoint:
    """A checkpoint at an entry."""
    return key.checkpoint(entry.seq, entry.hash, AT, kind)


def evidence(
    entries: Sequence[AuditEntry], checkpoints: Sequence[Checkpoint], **more: object
) -> Evidence:
    """A log as it is handed over to be proved, but for what is named in `more`."""
    usual: dict[str, Any] = {
        "public_key": KEY.public,
        "links": [Link.of(entry) for entry in entries],
        "checkpoints": checkpoints,
    }
    usual.update(more)
    return Evidence(**usual)

"""An audit entry as a row: the columns that it is found by repeat what its body says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.audit import AuditEvent
from linarite.storage.resource_id import id_key

if TYPE_CHECKING:
    from linarite.domain.audit import AuditEntry

_decode = msgspec.json.Decoder(AuditEvent).decode


def found_by(body: bytes) -> dict[str, str]:
    """The columns that follow from a body. Raises msgspec.DecodeError."""
    event = _decode(body)
    return {
        "at": event.at,
        "category": event.category,
        "principal_key": event.principal.lower(),
        "resource_key": id_key(event.resource_id),
        "request_key": event.request_id.lower(),
        "correlation_key": event.correlation_id.lower(),
    }


def row_of(entry: AuditEntry) -> dict[str, Any]:
    """An entry's row."""
    return {"seq": entry.seq, "hash": entry.hash, "body": entry.body, **found_by(entry.body)}

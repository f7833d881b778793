"""Audit entries in the layout of Azure's diagnostic logs, category Audit.

Container `insights-logs-audit`, a file for each resource and hour, a line for each record. Source:
learn.microsoft.com, "Resource logs", "Send resource logs to Azure Storage"; the fields are those
that exports of Azure OpenAI show: AssetIdentity, Tenant, category, operationName, properties,
resourceId, time. What Azure has no field for stands in `properties`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controls.audit.chain import event_of
from linarite.domain.diagnostic_path import diagnostic_path

if TYPE_CHECKING:
    from linarite.domain.audit import AuditEntry, AuditEvent

LIST_KEYS = "/accounts/listkeys/action"
IN_RECORD = ("at", "action", "resource_id", "object_id")
"""fields of an event that have a place of their own in a record"""

_encode = msgspec.json.Encoder(order="sorted").encode


def path_of(event: AuditEvent) -> str:
    """The file that an event's record stands in, from the export's folder."""
    return diagnostic_path("Audit", event.resource_id, event.at)


def record_line(entry: AuditEntry, tenant: str) -> bytes:
    """An entry's record, a line of JSON; the same bytes for the same entry."""
    return _encode(audit_record(entry, tenant)) + b"\n"


def audit_record(entry: AuditEntry, tenant: str) -> dict[str, Any]:
    """An entry as Azure's exports show one."""
    event = event_of(entry.body)
    said: dict[str, Any] = msgspec.json.decode(entry.body)
    properties = {name: value for name, value in said.items() if name not in IN_RECORD}
    return {
        "AssetIdentity": "",
        "Tenant": tenant,
        "category": "Audit",
        "operationName": operation_name(event.action),
        "properties": {
            "objectId": event.object_id,
            "action": event.action,
            "seq": entry.seq,
            **properties,
        },
        "resourceId": event.resource_id.upper(),
        "time": event.at,
    }


def operation_name(action: str) -> str:
    """As Azure names it, where that is known."""
    return "ListKey" if action.lower().endswith(LIST_KEYS) else action

"""Request records and audit entries as Azure's resource logs have them.

Fields are those that exports of Azure OpenAI show; what is ours stands in `properties`, and the
record's id in `linariteRecordId`. Never a prompt, an answer or a key.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from linarite.controls.audit.chain import event_of
from linarite.controls.audit.diagnostic import audit_record
from linarite.domain.audit import FAILED, REFUSED
from linarite.domain.diagnostics import (
    AUDIT,
    REQUEST_RESPONSE,
    REQUEST_USAGE,
    TRACE,
    DiagnosticRecord,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from linarite.domain.audit import AuditEntry
    from linarite.domain.request_record import RequestRecord

TICKS_BEFORE_EPOCH = 621_355_968_000_000_000
"""of .NET: 100 ns each, from the year 1 to 1970"""
NS_PER_TICK = 100
REFUSED_FROM = 400
HEXTETS_SHOWN = 3


def of_request(
    record: RequestRecord, location: str, categories: Collection[str]
) -> list[DiagnosticRecord]:
    """The records that a request leaves in these categories."""
    shared = _shared(record, location)
    return [
        _made(record, category, shared, properties(record))
        for category, properties in PROPERTIES.items()
        if category in categories and (category != REQUEST_USAGE or used_tokens(record))
    ]


def of_audit(entry: AuditEntry, tenant: str, account_id: str) -> DiagnosticRecord:
    """An audit entry's record, which is filed under the account that the setting is of."""
    event = event_of(entry.body)
    record_id = f"audit/{entry.seq}"
    return DiagnosticRecord(
        id=record_id,
        category=AUDIT,
        resource_id=account_id,
        at_ns=round(datetime.fromisoformat(event.at).timestamp() * 1_000_000) * 1_000,
        failed=event.outcome in (FAILED, REFUSED),
        body=audit_record(entry, tenant) | {"linariteRecordId": record_id},
    )


def used_tokens(record: RequestRecord) -> bool:
    """Whether there is any usage to tell of."""
    return bool(record.prompt_tokens or record.completion_tokens)


def ticks(at_ns: int) -> int:
    """A time as .NET counts it."""
    return TICKS_BEFORE_EPOCH + at_ns // NS_PER_TICK


def azure_time(at_ns: int) -> str:
    """ISO 8601 with .NET's seven digits: `2024-05-24T12:23:02.4350000Z`."""
    seconds, rest_ns = divmod(at_ns, 1_000_000_000)
    return f"{_second(seconds)}.{rest_ns // NS_PER_TICK:07}Z"


@lru_cache(maxsize=64)  # records come many to a second, and each has several times
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def masked_address(address: str) -> str:
    """An address without what tells one machine: `81.2.69.***`, `2001:db8:1:***`."""
    if ":" in address:
        return ":".join([*address.split(":")[:HEXTETS_SHOWN], "***"])
    network, point, _ = address.rpartition(".")
    return f"{network}.***" if point else address


def _shared(record: RequestRecord, location: str) -> dict[str, Any]:
    """What a request's records have in common, with places for what they have not."""
    where = record.region.replace(" ", "").lower() or location
    return {
        "Tenant": where,
        "callerIpAddress": masked_address(record.client_address),
        "category": "",
        "correlationId": record.request_id,
        "durationMs": record.total_us // 1_000,
        "event": "ShoeboxCallResult",
        "location": where,
        "operationName": record.operation,
        "properties": None,
        "resourceId": record.account_id.upper(),
        "resultSignature": str(record.status),
        "time": azure_time(record.started_at_ns),
        "linariteRecordId": "",
    }


def _made(
    record: RequestRecord, category: str, shared: dict[str, Any], properties: dict[str, Any]
) -> DiagnosticRecord:
    record_id = f"{record.request_id}/{category}"
    return DiagnosticRecord(
        id=record_id,
        category=category,
        resource_id=record.account_id,
        at_ns=record.started_at_ns,
        failed=record.status >= REFUSED_FROM,
        body=shared
        | {"category": category, "properties": properties, "linariteRecordId": record_id},
    )


def _model(record: RequestRecord) -> dict[str, Any]:
    return {
        "streamType": "Streaming" if record.streamed else "Non-Streaming",
        "modelDeploymentName": record.deployment,
        "modelName": record.model,
        "modelVersion": record.model_version,
    }


def _request_response(record: RequestRecord) -> dict[str, Any]:
    return {
        "apiName": f"Azure OpenAI API version {record.api_version}" if record.api_version else "",
        "requestTime": ticks(record.started_at_ns),
        "responseTime": ticks(record.started_at_ns + record.total_us * 1_000),
        "objectId": record.object_id,
        **_model(record),
        "promptTokens": record.prompt_tokens,
        "completionTokens": record.completion_tokens,
        "errorCode": record.error_code,
        "callerKey": record.caller_key,
        "clientRequestId": record.client_request_id,
        "userAgent": record.user_agent,
    }


def _usage(record: RequestRecord) -> dict[str, Any]:
    """Counts stand in lists of one, as Azure has them; ours follow."""
    return {
        **_model(record),
        "promptTokens": [record.prompt_tokens],
        "cachedTokens": [record.cached_tokens],
        "generatedTokens": [record.completion_tokens],
        "timeToFirstTokenMs": record.to_first_token_us / 1_000,
        "timeToLastTokenMs": record.to_last_token_us / 1_000,
        "reasoningTokens": [record.reasoning_tokens],
        "serviceTier": record.service_tier,
        "endUser": record.end_user,
        "project": record.project,
        "tags": record.tags,
        "costNano": record.cost_nano,
    }


def _trace(record: RequestRecord) -> dict[str, Any]:
    """What decided it."""
    return {
        "networkRule": record.network_rule,
        "decidedBy": record.decided_by,
        "refusedBy": record.refused_by,
        "limitedBy": record.limited_by,
        "errorCode": record.error_code,
        "finish": record.finish,
        "instance": record.instance,
        "engine": record.engine,
        "sku": record.sku,
        "spilledFrom": record.spilled_from,
        "timeToFirstTokenMs": record.to_first_token_us / 1_000,
        "timeToLastTokenMs": record.to_last_token_us / 1_000,
    }


PROPERTIES: dict[str, Callable[[RequestRecord], dict[str, Any]]] = {
    REQUEST_RESPONSE: _request_response,
    REQUEST_USAGE: _usage,
    TRACE: _trace,
}

"""The record a request leaves, from what the call learned and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.request_record import RequestRecord

if TYPE_CHECKING:
    from linarite.dataplane.call import Call

TEXT_MAX = 256


def record_of(
    call: Call,
    *,
    operation: str,
    client: tuple[str, int] | None,
    started_at_ns: int,
    ended_at: float,
) -> RequestRecord:
    """Everything that is kept about a request. Text from outside is cut to 256 characters."""
    headers = call.headers
    deployment = call.deployment
    usage = call.usage
    reply = call.reply
    total_us = round((ended_at - call.started_at) * 1_000_000)
    first_us = round((call.first_event_at - call.started_at) * 1_000_000)
    return RequestRecord(
        request_id=call.request_id,
        started_at_ns=started_at_ns,
        account=call.account if call.caller_key else "",
        deployment=deployment.name if deployment is not None else "",
        model=deployment.model.name if deployment is not None else "",
        operation=operation,
        method=call.method[:16],
        path=call.path[:TEXT_MAX],
        api_version=call.api_version[:40],
        status=call.status,
        error_code=call.error_code[:TEXT_MAX],  # an upstream chooses its own
        streamed=reply is not None and reply.streamed,
        caller_key=call.caller_key,
        client_request_id=_text(headers.get(b"x-ms-client-request-id", b"")),
        client_address=client[0] if client else "",
        user_agent=_text(headers.get(b"user-agent", b"")),
        prompt_tokens=usage.prompt_tokens if usage is not None else 0,
        completion_tokens=usage.completion_tokens if usage is not None else 0,
        cached_tokens=usage.cached_tokens if usage is not None else 0,
        to_first_token_us=first_us if call.first_event_at else 0,
        to_last_token_us=total_us if call.first_event_at else 0,
        total_us=total_us,
        finish=call.finish,
        region=call.region_title if deployment is not None else "",
    )


def _text(value: bytes) -> str:
    return value[:TEXT_MAX].decode("latin-1")

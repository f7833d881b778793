"""The record a request leaves, from what the call learned and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.request_record import RequestRecord
from linarite.domain.usage_journal import BegunRequest

if TYPE_CHECKING:
    from linarite.dataplane.call import Call
    from linarite.domain.principal import Principal

TEXT_MAX = 256
_NOBODY = ("", "", "", "")


def record_of(
    call: Call,
    *,
    operation: str,
    ended_at: float,
) -> RequestRecord:
    """Everything that is kept about a request. Text from outside is cut to 256 characters."""
    headers = call.headers
    deployment, principal = call.deployment, call.principal
    usage = call.usage
    reply = call.reply
    total_us = round((ended_at - call.started_at) * 1_000_000)
    first_us = round((call.first_event_at - call.started_at) * 1_000_000)
    prompt_tokens = completion_tokens = cached_tokens = 0
    if usage is not None:
        prompt_tokens, completion_tokens = usage.prompt_tokens, usage.completion_tokens
        cached_tokens = usage.cached_tokens
    deployment_name = model_name = instance = engine = region = ""
    if deployment is not None:
        deployment_name, model_name = deployment.name, deployment.model.name
        instance, engine, region = deployment.instance, deployment.engine, call.region_title
    return RequestRecord(  # in the order of its fields: by name would cost a microsecond
        call.request_id,
        call.started_at_ns,
        call.account if principal is not None else "",
        deployment_name,
        model_name,
        operation,
        call.method[:16],
        call.path[:TEXT_MAX],
        call.api_version[:40],
        call.status,
        call.error_code[:TEXT_MAX],  # an upstream chooses its own
        reply is not None and reply.streamed,
        principal.name if principal is not None and principal.is_key else "",
        _text(headers.get(b"x-ms-client-request-id", b"")),
        call.client_address,
        _text(headers.get(b"user-agent", b"")),
        prompt_tokens,
        completion_tokens,
        cached_tokens,
        first_us if call.first_event_at else 0,
        total_us if call.first_event_at else 0,
        total_us,
        call.finish,
        region,
        call.account_id,
        *(_who(principal) if principal is not None else _NOBODY),
        call.decision.rule if call.decision is not None else "",
        call.refused_by,
        instance,
        engine,
        call.network_rule[:TEXT_MAX],
        *_metered(call),
    )


Metered = tuple[str, str, str, str, str, str, str, str, int, int, int, str, int]


def _metered(call: Call) -> Metered:
    """What it is charged for, from `model_version` on."""
    deployment, usage = call.deployment, call.usage
    reasoning = heard = spoken = 0
    if usage is not None:
        prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
        heard = prompt.audio_tokens if prompt else 0
        if completion is not None:
            reasoning, spoken = completion.reasoning_tokens, completion.audio_tokens
    return (
        deployment.model.version if deployment is not None else "",
        deployment.sku.name if deployment is not None else "",
        call.service_tier_asked,
        call.service_tier,
        call.spilled_from,
        call.end_user[:TEXT_MAX],
        call.project[:TEXT_MAX],
        call.tags,
        reasoning,
        heard,
        spoken,
        call.limited_by,
        call.cost_nano,
    )


def begun_of(call: Call, operation: str) -> BegunRequest:
    """What is noted of a request that a deployment has begun to answer."""
    deployment, principal = call.deployment, call.principal
    assert deployment is not None  # noqa: S101 - its answer has begun
    model = deployment.model
    object_id, app_id, issuer, _ = _who(principal) if principal is not None else _NOBODY
    return BegunRequest(  # by position, as above
        call.request_id,
        call.started_at_ns,
        call.account,
        call.account_id,
        deployment.name,
        model.name,
        model.version,
        deployment.sku.name,
        deployment.instance,
        deployment.engine,
        call.region_title,
        operation,
        call.method[:16],
        call.api_version[:40],
        call.reply is not None and call.reply.streamed,
        principal.name if principal is not None and principal.is_key else "",
        object_id,
        app_id,
        issuer,
        call.decision.rule if call.decision is not None else "",
        call.service_tier_asked,
        call.service_tier,
        call.spilled_from,
        call.end_user[:TEXT_MAX],
        call.project[:TEXT_MAX],
        call.tags,
    )


def _who(principal: Principal) -> tuple[str, str, str, str]:
    return principal.object_id, principal.app_id, principal.issuer, principal.token_id


def _text(value: bytes) -> str:
    return value[:TEXT_MAX].decode("latin-1")

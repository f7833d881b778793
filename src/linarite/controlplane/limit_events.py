"""What the activity log says when a limit is nearly, or quite, used up.

Source: learn.microsoft.com, "Azure activity log event schema", category Alert: budgets and alert
rules are told of there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from linarite.controlplane.activity import named
from linarite.domain.activity import ActivityEvent
from linarite.domain.arm_id import resource_group_of, subscription_of
from linarite.domain.usage_limits import USAGE_LIMIT_TYPE, told

if TYPE_CHECKING:
    from linarite.controls.usage_limits import Crossing

WARNED = "Linarite.Quota/usageLimits/warned/action"
EXHAUSTED = "Linarite.Quota/usageLimits/exhausted/action"
WHOLE = 100


def crossing_event(crossing: Crossing, tenant: str, at: str) -> ActivityEvent:
    """The record of a percentage that was reached, or of a limit that refuses from now on."""
    limit = crossing.subject.limit
    subscription, event_id = subscription_of(limit.id), str(uuid4())
    operation = WARNED if crossing.percent else EXHAUSTED
    body = {
        "caller": USAGE_LIMIT_TYPE,
        "channels": "Admin, Operation",
        "claims": {},
        "correlationId": event_id,
        "description": sentence(crossing),
        "eventDataId": event_id,
        "eventName": named("Alert"),
        "category": named("Alert"),
        "eventTimestamp": at,
        "submissionTimestamp": at,
        "id": f"{limit.id}/events/{event_id}",
        "level": "Warning" if crossing.percent else "Error",
        "operationId": event_id,
        "operationName": named(operation),
        "properties": {name: str(value) for name, value in facts_of(crossing).items()},
        "resourceGroupName": resource_group_of(limit.id),
        "resourceId": limit.id,
        "resourceProviderName": named("Linarite.Quota"),
        "resourceType": named(USAGE_LIMIT_TYPE),
        "status": named("Activated"),
        "subStatus": named(""),
        "subscriptionId": subscription,
        "tenantId": tenant,
    }
    return ActivityEvent(
        at=at,
        subscription=subscription,
        resource_id=limit.id,
        correlation_id=event_id,
        body=body,
    )


def facts_of(crossing: Crossing) -> dict[str, object]:
    """What there is to say about it, for programs."""
    measure, amount = crossing.bound.measure, crossing.bound.amount
    return {
        "limit": crossing.subject.limit.id,
        "subject": crossing.subject.name,
        "measure": measure.name,
        "percent": crossing.percent or WHOLE,
        "used": told(measure, crossing.used),
        "bound": told(measure, amount),
        "period": crossing.period,
        "refusing": not crossing.percent,
    }


def sentence(crossing: Crossing) -> str:
    """The same, for people."""
    facts = facts_of(crossing)
    whose = f"'{crossing.subject.name}' has used {facts['used']:,} of {facts['bound']:,}"
    of = f"{crossing.bound.measure.title} (limit '{crossing.subject.limit.name}')"
    if crossing.percent:
        return f"{whose} {of}: {crossing.percent} % are reached."
    return f"{whose} {of}; requests are refused from now on."

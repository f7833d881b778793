"""Reading the activity log, as Azure Monitor's API has it.

Source: learn.microsoft.com, "Activity Logs - List" (api-version 2015-04-01).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.activity import ACTIVITY_KEPT
from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import require_subscription
from linarite.controlplane.verbs.list import next_link
from linarite.domain.activity import ActivityQuery
from linarite.domain.arm_errors import bad_request

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface

PAGE = 200
TOKEN_DIGITS_MAX = 18
CONDITION = re.compile(r"(\w+)\s+(eq|ge|le)\s+'?([^']*?)'?", re.IGNORECASE)


async def list_events(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The newest first, as `$filter` says; what is older than 90 days is told no more."""
    subscription = require_subscription(surface, target)
    query = _query(request, subscription, surface.realm.subscription)
    oldest = (surface.now() - ACTIVITY_KEPT).isoformat()
    query = msgspec.structs.replace(query, since=max(query.since, oldest))
    events = await surface.activity.read(query)
    body: dict[str, object] = {"value": [event.body for event in events[:PAGE]]}
    if len(events) > PAGE:
        body["nextLink"] = next_link(request, str(events[PAGE - 1].seq))
    return Answer(200, body)


def _query(request: ArmRequest, scope: str, subscription: str) -> ActivityQuery:
    wanted = _conditions(request.query.get("$filter", ""))
    group = wanted.get("resourcegroupname eq", "")
    under = wanted.get("resourceuri eq") or wanted.get("resourceid eq") or ""
    if group and not under:
        under = f"{scope}/resourceGroups/{group}"
    token = request.query.get("$skiptoken", "0")
    if not token.isdecimal() or len(token) > TOKEN_DIGITS_MAX:
        raise bad_request(
            "InvalidSkipToken", "The $skiptoken is not one that a nextLink has given out."
        )
    return ActivityQuery(
        subscription=subscription,
        since=_moment(wanted.get("eventtimestamp ge", "")),
        until=_moment(wanted.get("eventtimestamp le", "")),
        under=under,
        correlation_id=wanted.get("correlationid eq", ""),
        before_seq=int(token),
        limit=PAGE + 1,
    )


KNOWN = frozenset(
    (
        "eventtimestamp ge",
        "eventtimestamp le",
        "resourcegroupname eq",
        "resourceuri eq",
        "resourceid eq",
        "correlationid eq",
        "eventchannels eq",
    )
)


def _conditions(text: str) -> dict[str, str]:
    """`eventTimestamp ge '…' and resourceGroupName eq '…'`. Raises ArmError for anything else."""
    wanted: dict[str, str] = {}
    for part in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE) if text.strip() else []:
        match = CONDITION.fullmatch(part.strip())
        key = f"{match[1]} {match[2]}".lower() if match else ""
        if match is None or key not in KNOWN:
            raise bad_request(
                "BadRequest",
                f"The $filter '{part[:200]}' is not understood; use eventTimestamp ge and le, "
                "resourceGroupName, resourceUri or correlationId eq, joined by and.",
            )
        wanted[key] = match[3]
    return wanted


def _moment(text: str) -> str:
    """A time as the log has it: UTC, so that texts compare as times do. Raises ArmError."""
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise bad_request("BadRequest", f"'{text[:60]}' is no time in ISO 8601.") from None

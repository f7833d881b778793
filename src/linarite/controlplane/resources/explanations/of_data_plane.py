"""Explaining a request to the data plane, from its record. Pure: the record says what decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.resources.explanations import network
from linarite.controlplane.resources.explanations.advice import (
    ADVICE_BY_CODE,
    ADVICE_BY_CONTROL,
    ADVICE_FOR_APPLICATION_KEYS,
    ADVICE_FOR_USAGE_LIMITS,
    OPENAI_USER,
)
from linarite.controlplane.resources.explanations.shape import (
    NONE_IN_FORCE,
    NOT_REACHED,
    PASSED,
    REFUSED,
    Explanation,
    Step,
)
from linarite.domain.application_key import NAME_PREFIX
from linarite.domain.client_certificate import ISSUER as CERTIFICATES
from linarite.domain.network_errors import OutboundAccessDenied

if TYPE_CHECKING:
    from linarite.domain.request_record import RequestRecord

ERRORS_FROM = 400
USAGE_LIMIT = "usageLimits/"
"""how the name of a bucket begins that counts for one"""
NETWORK = network.CONTROL
CLIENT_LEFT = "client_left"
OUTGOING = OutboundAccessDenied.code
UNFORCED = {
    "policy": "no content policy is in force",
}
ORDER = (
    NETWORK,
    "authentication",
    "authorization",
    "route",
    "request",
    "policy",
    "quota",
    "place",
    "engine",
)
"""as `dataplane.pipeline` asks them"""


class Present(msgspec.Struct, frozen=True):
    """How things stand now, for what is advised."""

    deployments: tuple[str, ...] = ()
    """names of those that the account has"""
    accounts: tuple[str, ...] = ()
    """names of those that the server has"""


def explained(record: RequestRecord, present: Present) -> Explanation:
    """Everything that is known about a request."""
    return Explanation(
        request_id=record.request_id,
        plane="data",
        asked=_told(
            operation=record.operation,
            method=record.method,
            path=record.path,
            apiVersion=record.api_version,
            account=record.account_id,
            address=record.client_address,
        ),
        answer=_told(
            status=record.status,
            code=record.error_code,
            finish=record.finish,
            region=record.region,
            promptTokens=record.prompt_tokens,
            completionTokens=record.completion_tokens,
        ),
        steps=_steps(record),
        would_have_to_change=_advice(record, present),
    )


def _steps(record: RequestRecord) -> list[Step]:
    refused_by = _refused_by(record)
    refused_at = ORDER.index(refused_by) if refused_by in ORDER else len(ORDER)
    reached = _reached(record, refused_at)
    steps: list[Step] = []
    for place, control in enumerate(ORDER):
        if control == NETWORK:
            steps.append(_network(record))
        elif place == refused_at:
            steps.append(Step(control, REFUSED, _decided(control, record), _answered(record)))
        elif place > reached:
            steps.append(Step(control, NOT_REACHED))
        elif control in UNFORCED:
            steps.append(Step(control, NONE_IN_FORCE, why=UNFORCED[control]))
        else:
            steps.append(Step(control, PASSED, _decided(control, record), _why(control, record)))
    return steps


def _refused_by(record: RequestRecord) -> str:
    """The control that refused. An outgoing connection is refused where the engine makes it."""
    outgoing = record.refused_by == NETWORK and record.error_code == OUTGOING
    return "engine" if outgoing else record.refused_by


def _answered(record: RequestRecord) -> str:
    """Status and code, once where they are the same."""
    status = str(record.status)
    return status if record.error_code in ("", status) else f"{status} {record.error_code}"


def _network(record: RequestRecord) -> Step:
    refused = _refused_by(record) == NETWORK
    by_name = refused and record.error_code != network.CODE
    why = f"{_answered(record)}: {network.NO_SUCH_NAME}" if by_name else ""
    return network.step_of(record.network_rule, allowed=not refused, why=why)


def _reached(record: RequestRecord, refused_at: int) -> int:
    """The last control that was asked: a call that needs no model ends before a place is taken."""
    if refused_at < len(ORDER):
        return refused_at
    return len(ORDER) - 1 if record.instance else ORDER.index("quota")


def _decided(control: str, record: RequestRecord) -> str:
    if control == "authentication":
        return record.caller_key or record.object_id
    if control == "authorization":
        return record.decided_by or ("key" if record.caller_key else "")
    if control == "route":
        return record.deployment or record.operation
    if control == "quota":
        return record.limited_by if record.refused_by == control else ""
    if control in ("place", "engine"):
        return record.instance if control == "place" else record.engine or record.instance
    return ""


def _shown(record: RequestRecord) -> str:
    if _is_applications(record):
        return f"the application key {record.caller_key} was shown"
    if record.caller_key:
        return f"the account's {record.caller_key} was shown"
    if record.issuer == CERTIFICATES:
        return f"the client certificate with the thumbprint {record.token_id} was shown"
    token = f"token {record.token_id} of {record.issuer}, given to application {record.app_id}"
    return token if record.object_id else ""


def _granted(record: RequestRecord) -> str:
    if _is_applications(record):
        return "the key's role grants the data action"
    if record.caller_key:
        return "whoever holds a key may do everything that the key is for"
    return "a role assignment grants the data action"


def _why(control: str, record: RequestRecord) -> str:
    if control == "authentication":
        return _shown(record)
    if control == "authorization":
        return _granted(record)
    if control == "route":
        model = f", model {record.model}" if record.model else ""
        return f"{record.operation}{model}"
    if control == "quota":
        return _within(record)
    if control == "place" and record.instance:
        where = f" in {record.region}" if record.region else ""
        tier = f", in the service tier {record.service_tier}" if record.service_tier else ""
        return f"instance {record.instance}{where}{tier}"
    return ""


def _within(record: RequestRecord) -> str:
    if not record.spilled_from:
        return "within the deployment's rate and the limits that match, if there are any"
    used_up = f", whose {record.limited_by} were used up" if record.limited_by else ""
    return f"spilled over from the deployment {record.spilled_from}{used_up}"


def _advice(record: RequestRecord, present: Present) -> list[str]:
    if record.finish == CLIENT_LEFT:
        return ["Nothing here: the client left before the answer was complete."]
    if record.status < ERRORS_FROM:
        return []
    if record.refused_by == NETWORK and record.error_code == network.CODE:
        return network.advice_on(
            record.network_rule, record.account_id or "the account", record.client_address
        )
    # An upstream's codes are the same as ours: what refused counts first.
    known = ADVICE_BY_CODE.get((record.refused_by, record.error_code))
    known = known or ADVICE_BY_CONTROL.get(record.refused_by)
    if record.refused_by == "quota" and record.limited_by.startswith(USAGE_LIMIT):
        known = ADVICE_FOR_USAGE_LIMITS
    if _is_applications(record):
        known = ADVICE_FOR_APPLICATION_KEYS.get(record.refused_by, known)
    account = record.account_id or "the account"
    lines = known or ("Look for the request's id in the server's log.",)
    told = [
        line.format(
            account=account,
            action=record.operation,
            principal=record.object_id or "the caller",
            limit=record.limited_by.split("/")[1] if "/" in record.limited_by else "",
            key=record.caller_key.removeprefix(NAME_PREFIX),
            deployments=", ".join(present.deployments) or "none",
            accounts=", ".join(present.accounts) or "none",
            instance=record.instance or "none",
            code=record.error_code or str(record.status),
            role=OPENAI_USER,
        )
        for line in lines
    ]
    if record.refused_by == "authentication" and not record.account_id:
        told.insert(0, f"Name an account that there is: {', '.join(present.accounts) or 'none'}.")
    return told


def _is_applications(record: RequestRecord) -> bool:
    return record.caller_key.startswith(NAME_PREFIX)


def _told(**facts: str | int) -> dict[str, str | int]:
    """Facts without those that are unknown."""
    return {name: value for name, value in facts.items() if value not in ("", 0)}

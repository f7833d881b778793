"""Reading the audit log, and where it stands. Azure has no such API: its logs are exported.

Whoever may read them there (`Microsoft.Insights/logs/AzureDiagnostics/read`, the table in which
the category Audit ends) may read them here. What is not of a subscription takes that right at the
root: on Azure, sign-ins and changes of the directory are seen by who has a role of the directory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.authorizing import may
from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import require_subscription
from linarite.controlplane.verbs.list import next_link
from linarite.domain.arm_errors import authorization_failed, bad_request
from linarite.domain.audit import (
    ADMINISTRATION,
    CATEGORIES,
    DIRECTORY,
    READS_AUDIT,
    SIGN_IN,
    AuditQuery,
)

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.audit import AuditEntry

PAGE = 200
TOKEN_DIGITS_MAX = 18
OF_SUBSCRIPTION = frozenset(CATEGORIES) - {ADMINISTRATION, DIRECTORY, SIGN_IN}
FILTERS = ("since", "until", "category", "principal", "under", "requestid", "correlationid")


async def list_entries(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The newest first; `since`, `until`, `category`, `principal`, `under` and ids narrow it."""
    require_subscription(surface, target)
    query = _query(request)
    caller = request.caller
    if not caller.principal.is_key and not may(surface, caller, READS_AUDIT, "/"):
        query = msgspec.structs.replace(query, categories=OF_SUBSCRIPTION)
        if query.category and query.category not in OF_SUBSCRIPTION:
            raise authorization_failed(caller.name, caller.principal.object_id, READS_AUDIT, "/")
    entries = await surface.audit.read(query)
    body: dict[str, object] = {"value": [shown(entry) for entry in entries[:PAGE]]}
    if len(entries) > PAGE:
        body["nextLink"] = next_link(request, str(entries[PAGE - 1].seq))
    return Answer(200, body)


async def anchor(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The log's end, signed just now: to be kept elsewhere."""
    del request
    require_subscription(surface, target)
    signed, public_key = await surface.audit.anchor()
    return Answer(
        200,
        {
            "seq": signed.seq,
            "hash": signed.hash.hex(),
            "at": signed.at,
            "kind": signed.kind,
            "signature": signed.signature.hex(),
            "public_key": public_key.hex(),
        },
    )


def shown(entry: AuditEntry) -> dict[str, Any]:
    """An entry: its event with its place in the chain."""
    event: dict[str, Any] = msgspec.json.decode(entry.body)
    return {"seq": entry.seq, "hash": entry.hash.hex(), **event}


def _query(request: ArmRequest) -> AuditQuery:
    unknown = sorted(set(request.query) - {*FILTERS, "$skiptoken"})
    if unknown:
        raise bad_request(
            "BadRequest",
            f"'{unknown[0][:60]}' is no filter of the audit log; there are: {', '.join(FILTERS)}.",
        )
    token = request.query.get("$skiptoken", "0")
    if not token.isdecimal() or len(token) > TOKEN_DIGITS_MAX:
        raise bad_request(
            "InvalidSkipToken", "The $skiptoken is not one that a nextLink has given out."
        )
    said = {name: request.query.get(name, "") for name in FILTERS}
    known = {name.lower(): name for name in CATEGORIES}
    if said["category"] and said["category"].lower() not in known:
        raise bad_request(
            "BadRequest",
            f"'{said['category'][:60]}' is no category; there are: {', '.join(CATEGORIES)}.",
        )
    return AuditQuery(
        since=said["since"],
        until=said["until"],
        category=known.get(said["category"].lower(), ""),
        principal=said["principal"],
        under=said["under"],
        request_id=said["requestid"],
        correlation_id=said["correlationid"],
        before_seq=int(token),
        limit=PAGE + 1,
    )

"""Why a request was answered as it was, by the id that its answer carried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.request import Answer
from linarite.controlplane.resources.explanations import of_control_plane, of_data_plane
from linarite.domain.arm_errors import ArmError
from linarite.domain.audit import CONTROL_PLANE, DIRECTORY, AuditEvent, AuditQuery
from linarite.domain.resource import ACCOUNT_TYPE, DEPLOYMENT_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.request_record import RequestRecord

EXPLAINED = frozenset((CONTROL_PLANE, DIRECTORY))
EVENTS_MAX = 50
NAMES_MAX = 20

_event = msgspec.json.Decoder(AuditEvent).decode


async def explain(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """By `apim-request-id` of the data plane, or `x-ms-request-id` of the control plane."""
    del request
    wanted = target["request"]
    record = await surface.requests.find(wanted)
    if record is not None:
        present = await _present(record, surface)
        return Answer(200, msgspec.to_builtins(of_data_plane.explained(record, present)))
    query = AuditQuery(categories=EXPLAINED, request_id=wanted, limit=EVENTS_MAX)
    events = [_event(entry.body) for entry in reversed(await surface.audit.read(query))]
    if events:
        return Answer(200, msgspec.to_builtins(of_control_plane.explained(events)))
    raise ArmError(
        404,
        "RequestNotFound",
        f"Nothing is known of a request '{wanted[:100]}'. The id is the answer's apim-request-id "
        "(data plane) or x-ms-request-id (control plane; of reads only refusals are kept). What is "
        "older than `records.keep_days` is removed, and `audit.refusals_per_minute` bounds how "
        "many strangers are written singly.",
    )


async def _present(record: RequestRecord, surface: Surface) -> of_data_plane.Present:
    async def names(under: str, kind: str) -> tuple[str, ...]:
        found = await surface.resources.list_under(under, kind)
        return tuple(each.name for each in found[:NAMES_MAX])

    return of_data_plane.Present(
        deployments=await names(record.account_id, DEPLOYMENT_TYPE) if record.account_id else (),
        accounts=await names("", ACCOUNT_TYPE),
    )

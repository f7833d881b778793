"""Metrics of several accounts in one question, each answered by itself.

On Azure a service of its own has this, at a host for each region; here every host does.
Source: learn.microsoft.com, "Metrics Batch - Batch".
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.authorizing import may
from linarite.controlplane.metric_answer import metrics_of, stamp
from linarite.controlplane.metric_question import (
    READS_METRICS,
    Question,
    read_batch_question,
    refused,
    require_room,
)
from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import require_subscription
from linarite.domain.arm_errors import authorization_failed
from linarite.domain.azure_metrics.catalogue import NAMESPACE
from linarite.domain.azure_metrics.question import grains_in
from linarite.domain.resource import ACCOUNT_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

RESOURCES_MAX = 50


class Asked(msgspec.Struct):
    """The body."""

    resourceids: list[str] = []


async def of_resources(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """One entry for each id, in their order, none twice.

    One that may not be read refuses the whole.
    """
    require_subscription(surface, target)
    for name in ("metricnames", "metricnamespace"):
        if not request.query.get(name):
            raise refused(f"The {name} parameter is required where several resources are asked.")
    question = read_batch_question(request.query, surface.now())
    ids = _ids(request.body)
    require_room(question, len(ids))
    accounts = [await _account(request, each, surface) for each in ids]
    values = [await _answered(question, account, surface) for account in accounts]
    return Answer(200, {"values": values})


def _ids(body: bytes) -> list[str]:
    try:
        ids = msgspec.json.decode(body or b"{}", type=Asked).resourceids
    except msgspec.MsgspecError as problem:
        raise refused(f'The body must be {{"resourceids": […]}}: {problem}.') from None
    if not 0 < len(ids) <= RESOURCES_MAX:
        raise refused(
            f"The number of resource ids is {len(ids)}; it must be between 1 and {RESOURCES_MAX}."
        )
    once: dict[str, str] = {}
    for each in ids:
        once.setdefault(each.strip("/").lower(), each)
    return list(once.values())


async def _account(request: ArmRequest, resource_id: str, surface: Surface) -> Resource:
    path = "/" + resource_id.strip("/")
    caller = request.caller
    # Who may not read it is not told whether it is there.
    if not (caller.principal.is_key or may(surface, caller, READS_METRICS, path)):
        raise authorization_failed(caller.name, caller.principal.object_id, READS_METRICS, path)
    found = await surface.resources.get(path)
    if found is None or found.type.lower() != ACCOUNT_TYPE.lower():
        raise refused(f"There is no resource with metrics of this id: '{resource_id[:300]}'.")
    return found


async def _answered(question: Question, account: Resource, surface: Surface) -> dict[str, Any]:
    ids = {account.id.lower(): account.id}
    grains = await grains_in(surface.metrics, ids, question.window)
    return {
        "starttime": stamp(question.window.since_s),
        "endtime": stamp(question.window.until_s),
        "interval": question.interval,
        "namespace": NAMESPACE,
        "resourceregion": account.location or "",
        "resourceid": account.id,
        "value": await asyncio.to_thread(metrics_of, question, account.id, grains, ids),
    }

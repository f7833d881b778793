"""Metrics of an account, and of all accounts of a region.

Source: learn.microsoft.com, "Metrics - List", "Metrics - List At Subscription Scope" and its POST.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.metric_answer import cost_of, metrics_of, stamp
from linarite.controlplane.metric_question import Question, read_question, refused, region_of
from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import account_of, require_subscription
from linarite.domain.arm_id import location_key
from linarite.domain.azure_metrics.catalogue import NAMESPACE
from linarite.domain.azure_metrics.question import grains_in
from linarite.domain.resource import ACCOUNT_TYPE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

IN_BODY = frozenset(
    (
        *("timespan", "interval", "metricnames", "metricnamespace", "aggregation", "filter"),
        *("top", "orderby", "rollupby", "resulttype", "autoadjusttimegrain", "validatedimensions"),
    )
)
"""the parameters that may stand in the body of a POST, in lower case"""


async def of_account(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The account's own."""
    account = await account_of(surface, target)
    question = read_question(request.query, surface.now())
    return Answer(200, await _answered(question, account.id, [account], surface))


async def of_subscription(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Of all accounts in a region together, or by `Microsoft.ResourceId` each by itself."""
    subscription = require_subscription(surface, target)
    query = request.query | _in_body(request.body)
    region = region_of(query)
    question = read_question(query, surface.now())
    accounts = await surface.resources.list_under(subscription, ACCOUNT_TYPE)
    there = [each for each in accounts if location_key(each.location or "") == region]
    return Answer(200, await _answered(question, subscription, there, surface, region))


def _in_body(body: bytes) -> dict[str, str]:
    """The parameters that a POST has in its body. Raises ArmError 400."""
    if not body:
        return {}
    try:
        sent = msgspec.json.decode(body, type=dict[str, str | int | bool | None])
    except msgspec.MsgspecError as problem:
        raise refused(f"The body is no JSON object of parameters: {problem}.") from None
    told = {name.lower(): str(value) for name, value in sent.items() if value is not None}
    return {"$filter" if name == "filter" else name: told[name] for name in told.keys() & IN_BODY}


async def _answered(
    question: Question,
    scope: str,
    accounts: Sequence[Resource],
    surface: Surface,
    region: str = "",
) -> dict[str, Any]:
    ids = {each.id.lower(): each.id for each in accounts}
    grains = await grains_in(surface.metrics, ids, question.window)
    window = question.window
    return {
        "cost": cost_of(question),
        "timespan": f"{stamp(window.since_s)}/{stamp(window.until_s)}",
        "interval": question.interval,
        "value": await asyncio.to_thread(metrics_of, question, scope, grains, ids),
        "namespace": NAMESPACE,
        "resourceregion": region or (accounts[0].location if accounts else ""),
    }

"""Choosing the service tier of a request, after Azure's matrix.

Source: learn.microsoft.com, "Priority processing for Azure OpenAI in Microsoft Foundry Models" and
"Flex processing".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.service_tier import (
    AUTO,
    BATCH,
    DEFAULT,
    FLEX,
    FLEX_SKUS,
    LONG_CONTEXT_TOKENS,
    PRIORITY,
    PRIORITY_SKUS,
    rank_of,
)
from linarite.domain.tier_errors import FlexNotSupported

if TYPE_CHECKING:
    from linarite.dataplane.call import Call, Reply
    from linarite.dataplane.priority_ramp import PriorityRamp
    from linarite.domain.facts import Deployment
    from linarite.domain.service_tier import Rank


def choose_tier(
    call: Call, where: Deployment, reply: Reply, ramp: PriorityRamp | None = None
) -> Rank:
    """The class in which a request is served; the call and its answer learn the tier.

    Raises FlexNotSupported. Priority that a deployment does not have, that a prompt is too long
    for, or that `ramp` takes back is served as `default`, and the answer says so.
    """
    asked = call.service_tier_asked
    if not asked and where.service_tier is DEFAULT:  # the usual one
        call.service_tier = DEFAULT
        return where.rank
    if where.service_tier == BATCH:  # a line of one: whatever it asks for, it waits like the others
        call.service_tier = BATCH
        return where.rank
    tier = where.service_tier if asked in ("", AUTO) else asked
    if tier == FLEX and where.sku.name not in FLEX_SKUS:
        raise FlexNotSupported(where.name, where.sku.name, " or ".join(FLEX_SKUS))
    if tier == PRIORITY:
        price = reply.price()
        if (
            where.sku.name not in PRIORITY_SKUS
            or price.prompt_tokens > LONG_CONTEXT_TOKENS
            or (ramp is not None and not ramp.admits(where.id, price))
        ):
            tier = DEFAULT
    call.service_tier = tier
    reply.tell_tier(tier)
    return rank_of(where.sku, tier)

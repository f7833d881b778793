"""The limits of what no model answers: not at all, or not yet."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from linarite.dataplane.subjects import tell_subjects
from linarite.domain.quota_errors import RateLimitReached

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.controls.quota import Lease
    from linarite.dataplane.call import Call, Operation, Unready
    from linarite.dataplane.pipeline import Surface
    from linarite.domain.facts import Deployment, Facts


async def without_model(
    call: Call,
    found: Operation,
    ask: Any,  # noqa: ANN401 - each operation has its own ask
    on: Surface,
) -> AsyncGenerator[Any, None]:
    """The events of a request that no model answers; it is one of the deployment that it names.

    Raises RateLimitReached, LedgerUnavailable, and what the operation does.
    """
    if call.counted_for is not None and call.facts is not None:
        call.lease = await _reserved(call, call.counted_for, call.facts, on)
    with call.lease:
        async for event in found.run(ask, None):
            yield event


async def made_ready(ask: Unready, call: Call, facts: Facts, on: Surface) -> Any:  # noqa: ANN401 - each operation has its own ask
    """The ask that `run` takes. Raises what `Unready.made_ready` does, RateLimitReached."""
    if ask.costs and on.limiter.gives_back:
        await ask_first(call, facts, on)
    return await ask.made_ready()


async def ask_first(call: Call, facts: Facts, on: Surface) -> None:
    """Raise RateLimitReached where a request could not be let in now, before anything is done.

    It holds nothing on return: what is done for it is counted by itself. What may spill over, or
    has to be counted by an engine, is decided when it is whole.
    """
    where = call.deployment
    if where is None or where.sku.provisioned:
        return
    try:
        lease = await _reserved(call, where, facts, on)
    except RateLimitReached as refused:
        if not math.isinf(refused.refused.wait_s):
            raise
    else:
        lease.forgo()


async def _reserved(call: Call, where: Deployment, facts: Facts, on: Surface) -> Lease:
    reply = call.reply
    assert reply is not None  # noqa: S101 - every operation's parse sets it
    tell_subjects(call, facts, where)  # 400
    cost_of = partial(on.cost_of, call.deployment, call.service_tier)
    asked = (where, reply, on.buckets_for(call, facts), cost_of)
    return on.limiter.reserve_now(*asked) or await on.limiter.reserve(*asked)

"""Spillover: what a provisioned deployment refuses, a standard one of the same account may serve.

Source: learn.microsoft.com, "Manage traffic with spillover for provisioned deployments".
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from linarite.controls.quota import Lease
from linarite.dataplane.parts.checks import named_deployment
from linarite.domain.errors import (
    ContextLengthExceeded,
    GatewayError,
    LinariteError,
    ModelError,
    UpstreamRefused,
)
from linarite.domain.facts import Deployment
from linarite.domain.quota_errors import RateLimitReached
from linarite.domain.spillover import takes_spillover_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.dataplane.call import Call, Operation
    from linarite.dataplane.key_door import KeyDoor
    from linarite.dataplane.token_door import TokenDoor
    from linarite.domain.facts import Facts
    from linarite.domain.ledger import Bucket

HEADER = b"x-ms-spillover-deployment"
SPILLING = frozenset(
    (
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
)


class Spilled(msgspec.Struct, frozen=True):
    """What a provisioned deployment said before another was asked."""

    where: Deployment
    refusal: LinariteError
    lease: Lease
    tags: str
    service_tier: str


def spill_over(
    call: Call,
    found: Operation,
    problem: LinariteError,
    facts: Facts,
    door: TokenDoor | KeyDoor | None,
) -> Deployment:
    """The deployment that is to serve instead; the call and its answer move to it.

    Raises `problem` where it stays as it is; where the other has failed too, what the provisioned
    one had said, with the header `x-ms-spillover-error`.
    """
    where, spilled = call.deployment, call.spilled
    if spilled is not None:
        raise _as_before(call, spilled, problem) from None
    if where is None or not where.sku.provisioned or not spills(problem):
        raise problem
    wanted = where.spillover or call.headers.get(HEADER, b"").decode("latin-1")
    if not wanted:
        raise problem
    call.spilled = Spilled(where, problem, call.lease, call.tags, call.service_tier)
    try:
        target = named_deployment(wanted, facts, call.principal)
        if not takes_spillover_of(target.sku, where.sku):
            raise problem
        call.deployment = target
        if door is not None and not where.spillover:  # who deploys has chosen, or else the caller
            door.admit_to_deployment(call, found)
    except LinariteError as fault:
        raise _as_before(call, call.spilled, fault) from None
    call.spilled_from = where.name
    if isinstance(problem, RateLimitReached):
        call.limited_by = problem.limited_by
    assert call.reply is not None  # noqa: S101 - every operation's parse sets it
    call.reply.move_to(target)
    return target


def not_counted_yet(buckets: Sequence[Bucket], spilled: Spilled | None) -> Sequence[Bucket]:
    """Without those that have counted the request already: it is one, whoever serves it."""
    if spilled is None:
        return buckets
    counted = spilled.lease.counted
    return [each for each in buckets if each.key not in counted]


def spills(problem: LinariteError) -> bool:
    """Whether another deployment may do better: too busy, out of order, or too small a context."""
    if isinstance(problem, UpstreamRefused) and problem.status == HTTPStatus.BAD_REQUEST:
        return problem.error.get("code") == ContextLengthExceeded.code
    if isinstance(problem, ContextLengthExceeded):
        return True
    if isinstance(problem, RateLimitReached):  # another limit holds for the other deployment too
        return problem.limited_by == "deployment-tokens"
    return isinstance(problem, (GatewayError, ModelError)) and problem.status in SPILLING


def _as_before(call: Call, spilled: Spilled, fault: LinariteError) -> LinariteError:
    """The first refusal, which is told as if nothing else had been tried."""
    call.deployment, call.lease = spilled.where, spilled.lease
    call.tags, call.service_tier = spilled.tags, spilled.service_tier
    call.spilled_from = call.limited_by = ""
    spilled.refusal.headers["x-ms-spillover-error"] = str(fault.status)
    return spilled.refusal

"""Quota pools whose deployments lend one another what they leave unused.

Source: learn.microsoft.com, "Dynamic quota": a deployment with `dynamicThrottlingEnabled` may use
spare capacity above its own rate; it only ever gets more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.ledger import Window
from linarite.domain.rate_limits import pool_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from linarite.domain.facts import Deployment


class Member(msgspec.Struct, frozen=True):
    """A deployment of a pool."""

    id: str
    """in lower case"""
    tokens: int
    """of its own in a minute"""
    requests: int
    """of its own in their window"""
    borrows: bool
    """whether it may take what others leave unused"""
    requests_window: Window = Window.TEN_SECONDS


class Pool(msgspec.Struct, frozen=True):
    """The deployments of a model and deployment type in a region of a subscription."""

    members: tuple[Member, ...]


def lending_pools(
    deployments: Iterable[tuple[str, str, Deployment]],
) -> Mapping[str, Pool]:
    """Deployment's id, in lower case → its pool: of pools in which anybody borrows.

    `deployments` with their subscriptions and regions. Provisioned ones, and those without a rate,
    neither lend nor borrow.
    """
    by_key: dict[str, list[Member]] = {}
    for subscription, region, each in deployments:
        limits = each.limits
        if limits is None or limits.provisioned or not limits.requests:
            continue
        key = f"{subscription}|{region}|{pool_name(each.sku.name, each.model.name)}".lower()
        member = Member(
            each.id.lower(), limits.tokens, limits.requests, each.borrows, limits.requests_window
        )
        by_key.setdefault(key, []).append(member)
    pools = [
        Pool(tuple(members))
        for members in by_key.values()
        if len(members) > 1 and any(each.borrows for each in members)
    ]
    return {member.id: pool for pool in pools for member in pool.members}

"""Quota pools: how much capacity the deployments of a model share, and who takes what of it.

A pool is a subscription's, in a region, for a model and a deployment type; provisioned types have
one pool for all models. Sources: learn.microsoft.com, "Manage Azure OpenAI quota".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.options import Quota
from linarite.domain.arm_id import parent_id
from linarite.domain.rate_limits import is_provisioned, pool_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.domain.resource import Resource


class Pool(msgspec.Struct, frozen=True):
    """A pool as it stands."""

    name: str
    """`OpenAI.Standard.gpt-4o`"""
    title: str
    """in words"""
    used: int
    limit: int

    @property
    def free(self) -> int:
        """What is left; never below zero."""
        return max(0, self.limit - self.used)


def pool_title(sku: str, model: str) -> str:
    """The pool in the words of Azure's own messages."""
    if is_provisioned(sku):
        return f"Provisioned Throughput Unit - {sku}"
    return f"One Thousand Tokens Per Minute - {model} - {sku}"


class QuotaBook(msgspec.Struct, frozen=True):
    """What each deployment of a region takes, and the limits."""

    limits: Quota
    taken: Mapping[str, Mapping[str, int]]
    """lower-cased pool name → deployment's lower-cased id → capacity"""
    accounts: int = 0
    """in the region"""

    def pool(self, sku: str, model: str, *, without: str = "") -> Pool:
        """A pool, optionally without what one deployment takes (by its id)."""
        name = pool_name(sku, model)
        by_deployment = self.taken.get(name.lower(), {})
        used = sum(capacity for key, capacity in by_deployment.items() if key != without.lower())
        own = {key.lower(): limit for key, limit in self.limits.pools.items()}
        limit = own.get(name.lower(), self.limits.capacity_max)
        return Pool(name, pool_title(sku, model), used, limit)


def quota_book(
    limits: Quota, accounts: Iterable[Resource], deployments: Iterable[Resource], location: str
) -> QuotaBook:
    """Count what the deployments of the region's accounts take."""
    here = {account.id.lower() for account in accounts if account.location == location}
    taken: dict[str, dict[str, int]] = {}
    for deployment in deployments:
        if parent_id(deployment.id).lower() not in here:
            continue
        sku: dict[str, Any] = deployment.sku or {}
        model: dict[str, Any] = deployment.properties.get("model") or {}
        name = pool_name(str(sku.get("name")), str(model.get("name")))
        taken.setdefault(name.lower(), {})[deployment.id.lower()] = int(sku.get("capacity") or 0)
    return QuotaBook(limits, taken, len(here))

"""Service tiers, and the order in which an instance serves those who wait for it.

Sources: learn.microsoft.com, "Priority processing for Azure OpenAI" and "Flex processing" for the
tiers and where they exist.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linarite.domain.facts import Sku

AUTO = "auto"
DEFAULT = "default"
PRIORITY = "priority"
FLEX = "flex"
BATCH = "batch"
"""of lines of batches; no request asks for it"""
ASKABLE = (AUTO, DEFAULT, FLEX, PRIORITY)
"""what a request may say in `service_tier`"""

PRIORITY_SKUS = frozenset(("GlobalStandard", "DataZoneStandard"))
FLEX_SKUS = frozenset(("GlobalStandard",))
LONG_CONTEXT_TOKENS = 128_000
"""a longer prompt is not served with priority"""


class Rank(IntEnum):
    """The classes of an instance's queue, the first to be served first."""

    PROVISIONED = 0
    PRIORITY = 1
    DEFAULT = 2
    FLEX = 3
    BATCH = 4


def deployment_tier(sku: Sku, said: object) -> str:
    """The tier of requests that ask for none, by the property `serviceTier`."""
    wants_priority = isinstance(said, str) and said.lower() == PRIORITY
    return PRIORITY if wants_priority and sku.name in PRIORITY_SKUS else DEFAULT


_RANKS = {DEFAULT: Rank.DEFAULT, PRIORITY: Rank.PRIORITY, FLEX: Rank.FLEX}


def rank_of(sku: Sku, tier: str) -> Rank:
    """The class of a request that a deployment of this SKU serves in this tier."""
    if sku.provisioned:
        return Rank.PROVISIONED
    return Rank.BATCH if sku.batch else _RANKS[tier]

"""What costs are told apart by, and what is summed: Azure's names, and ours beside them.

Source of Azure's: learn.microsoft.com, "Query - Usage" of Microsoft.CostManagement.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.problems import location_key
from linarite.domain.arm_id import resource_group_of, subscription_of
from linarite.domain.price_book import NANO
from linarite.domain.resource import ACCOUNT_TYPE
from linarite.domain.usage_report import TAG, UsageCounts

if TYPE_CHECKING:
    from collections.abc import Mapping

TAG_KEY = "TagKey"


class Dimension(msgspec.Struct, frozen=True):
    """One column that groups are told apart by."""

    name: str
    """as the answer's column is called"""
    read_from: str
    """the dimension of usage that tells it"""
    shown: Callable[[str], str] = str
    """what it is there, in Azure's form"""


def _always(value: str) -> Callable[[str], str]:
    return lambda _: value


_DIMENSIONS = (
    Dimension("ResourceGroup", "accountId", resource_group_of),
    Dimension("ResourceGroupName", "accountId", resource_group_of),
    Dimension("ResourceId", "accountId", str.lower),
    Dimension("ResourceType", "accountId", _always(ACCOUNT_TYPE.lower())),
    Dimension("ResourceLocation", "region", location_key),
    Dimension("SubscriptionId", "accountId", subscription_of),
    Dimension("ServiceName", "accountId", _always("Cognitive Services")),
    Dimension("MeterCategory", "accountId", _always("Cognitive Services")),
    Dimension("ChargeType", "accountId", _always("Usage")),
    Dimension("ServiceTier", "serviceTier"),
    Dimension("Account", "account"),
    Dimension("Deployment", "deployment"),
    Dimension("Model", "model"),
    Dimension("ModelVersion", "modelVersion"),
    Dimension("Sku", "sku"),
    Dimension("Operation", "operation"),
    Dimension("Key", "key"),
    Dimension("Principal", "principal"),
    Dimension("Application", "application"),
    Dimension("EndUser", "endUser"),
    Dimension("Project", "project"),
)
DIMENSIONS = {each.name.lower(): each for each in _DIMENSIONS}


def tag(name: str) -> Dimension:
    """The values of a tag."""
    return Dimension(name, f"{TAG}{name}")


class Sum(msgspec.Struct, frozen=True):
    """A column of sums."""

    name: str
    of: Callable[[UsageCounts], float]


def _cost(counts: UsageCounts) -> float:
    return counts.cost_nano / NANO


_SUMS = (
    Sum("PreTaxCost", _cost),
    Sum("Cost", _cost),
    Sum("PreTaxCostUSD", _cost),
    Sum("CostUSD", _cost),
    Sum("UsageQuantity", lambda counts: counts.prompt_tokens + counts.completion_tokens),
    Sum("Requests", lambda counts: counts.requests),
    Sum("RefusedRequests", lambda counts: counts.refused),
    Sum("PromptTokens", lambda counts: counts.prompt_tokens),
    Sum("CompletionTokens", lambda counts: counts.completion_tokens),
    Sum("CachedTokens", lambda counts: counts.cached_tokens),
    Sum("ReasoningTokens", lambda counts: counts.reasoning_tokens),
    Sum("AudioPromptTokens", lambda counts: counts.audio_prompt_tokens),
    Sum("AudioCompletionTokens", lambda counts: counts.audio_completion_tokens),
)
SUMS = {each.name.lower(): each for each in _SUMS}
IN_DOLLARS = frozenset(("CostUSD", "PreTaxCostUSD"))


def valid(names: Mapping[str, Dimension] | Mapping[str, Sum]) -> str:
    """All there are, as Azure's errors list them."""
    return ", ".join(f"'{each.name}'" for each in names.values())

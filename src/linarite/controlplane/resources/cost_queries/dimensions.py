"""What is summed: Azure's names, and ours beside them.

Source of Azure's: learn.microsoft.com, "Query - Usage" of Microsoft.CostManagement.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from linarite.domain.price_book import NANO
from linarite.domain.usage_report import UsageCounts


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
    Sum("ProvisionedUnitHours", lambda counts: counts.provisioned_unit_hours),
)
SUMS = {each.name.lower(): each for each in _SUMS}
IN_DOLLARS = frozenset(("CostUSD", "PreTaxCostUSD"))

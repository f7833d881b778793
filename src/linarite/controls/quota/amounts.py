"""What a request is charged: what it may take at most, and then what it took."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.ledger import Charge
    from linarite.domain.quota import CostOf, Price
    from linarite.domain.usage import Usage


def tokens_at_most(price: Price, unsaid_completion: int) -> int:
    """The estimate. `unsaid_completion` is for answers that the request does not bound."""
    bound = price.completion_tokens
    if bound is None:
        bound = unsaid_completion
    return max(1, price.prompt_tokens + bound * price.answers)


def provisioned_at_most(
    price: Price, unsaid_completion: int, output_weight: float, cached_share: float
) -> int:
    """The estimate for provisioned throughput. `cached_share` of the prompt is expected to be free.

    Azure takes off the tokens that it finds in its cache; here engines tell only afterwards what
    they found, so that it is what the deployment's last answers had.
    """
    bound = price.completion_tokens
    if bound is None:
        bound = unsaid_completion
    prompt = price.prompt_tokens * (1 - cached_share)
    return max(1, math.ceil(prompt + bound * price.answers * output_weight))


def taken(charges: Sequence[Charge], usage: Usage, cost_of: CostOf) -> list[int]:
    """What each bucket is charged in the end, of an answer that used so much."""
    total = usage.total_tokens
    cost: int | None = None
    amounts: list[int] = []
    for charge in charges:
        bucket = charge.bucket
        measure = bucket.measure
        if measure == "tokens":
            weight = bucket.output_weight
            amounts.append(provisioned_tokens(usage, weight) if weight else total)
        elif measure == "cost":
            if cost is None:  # the same in each bucket
                cost = cost_of(usage)
            amounts.append(cost)
        else:
            amounts.append(0 if measure == "concurrent" else charge.amount)
    return amounts


def provisioned_tokens(usage: Usage, output_weight: float) -> int:
    """Of provisioned throughput: what was read and not cached, and what was made with its weight.

    Source: learn.microsoft.com, "What is provisioned throughput", on utilization.
    """
    read = max(0, usage.prompt_tokens - usage.cached_tokens)
    return math.ceil(read + usage.completion_tokens * output_weight)


def untold(charge: Charge) -> int:
    """The same where nobody can tell what was used: the estimate stays, the place is free."""
    return 0 if charge.bucket.measure == "concurrent" else charge.amount


def at_least(charges: Sequence[Charge], guessed: Sequence[int]) -> list[int]:
    """The same where it was guessed from what was heard: that is a bound from below."""
    return [max(untold(charge), amount) for charge, amount in zip(charges, guessed, strict=True)]


def refused(charge: Charge) -> int:
    """The same of a request that was refused before any work: it counts, but took nothing."""
    return charge.amount if charge.bucket.measure == "requests" else 0

"""What a request is charged: what it may take at most, and then what it took."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linarite.domain.ledger import Charge
    from linarite.domain.quota import CostOf, Price
    from linarite.domain.usage import Usage


def tokens_at_most(price: Price, unsaid_completion: int) -> int:
    """The estimate. `unsaid_completion` is for answers that the request does not bound."""
    bound = price.completion_tokens
    if bound is None:
        bound = unsaid_completion
    return max(1, price.prompt_tokens + bound * price.answers)


def taken(charge: Charge, usage: Usage, cost_of: CostOf) -> int:
    """What a bucket is charged in the end, of an answer that used so much."""
    measure = charge.bucket.measure
    if measure == "tokens":
        return usage.total_tokens
    if measure == "cost":
        return cost_of(usage)
    return 0 if measure == "concurrent" else charge.amount


def untold(charge: Charge) -> int:
    """The same where nobody can tell what was used: the estimate stays, the place is free."""
    return 0 if charge.bucket.measure == "concurrent" else charge.amount


def refused(charge: Charge) -> int:
    """The same of a request that was refused before any work: it counts, but took nothing."""
    return charge.amount if charge.bucket.measure == "requests" else 0

"""From what a request is thought to take to charges of its buckets, and from a refusal to a 429."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controls.quota.amounts import tokens_at_most
from linarite.domain.ledger import Charge
from linarite.domain.quota_errors import RateLimitReached
from linarite.domain.usage import usage_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controls.quota.rate import Rate
    from linarite.domain.facts import Deployment
    from linarite.domain.ledger import Bucket, DoesNotFit
    from linarite.domain.quota import CostOf, Price

CONSUMED = frozenset(("tokens", "cost"))
"""measures of what models use; the others count the request itself"""


def charges_of(
    rate: Rate, price: Price, further: Sequence[Bucket], cost_of: CostOf
) -> tuple[list[Charge], int]:
    """What a request is charged, its deployment's own rate first, and its tokens at most."""
    unsaid = rate.unsaid_completion if price.completion_tokens is None else 0
    tokens = tokens_at_most(price, unsaid)
    charges: list[Charge] = []
    if rate.buckets:
        own = rate.estimate(price) if rate.provisioned else tokens
        charges = [Charge(rate.buckets[0], own), *rate.request]
    cost: int | None = None
    for bucket in further:
        measure = bucket.measure
        if measure == "tokens":
            amount = tokens
        elif measure == "cost":
            if cost is None:  # the same in each bucket
                cost = cost_of(usage_of(price.prompt_tokens, tokens - price.prompt_tokens))
            amount = cost
        else:
            amount = 1
        charges.append(Charge(bucket, amount))
    return charges, tokens


def charges_of_turn(
    rate: Rate, price: Price, further: Sequence[Bucket], cost_of: CostOf
) -> tuple[list[Charge], int]:
    """The same of another turn of a request: that it is one has been counted, and has its place."""
    consumed = [each for each in further if each.measure in CONSUMED]
    charges, tokens = charges_of(rate, price, consumed, cost_of)
    return [_uncounted(each) for each in charges], tokens


def charges_of_more(
    rate: Rate, tokens: int, further: Sequence[Bucket], cost_of: CostOf
) -> list[Charge]:
    """The same of an answer that goes on by so many tokens.

    Provisioned throughput hears of them when the answer is over, as on Azure.
    """
    more: list[Charge] = []
    if rate.buckets and not rate.buckets[0].output_weight:
        more = [Charge(rate.buckets[0], tokens), *map(_uncounted, rate.request)]
    for bucket in further:
        if bucket.measure in CONSUMED:
            cost = bucket.measure == "cost"
            more.append(Charge(bucket, cost_of(usage_of(0, tokens)) if cost else tokens))
    return more


def refusal_of(where: Deployment, rate: Rate, problem: DoesNotFit) -> RateLimitReached:
    """What whoever asked is told."""
    return RateLimitReached(where, problem.refused, headers=rate.headers(problem.left))


def _uncounted(charge: Charge) -> Charge:
    return charge if charge.bucket.measure in CONSUMED else Charge(charge.bucket, 0)

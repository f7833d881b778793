"""The control: admits a request to a deployment, or says when it may come again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controls.quota.amounts import tokens_at_most
from linarite.controls.quota.lease import NO_LEASE, Lease
from linarite.controls.quota.memory_ledger import MemoryLedger
from linarite.controls.quota.rate import Rate, rate_headers, rate_lines
from linarite.domain.ledger import Charge, DoesNotFit
from linarite.domain.quota import free
from linarite.domain.quota_errors import RateLimitReached
from linarite.domain.usage import usage_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controls.quota.rate import Mode
    from linarite.domain.facts import Deployment
    from linarite.domain.ledger import Bucket, Ledger, Reservation
    from linarite.domain.quota import CostOf, Priced

RATES_MAX = 4096
"""deployments whose answers are remembered"""


class Limiter:
    """Keeps every deployment to its rate, and every call to the further limits that hold for it."""

    def __init__(self, mode: Mode = "exact", ledger: Ledger | None = None) -> None:
        """`mode` is about the rates of deployments; without a ledger it counts in memory."""
        self._mode: Mode = mode
        self._ledger = MemoryLedger() if ledger is None else ledger
        self._rates: dict[str, Rate] = {}

    def reserve_now(
        self,
        where: Deployment,
        asked: Priced,
        further: Sequence[Bucket] = (),
        cost_of: CostOf = free,
    ) -> Lease | None:
        """Admit a request, with what it may use at most; None where `reserve` must be awaited.

        Raises RateLimitReached.
        """
        if not further and (where.limits is None or self._mode == "off"):
            return NO_LEASE
        rate = self._rate(where)
        charges = self._charges(rate, asked, further, cost_of)
        try:
            reserved = self._ledger.reserve_now(charges)
        except DoesNotFit as problem:
            raise _refusal(where, rate, problem) from None
        return None if reserved is None else self._lease(rate, asked, reserved, cost_of)

    async def reserve(
        self,
        where: Deployment,
        asked: Priced,
        further: Sequence[Bucket] = (),
        cost_of: CostOf = free,
    ) -> Lease:
        """The same, of a ledger that others share. Raises RateLimitReached, LedgerUnavailable."""
        rate = self._rate(where)
        try:
            reserved = await self._ledger.reserve(self._charges(rate, asked, further, cost_of))
        except DoesNotFit as problem:
            raise _refusal(where, rate, problem) from None
        return self._lease(rate, asked, reserved, cost_of)

    async def utilization(self, where: Deployment) -> float | None:
        """How much of its provisioned throughput is in use, in percent; None where it has none.

        Raises LedgerUnavailable.
        """
        rate = self._rate(where)
        limits = rate.limits
        if limits is None or not limits.provisioned or not rate.buckets:
            return None
        (left,) = await self._ledger.left(rate.buckets[:1])
        return (1 - left / limits.tokens) * 100

    def _rate(self, where: Deployment) -> Rate:
        key = where.id
        found = self._rates.get(key)
        if found is None:
            if len(self._rates) >= RATES_MAX:
                del self._rates[next(iter(self._rates))]
            found = self._rates[key] = Rate(where, self._mode)
        elif found.limits != where.limits:
            found.fit(where)
        return found

    def _charges(
        self, rate: Rate, asked: Priced, further: Sequence[Bucket], cost_of: CostOf
    ) -> list[Charge]:
        price = asked.price()
        tokens = tokens_at_most(price, rate.unsaid_completion)
        own = rate.estimate(price, tokens)
        charges = [Charge(rate.buckets[0], own), *rate.request] if rate.buckets else []
        for bucket in further:
            if bucket.measure == "tokens":
                amount = tokens
            elif bucket.measure == "cost":
                amount = cost_of(usage_of(price.prompt_tokens, tokens - price.prompt_tokens))
            else:
                amount = 1
            charges.append(Charge(bucket, amount))
        return charges

    def _lease(self, rate: Rate, asked: Priced, reserved: Reservation, cost_of: CostOf) -> Lease:
        limits = rate.limits
        lines = b"" if limits is None or not rate.buckets else rate_lines(limits, reserved.left)
        return Lease(asked, (self._ledger, reserved), lines, cost_of, rate.learn)


def _refusal(where: Deployment, rate: Rate, problem: DoesNotFit) -> RateLimitReached:
    limits = rate.limits
    headers = {} if limits is None or not rate.buckets else rate_headers(limits, problem.left)
    return RateLimitReached(where, problem.refused, headers=headers)

"""The control: admits a request to a deployment, or says when it may come again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controls.quota.charging import charges_of, refusal_of
from linarite.controls.quota.lease import NO_LEASE, Lease
from linarite.controls.quota.memory_ledger import MemoryLedger
from linarite.controls.quota.rate import Rate
from linarite.controls.quota.turns import Holder
from linarite.domain.ledger import DoesNotFit
from linarite.domain.quota import free

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controls.quota.rate import Mode
    from linarite.domain.facts import Deployment
    from linarite.domain.ledger import Bucket, Ledger, Reservation
    from linarite.domain.quota import CostOf, Price, Priced

RATES_MAX = 4096
"""deployments whose answers are remembered"""


class Limiter:
    """Keeps every deployment to its rate, and every call to the further limits that hold for it."""

    def __init__(
        self, mode: Mode = "exact", ledger: Ledger | None = None, wait_s: float = 0.0
    ) -> None:
        """`mode` is about the rates of deployments; without a ledger it counts in memory.

        `wait_s`: for how long a request that has begun may wait for more than it was admitted with.
        """
        self._mode: Mode = mode
        self._wait_s = wait_s
        self._ledger = MemoryLedger() if ledger is None else ledger
        self._rates: dict[str, Rate] = {}

    @property
    def gives_back(self) -> bool:
        """Whether what was reserved in vain is there again; Azure's way keeps it."""
        return self._mode != "azure"

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
        rate, price = self._rate(where), asked.price()
        charges, tokens = charges_of(rate, price, further, cost_of)
        try:
            reserved = self._ledger.reserve_now(charges)
        except DoesNotFit as problem:
            raise refusal_of(where, rate, problem) from None
        if reserved is None:
            return None
        holder = Holder(where, rate, further, asked, cost_of, self._ledger)
        return _lease(holder, price, reserved, tokens)

    async def reserve(
        self,
        where: Deployment,
        asked: Priced,
        further: Sequence[Bucket] = (),
        cost_of: CostOf = free,
    ) -> Lease:
        """The same, of a ledger that others share. Raises RateLimitReached, LedgerUnavailable."""
        rate, price = self._rate(where), asked.price()
        charges, tokens = charges_of(rate, price, further, cost_of)
        try:
            reserved = await self._ledger.reserve(charges)
        except DoesNotFit as problem:
            raise refusal_of(where, rate, problem) from None
        holder = Holder(where, rate, further, asked, cost_of, self._ledger)
        return _lease(holder, price, reserved, tokens)

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
            found = self._rates[key] = Rate(where, self._mode, self._wait_s)
        elif found.limits is not where.limits and found.limits != where.limits:
            found.fit(where)
        return found


def _lease(holder: Holder, price: Price, reserved: Reservation, tokens: int) -> Lease:
    rate = holder.rate
    grows = rate.grows and price.completion_tokens is None
    return Lease(holder, reserved, rate.lines(reserved.left), tokens, grows=grows)

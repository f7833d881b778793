"""Lending: a deployment that may, uses what another of its pool leaves idle.

Whoever borrows is charged to the lender's own rate instead of its own, so that all together never
take more than they have. Nobody lends who has asked for anything within the last minute; who comes
back finds what it lent before there again within a minute, and lends nothing from then on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.ledger import Bucket, Charge, DoesNotFit, Window
from linarite.domain.quota_errors import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from linarite.domain.ledger import Ledger, Reservation
    from linarite.domain.lending import Member, Pool

TOKENS_KEY, REQUESTS_KEY = "tokens:", "requests:"
"""before a deployment's id: where its own rate is counted"""
OWN = 2
"""charges of its own rate, tokens and requests, before those of further limits"""
COUNTED = 2**31
LENDERS_MAX = 3
"""that are tried for one request"""
REMEDY = (
    "; what it leaves idle for a minute is lent to others of its quota pool "
    "(dynamicThrottlingEnabled), and comes back within a minute after it was refused"
)


class LendingLedger:
    """Another ledger, with pools that lend. See `Ledger` for what each method does."""

    def __init__(self, ledger: Ledger, pools: Callable[[], Mapping[str, Pool]]) -> None:
        """`pools` by the deployment's id in lower case, as they are now."""
        self._ledger = ledger
        self._pools = pools

    def reserve_now(self, charges: Sequence[Charge]) -> Reservation | None:
        """See Ledger."""
        pool = self._pool_of(charges)
        if pool is None:
            return self._ledger.reserve_now(charges)
        try:
            return self._ledger.reserve_now([*charges, Charge(_active(_id_of(charges)), 1)])
        except DoesNotFit as problem:
            if _lacks_its_own(charges, problem):
                return None  # `reserve` notes that it came, and borrows
            raise

    async def reserve(self, charges: Sequence[Charge]) -> Reservation:
        """See Ledger."""
        pool = self._pool_of(charges)
        if pool is None:
            return await self._ledger.reserve(charges)
        came = Charge(_active(_id_of(charges)), 1)
        try:
            return await self._ledger.reserve([*charges, came])
        except DoesNotFit as problem:
            if not _lacks_its_own(charges, problem):
                raise
            self.settle(await self._ledger.reserve([came]), [came.amount])
            lent = await self._borrowed(pool, charges)
            if lent is None:
                raise _explained(problem) from None
            return lent

    def settle(self, reservation: Reservation, amounts: Sequence[int]) -> None:
        """See Ledger."""
        self._ledger.settle(reservation, amounts)

    async def correct(self, reservation: Reservation, amounts: Sequence[int]) -> None:
        """See Ledger."""
        await self._ledger.correct(reservation, amounts)

    async def left(self, buckets: Sequence[Bucket]) -> list[int]:
        """See Ledger."""
        return await self._ledger.left(buckets)

    async def close(self) -> None:
        """See Ledger."""
        await self._ledger.close()

    def _pool_of(self, charges: Sequence[Charge]) -> Pool | None:
        pools = self._pools()
        if not pools or not charges or not charges[0].bucket.key.startswith(TOKENS_KEY):
            return None
        return pools.get(_id_of(charges))

    async def _borrowed(self, pool: Pool, charges: Sequence[Charge]) -> Reservation | None:
        """From one that is idle and has enough; None where there is none, or it may not."""
        own = _id_of(charges)
        if not any(each.id == own and each.borrows for each in pool.members):
            return None
        others = [each for each in pool.members if each.id != own]
        try:
            free = await self._ledger.left([_own(each)[0] for each in others])
        except LedgerUnavailable:  # each server counts alone meanwhile: nobody can tell who is idle
            return None
        able = [
            (left, each)
            for left, each in zip(free, others, strict=True)
            if left >= charges[0].amount
        ]
        able.sort(key=lambda each: -each[0])
        for _, lender in able[:LENDERS_MAX]:
            try:
                return await self._ledger.reserve(_lent_by(lender, charges))
            except DoesNotFit:
                continue
        return None


def _id_of(charges: Sequence[Charge]) -> str:
    return charges[0].bucket.key[len(TOKENS_KEY) :]


def _lent_by(lender: Member, charges: Sequence[Charge]) -> list[Charge]:
    """The charges of a request that borrows. The last one fits only while the lender is idle."""
    tokens, requests = _own(lender)
    idle = msgspec.structs.replace(_active(lender.id), limit=0)
    return [
        Charge(tokens, charges[0].amount),
        Charge(requests, charges[1].amount),
        *charges[OWN:],
        Charge(idle, 0),
    ]


def _own(member: Member) -> tuple[Bucket, Bucket]:
    """Where its own rate is counted."""
    return (
        Bucket(f"{TOKENS_KEY}{member.id}", "lent-tokens", "tokens", member.tokens, Window.MINUTE),
        Bucket(
            f"{REQUESTS_KEY}{member.id}",
            "lent-requests",
            "requests",
            member.requests,
            member.requests_window,
        ),
    )


def _active(deployment_id: str) -> Bucket:
    """Holds something for a minute after anybody has called the deployment."""
    return Bucket(f"active:{deployment_id}", "active", "requests", COUNTED, Window.MINUTE)


def _lacks_its_own(charges: Sequence[Charge], problem: DoesNotFit) -> bool:
    """Whether the deployment's own rate stands against it, and nothing else does."""
    fits = [each.amount <= left for each, left in zip(charges, problem.left, strict=False)]
    return not all(fits[:OWN]) and all(fits[OWN:])


def _explained(problem: DoesNotFit) -> DoesNotFit:
    refused = problem.refused
    bucket = msgspec.structs.replace(refused.bucket, remedy=refused.bucket.remedy + REMEDY)
    return DoesNotFit(msgspec.structs.replace(refused, bucket=bucket), problem.left)

"""What a request holds that asks a model more than once, or whose answer has no bound.

Each turn is reserved before it runs and settled when it is over, at the time when it ran; what is
counted by the request (its place, that it is one) is held from the first to the last.
An answer without a bound reserves more as it goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from linarite.controls.quota.amounts import provisioned_tokens, untold
from linarite.controls.quota.charging import (
    CONSUMED,
    charges_of_more,
    charges_of_turn,
    refusal_of,
)
from linarite.controls.quota.lending import TOKENS_KEY
from linarite.controls.quota.rate import Rate
from linarite.domain.errors import LinariteError
from linarite.domain.facts import Deployment
from linarite.domain.ledger import Bucket, DoesNotFit, Ledger
from linarite.domain.quota import CostOf, Priced
from linarite.domain.usage import Usage, usage_of

if TYPE_CHECKING:
    from linarite.domain.ledger import Charge, Reservation
    from linarite.domain.quota import Price

NOTHING = Usage()


class Holder(msgspec.Struct, frozen=True):
    """Who is charged, and for what."""

    where: Deployment
    rate: Rate
    further: Sequence[Bucket]
    """limits beside its rate"""
    asked: Priced
    cost_of: CostOf
    ledger: Ledger


class Turns:
    """The reservations of one request. `end` once, however it ends."""

    def __init__(self, holder: Holder, first: Reservation) -> None:
        """`first` is what it was admitted with."""
        self._holder = holder
        self._first = first
        self._first_is: list[int] | None = None
        """what its charges came to, once another turn has followed"""
        self._turn: list[Reservation] = [first]
        """of the turn that runs, or none"""
        self._before = NOTHING
        """what earlier turns have used"""

    async def next(self, price: Price) -> int:
        """The turn is over, and another begins, of so many tokens at most as are returned.

        May be asked again where it is refused. Raises RateLimitReached, LedgerUnavailable.
        """
        if self._turn:
            await self._settle()
            self._before = self._holder.asked.usage or NOTHING
        holder = self._holder
        charges, tokens = charges_of_turn(holder.rate, price, holder.further, holder.cost_of)
        self._turn = [await self._reserved(charges)]
        return tokens

    async def grow(self, tokens: int) -> None:
        """The turn needs so many tokens more. Raises RateLimitReached, LedgerUnavailable."""
        holder = self._holder
        more = charges_of_more(holder.rate, tokens, holder.further, holder.cost_of)
        if more:
            self._turn.append(await self._reserved(more))

    def end(self, problem: BaseException | None, *, begun: bool) -> None:
        """All is over; `begun`: whether the turn's model was asked."""
        held, amounts = self._turn, self._amounts(problem, begun=begun)
        self._turn = []
        if self._first_is is not None:
            held, amounts = [self._first, *held], [self._first_is, *amounts]
        for reservation, came_to in zip(held, amounts, strict=True):
            freed = [
                0 if charge.bucket.measure == "concurrent" else amount
                for charge, amount in zip(reservation.charges, came_to, strict=True)
            ]
            self._holder.ledger.settle(reservation, freed)

    async def _settle(self) -> None:
        """Settle the turn; the first reservation goes on, with what is held to the end."""
        held, amounts = self._turn, self._amounts(None, begun=True)
        self._turn = []
        ledger, first = self._holder.ledger, self._first_is is None
        if first:
            self._first_is, *amounts = amounts
            held = held[1:]
        for reservation, came_to in zip(held, amounts, strict=True):
            ledger.settle(reservation, came_to)
        if first and self._first_is is not None:
            await ledger.correct(self._first, self._first_is)

    async def _reserved(self, charges: Sequence[Charge]) -> Reservation:
        ledger, holder = self._holder.ledger, self._holder
        try:
            return ledger.reserve_now(charges) or await ledger.reserve(charges)
        except DoesNotFit as problem:
            raise refusal_of(holder.where, holder.rate, problem) from None

    def _amounts(self, problem: BaseException | None, *, begun: bool) -> list[list[int]]:
        """What the charges of each of the turn's reservations came to; places are kept."""
        usage = self._holder.asked.usage
        told = usage is not None and usage != self._before
        if usage is not None and told:
            used = self._used(usage)
            if self._holder.asked.guessed:
                reserved = self._reserved_in_turn()
                used = {slot: max(amount, reserved[slot]) for slot, amount in used.items()}
            elif problem is None:
                self._holder.rate.learn(less(usage, self._before))
        elif not begun or isinstance(problem, LinariteError):
            used = {}
        else:
            return [[each.amount for each in one.charges] for one in self._turn]
        return _spread(self._turn, used)

    def _used(self, usage: Usage) -> dict[str, int]:
        """By slot: what the turn has used."""
        turn, cost_of = less(usage, self._before), self._holder.cost_of
        used: dict[str, int] = {}
        for reservation in self._turn:
            for charge in reservation.charges:
                bucket = charge.bucket
                if bucket.measure == "cost":
                    used[slot_of(charge)] = max(0, cost_of(usage) - cost_of(self._before))
                elif bucket.measure == "tokens":
                    weight = bucket.output_weight
                    tokens = provisioned_tokens(turn, weight) if weight else turn.total_tokens
                    used[slot_of(charge)] = tokens
        return used

    def _reserved_in_turn(self) -> dict[str, int]:
        reserved: dict[str, int] = {}
        for reservation in self._turn:
            for charge in reservation.charges:
                slot = slot_of(charge)
                reserved[slot] = reserved.get(slot, 0) + untold(charge)
        return reserved


def slot_of(charge: Charge) -> str:
    """One name for a bucket in all reservations of a turn: its own rate may be another's, lent."""
    key = charge.bucket.key
    return TOKENS_KEY if key.startswith(TOKENS_KEY) else key


def less(usage: Usage, before: Usage) -> Usage:
    """What was used since."""
    return usage_of(
        usage.prompt_tokens - before.prompt_tokens,
        usage.completion_tokens - before.completion_tokens,
        usage.cached_tokens - before.cached_tokens,
    )


def _spread(held: Sequence[Reservation], used: dict[str, int]) -> list[list[int]]:
    """What was used, on the reservations in their order; what is beyond all of them on the last."""
    last = {slot_of(charge): reservation for reservation in held for charge in reservation.charges}
    left = dict(used)
    spread: list[list[int]] = []
    for reservation in held:
        amounts: list[int] = []
        for charge in reservation.charges:
            slot = slot_of(charge)
            if charge.bucket.measure not in CONSUMED:
                amounts.append(charge.amount)
                continue
            rest = left.get(slot, 0)
            amount = rest if last[slot] is reservation else min(rest, charge.amount)
            left[slot] = rest - amount
            amounts.append(amount)
        spread.append(amounts)
    return spread

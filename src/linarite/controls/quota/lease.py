"""What a request holds from the moment it is admitted until it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controls.quota.amounts import at_least, refused, taken, tokens_at_most, untold
from linarite.controls.quota.turns import Turns
from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from types import TracebackType

    from linarite.controls.quota.turns import Holder
    from linarite.domain.ledger import Reservation
    from linarite.domain.quota import Price


class Lease:
    """A reservation, around the work. Leaving it, however that is, settles on what was used.

    Who was refused, or left, before any work was done is charged no tokens; the request counts all
    the same. Where nobody can tell what was used, the reservation stays charged, and where it can
    only be guessed, that or the guess if it is more.
    """

    __slots__ = ("_holder", "_reserved", "_turns", "begun", "grows", "lines", "tokens")

    def __init__(
        self, holder: Holder, reserved: Reservation, lines: bytes, tokens: int, *, grows: bool
    ) -> None:
        """`tokens` is what was reserved of them."""
        self._holder = holder
        self._reserved = reserved
        self._turns: Turns | None = None
        """what holds it instead, where a model is asked again or an answer has outgrown it"""
        self.begun = False
        """whether an engine has been asked: before that nothing can have been used"""
        self.grows = grows
        """whether more must be reserved while its answer goes on: nothing bounds that"""
        self.lines = lines
        """the header lines that tell the client what is left"""
        self.tokens = tokens
        """that the turn which runs may use, as far as they are reserved"""

    @property
    def counted(self) -> frozenset[str]:
        """Keys of the buckets in which the request was counted."""
        return frozenset(
            charge.bucket.key
            for charge in self._reserved.charges
            if charge.bucket.measure == "requests"
        )

    @property
    def wait_s(self) -> float:
        """For how long a request that has begun may wait for more."""
        return self._holder.rate.wait_s

    async def begin_turn(self, price: Price, *, first: bool) -> None:
        """Have what a model is asked reserved before it is asked; may be asked again if refused.

        The turn before it is settled, at what the request has used since it began. In the first
        turn what was reserved is added to, where that was less.
        Raises RateLimitReached, LedgerUnavailable.
        """
        if first:
            needed = tokens_at_most(price, self._holder.rate.unsaid_completion)
            if needed > self.tokens:
                await self.grow(needed - self.tokens)
        else:
            self.begun, self.tokens = False, 0
            self.tokens = await self._held_by_turn().next(price)

    async def grow(self, tokens: int) -> None:
        """Reserve more for the turn that runs. Raises RateLimitReached, LedgerUnavailable."""
        await self._held_by_turn().grow(tokens)
        self.tokens += tokens

    def forgo(self) -> None:
        """Give everything back, as if it had never been asked for."""
        self._holder.ledger.settle(self._reserved, [0] * len(self._reserved.charges))

    def _held_by_turn(self) -> Turns:
        if self._turns is None:
            self._turns = Turns(self._holder, self._reserved)
        return self._turns

    def __enter__(self) -> None:
        """It has been reserved."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Settle."""
        if self._turns is not None:
            self._turns.end(problem, begun=self.begun)
            return
        charges, holder = self._reserved.charges, self._holder
        usage = holder.asked.usage
        if usage is not None:
            amounts = taken(charges, usage, holder.cost_of)
            if holder.asked.guessed:
                amounts = at_least(charges, amounts)
            elif problem is None:
                holder.rate.learn(usage)
        elif not self.begun or isinstance(problem, LinariteError):
            amounts = [refused(charge) for charge in charges]
        else:
            amounts = [untold(charge) for charge in charges]
        holder.ledger.settle(self._reserved, amounts)


class _NoLease(Lease):
    """Of a deployment without limits."""

    __slots__ = ()

    def __init__(self) -> None:
        self.begun = self.grows = False
        self.lines = b""
        self.tokens = 0

    @property
    def counted(self) -> frozenset[str]:
        """None."""
        return frozenset()

    async def begin_turn(self, price: Price, *, first: bool) -> None:
        """Nothing is reserved."""

    def forgo(self) -> None:
        """Nothing is reserved."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing was reserved."""


NO_LEASE = _NoLease()

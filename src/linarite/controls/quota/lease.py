"""What a request holds from the moment it is admitted until it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controls.quota.amounts import at_least, refused, taken, untold
from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from linarite.domain.ledger import Ledger, Reservation
    from linarite.domain.quota import CostOf, Priced
    from linarite.domain.usage import Usage


class Lease:
    """A reservation, around the work. Leaving it, however that is, settles on what was used.

    Who was refused, or left, before any work was done is charged no tokens; the request counts all
    the same. Where nobody can tell what was used, the reservation stays charged, and where it can
    only be guessed, that or the guess if it is more.
    """

    __slots__ = ("_asked", "_cost_of", "_learn", "_ledger", "_reserved", "begun", "lines")

    def __init__(
        self,
        asked: Priced,
        reserved: tuple[Ledger, Reservation],
        lines: bytes,
        cost_of: CostOf,
        learn: Callable[[Usage], None],
    ) -> None:
        """`learn` is told what each answer used that came to its end."""
        self._asked = asked
        self._ledger, self._reserved = reserved
        self._cost_of = cost_of
        self._learn = learn
        self.begun = False
        """whether an engine has been asked: before that nothing can have been used"""
        self.lines = lines
        """the header lines that tell the client what is left"""

    @property
    def counted(self) -> frozenset[str]:
        """Keys of the buckets in which the request was counted."""
        return frozenset(
            charge.bucket.key
            for charge in self._reserved.charges
            if charge.bucket.measure == "requests"
        )

    def __enter__(self) -> None:
        """It has been reserved."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Settle."""
        charges = self._reserved.charges
        usage = self._asked.usage
        if usage is not None:
            amounts = taken(charges, usage, self._cost_of)
            if self._asked.guessed:
                amounts = at_least(charges, amounts)
            elif problem is None:
                self._learn(usage)
        elif not self.begun or isinstance(problem, LinariteError):
            amounts = [refused(charge) for charge in charges]
        else:
            amounts = [untold(charge) for charge in charges]
        self._ledger.settle(self._reserved, amounts)


class _NoLease(Lease):
    """Of a deployment without limits."""

    __slots__ = ()

    def __init__(self) -> None:
        self.begun = False
        self.lines = b""

    @property
    def counted(self) -> frozenset[str]:
        """None."""
        return frozenset()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing was reserved."""


NO_LEASE = _NoLease()

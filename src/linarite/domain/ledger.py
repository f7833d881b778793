"""The ledger: buckets that requests are charged to, all of a request's or none of them.

A request is charged what it may take at most before any work is done for it; afterwards each
charge is set right to what it took. Whatever comes together, and from however many servers, what
is charged to a bucket never exceeds its limit in any of its windows.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

Measure = Literal["tokens", "requests", "concurrent", "cost"]
"""what a bucket counts; cost in billionths of the price book's currency"""


class Window(Enum):
    """Over which time a bucket counts."""

    SECOND = "1s"
    """any second, wherever it begins; so the next two"""
    TEN_SECONDS = "10s"
    MINUTE = "60s"
    FIXED_MINUTE = "fixed 60s"
    """Azure's: it begins anew at its end, corrects nothing, and lets pass while anything is left"""
    LEAKY_MINUTE = "leaky 60s"
    """provisioned throughput: it drains evenly by its limit in a minute, and lets pass while it is
    not over its rim"""
    DAY = "day"
    """of the calendar, in UTC; what it holds outlives the server, as with the next one"""
    MONTH = "month"
    HELD = "held"
    """no time at all: what is charged is there again when its request is over"""

    __hash__ = object.__hash__  # there is one of each: hashing the name would cost as much again


SLIDING_S = {Window.SECOND: 1.0, Window.TEN_SECONDS: 10.0, Window.MINUTE: 60.0}
"""the windows that slide, in seconds"""
LASTING = frozenset((Window.DAY, Window.MONTH))


class Bucket(msgspec.Struct, frozen=True, gc=False):
    """One limit, and where its count is kept."""

    key: str
    """names whose it is and what it counts; two buckets with the same key are one"""
    name: str
    """the scope and what it counts, as clients and records are told: `deployment-tokens`"""
    measure: Measure
    limit: int
    """may differ from call to call: what was charged before still counts"""
    window: Window
    remedy: str = ""
    """for those who are refused: what would let them in, as it goes on after "To be let in
    sooner, " — `raise sku.capacity of the deployment 'chat'`"""
    output_weight: float = 0.0
    """of provisioned throughput: a token of output counts as so many of a prompt, and one that was
    found in a cache not at all; 0: tokens are tokens"""


class Charge(msgspec.Struct, frozen=True, gc=False):
    """What one request takes of one bucket."""

    bucket: Bucket
    amount: int


class Reservation:
    """What one request holds. Each ledger keeps more about its own."""

    __slots__ = ("charges", "left")

    def __init__(self, charges: Sequence[Charge], left: Sequence[int]) -> None:
        self.charges = charges
        self.left = left
        """of each charge's bucket, after it; of a leaky one negative when it is over its rim"""


class Refused(msgspec.Struct, frozen=True):
    """What did not fit where; of several buckets the one that takes longest to have room."""

    bucket: Bucket
    charged: int
    """what the request would have taken"""
    left: int
    """never below zero"""
    wait_s: float
    """until it fits if nobody else comes; infinity where it never does"""


class DoesNotFit(Exception):
    """A bucket has no room. Nothing was charged to any."""

    def __init__(self, refused: Refused, left: Sequence[int]) -> None:
        """`left` of every bucket that was asked, in the order of the charges."""
        super().__init__(refused.bucket.name)
        self.refused = refused
        self.left = left


class LastingCount(msgspec.Struct, frozen=True, gc=False):
    """What was charged to a bucket in one day or month, or a little more."""

    key: str
    """of the bucket"""
    period: int
    """as `calendar_windows.period_of` numbers them"""
    amount: int
    over_at: int
    """seconds since the epoch, from which nobody asks for it any more"""


class LastingCounts(Protocol):
    """Keeps the counts of days and months where a restarted server finds them."""

    async def read(self) -> list[LastingCount]:
        """All there are."""
        ...

    async def write(self, counts: Sequence[LastingCount], *, now: float) -> None:
        """Put them in the place of those with the same key and period; on disk on return.

        Forgets what is over by `now`. Raises ServiceUnavailable when the file can't be written.
        """
        ...


class Ledger(Protocol):
    """Keeps what was charged to buckets."""

    def reserve_now(self, charges: Sequence[Charge]) -> Reservation | None:
        """Charge all, or none, without waiting; None where only `reserve` can tell.

        Raises DoesNotFit.
        """
        ...

    async def reserve(self, charges: Sequence[Charge]) -> Reservation:
        """Charge all, or none. Raises DoesNotFit, LedgerUnavailable."""
        ...

    def settle(self, reservation: Reservation, amounts: Sequence[int]) -> None:
        """The request is over and took `amounts`, one for each charge.

        Zero releases a charge. More than was charged counts where it was charged, or else now.
        Never blocks, never raises; once for each reservation. Whoever dies before leaves all
        charged, but places that are held come back by themselves.
        """
        ...

    async def correct(self, reservation: Reservation, amounts: Sequence[int]) -> None:
        """The request goes on and has taken `amounts` so far; it is to be settled still.

        What is not changed of a charge stays held. Where the ledger can't be reached, all stays
        charged as it was; never raises.
        """
        ...

    async def left(self, buckets: Sequence[Bucket]) -> list[int]:
        """What each may still be charged, below zero what it took beyond its limit.

        Raises LedgerUnavailable.
        """
        ...

    async def close(self) -> None:
        """Keep what lasts, and let go of all connections. Settles what has not been yet."""
        ...

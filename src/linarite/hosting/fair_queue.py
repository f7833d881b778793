"""Whose turn it is: classes in their order, each with its least share, and accounts as equals.

Pure bookkeeping without clocks: the gate says when a place is free, and times who waits.

**Classes.** The first class in which anybody waits is served, unless a later one is owed. Of every
token served while it waits a class is owed its share (`SHARES`), so that it moves on however much
those before it want; what the classes that do not wait leave goes to the first.

**Accounts of a class** are served by start-time fair queueing (Goyal, Vin, Cheng: "Start-time Fair
Queuing", 1996) with equal weights: the account goes first that has been given least, and who comes
after a pause begins where the others are, so that nobody saves up.

What a request costs is an estimate in tokens until it is over, and is put right then.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from linarite.domain.service_tier import Rank

WEIGHTS = (16, 8, 4, 2, 1)
"""of provisioned, priority, default, flex, batch"""
SHARES = tuple(weight / sum(WEIGHTS) for weight in WEIGHTS)
TOKENS_MAX = 8192
"""a request that says it takes more counts as this until it is over: nobody waits for a claim"""
ACCOUNTS_KEPT = 64
"""remembered in a class before those are forgotten who wait for nothing and owe nothing"""


class Waiter:
    """A request in the queue, or one that was let in from there."""

    __slots__ = ("account", "number", "on_credit", "place", "rank", "tokens")

    def __init__(
        self, rank: Rank, account: str, tokens: int, place: asyncio.Future[None], number: int
    ) -> None:
        """`tokens` is the estimate, `number` grows with each that comes."""
        self.rank = rank
        self.account = account
        self.tokens = max(1, min(tokens, TOKENS_MAX))
        self.place = place
        self.number = number
        self.on_credit = False
        """it was served because its class was owed"""


class Account:
    """What one account has waiting in a class, and how far it has been served."""

    __slots__ = ("finish", "start", "waiters")

    def __init__(self) -> None:
        self.waiters: deque[Waiter] = deque()
        self.start = 0.0
        """virtual time at which its next request begins"""
        self.finish = 0.0
        """virtual time at which all that it was given ends"""


class ClassLine:
    """Those of one class who wait."""

    def __init__(self, share: float) -> None:
        """`share` is the least that it gets while it waits."""
        self.share = share
        self.owed = 0.0
        """tokens"""
        self.length = 0
        self._now = 0.0
        """virtual: the start of what was served last"""
        self._accounts: dict[str, Account] = {}

    def add(self, waiter: Waiter) -> None:
        """Stand behind the others of the same account."""
        account = self._accounts.get(waiter.account)
        if account is None:
            self._forget()
            account = self._accounts[waiter.account] = Account()
        if not account.waiters:
            account.start = max(self._now, account.finish)
        account.waiters.append(waiter)
        self.length += 1

    def first(self) -> Waiter:
        """Who is next; only while somebody waits."""
        return self._next().waiters[0]

    def pop(self) -> Waiter:
        """Serve who is next."""
        account = self._next()
        waiter = account.waiters.popleft()
        self.length -= 1
        self._now = max(self._now, account.start)
        account.finish = account.start = account.start + waiter.tokens
        return waiter

    def remove(self, waiter: Waiter) -> bool:
        """Leave the queue; False for one who is not in it."""
        account = self._accounts.get(waiter.account)
        if account is None or waiter not in account.waiters:
            return False
        account.waiters.remove(waiter)
        self.length -= 1
        return True

    def settle(self, waiter: Waiter, difference: int) -> None:
        """What was served took so many tokens more."""
        account = self._accounts.get(waiter.account)
        if account is not None:
            account.finish += difference
            account.start += difference

    def longest(self) -> Account | None:
        """The account with most waiting."""
        waiting = [account for account in self._accounts.values() if account.waiters]
        return max(waiting, key=lambda account: len(account.waiters), default=None)

    def length_of(self, account: str) -> int:
        """How many of an account wait."""
        found = self._accounts.get(account)
        return len(found.waiters) if found is not None else 0

    def clear(self) -> Iterator[Waiter]:
        """Everybody, who then wait no more."""
        for account in self._accounts.values():
            yield from account.waiters
        self._accounts.clear()
        self.length, self.owed, self._now = 0, 0.0, 0.0

    def _next(self) -> Account:
        return min(
            (account for account in self._accounts.values() if account.waiters),
            key=lambda account: (account.start, account.waiters[0].number),
        )

    def _forget(self) -> None:
        if len(self._accounts) >= ACCOUNTS_KEPT:
            self._accounts = {
                name: account
                for name, account in self._accounts.items()
                if account.waiters or account.finish > self._now
            }


class FairQueue:
    """Everybody who waits for a place on an instance."""

    def __init__(self) -> None:
        """Nobody."""
        self.length = 0
        self._lines = tuple(ClassLine(share) for share in SHARES)
        self._came = 0

    @property
    def lengths(self) -> tuple[int, ...]:
        """How many wait, by class."""
        return tuple(line.length for line in self._lines)

    def add(self, rank: Rank, account: str, tokens: int, place: asyncio.Future[None]) -> Waiter:
        """Let one more wait for the `place` to be told."""
        self._came += 1
        waiter = Waiter(rank, account, tokens, place, self._came)
        self._lines[rank].add(waiter)
        self.length += 1
        return waiter

    def pop(self, *, only_provisioned: bool = False) -> Waiter | None:
        """Serve who is next, if there is anybody who may."""
        lines = self._lines[:1] if only_provisioned else self._lines
        waiting = [line for line in lines if line.length]
        if not waiting:
            return None
        owed = (line for line in waiting[1:] if line.owed >= line.first().tokens)
        line = next(owed, waiting[0])
        waiter = line.pop()
        self.length -= 1
        waiter.on_credit = line is not waiting[0]
        self._count(waiter, waiter.tokens, waiting[1:])
        return waiter

    def remove(self, waiter: Waiter) -> bool:
        """Leave the queue; False for one who is not in it."""
        found = self._lines[waiter.rank].remove(waiter)
        self.length -= found
        return found

    def settle(self, waiter: Waiter, used: int) -> None:
        """One who was served is over, and used so many tokens."""
        difference = used - waiter.tokens
        if difference:
            self._lines[waiter.rank].settle(waiter, difference)
            self._count(waiter, difference, [line for line in self._lines[1:] if line.length])

    def last_to_matter(self, rank: Rank, account: str) -> Waiter | None:
        """Who would give way to a newcomer where there is room for no more; None: nobody.

        First the classes after the newcomer's, from the last on; then, in its own class, an account
        that has more waiting than the newcomer's would have. Of an account, who came last.
        """
        for line in reversed(self._lines[rank + 1 :]):
            longest = line.longest()
            if longest is not None:
                return longest.waiters[-1]
        longest = self._lines[rank].longest()
        if longest is None or len(longest.waiters) <= self._lines[rank].length_of(account) + 1:
            return None
        return longest.waiters[-1]

    def clear(self) -> list[Waiter]:
        """Everybody, who then wait no more; nothing is remembered."""
        self.length = 0
        return [waiter for line in self._lines for waiter in line.clear()]

    def _count(self, waiter: Waiter, tokens: int, later: list[ClassLine]) -> None:
        """Owe the later classes their share of what was served, less what one was given."""
        for line in later:
            line.owed = _bounded(line.owed + tokens * line.share)
        if waiter.on_credit:
            line = self._lines[waiter.rank]
            line.owed = _bounded(line.owed - tokens)


def _bounded(owed: float) -> float:
    return max(-TOKENS_MAX, min(TOKENS_MAX, owed))

"""Whose turn it is: the order of classes, their shares, and fairness between accounts."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.domain.errors import RequestTimedOut, ServiceUnavailable
from linarite.domain.service_tier import Rank
from linarite.domain.tier_errors import NoFlexCapacity
from linarite.hosting.fair_queue import SHARES, TOKENS_MAX, FairQueue
from linarite.hosting.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.hosting.fair_queue import Waiter

pytestmark = pytest.mark.anyio

TURNS = 4000


class Tenant:
    """One who always has requests waiting."""

    def __init__(
        self,
        queue: FairQueue,
        rank: Rank,
        account: str = "a",
        tokens: Callable[[int], int] = lambda _: 100,
    ) -> None:
        """`tokens` says what the n-th request takes; it estimates that exactly."""
        self._queue = queue
        self._rank = rank
        self._account = account
        self._tokens = tokens
        self._asked = 0
        for _ in range(3):
            self.ask()

    def ask(self) -> None:
        """One more request."""
        self._asked += 1
        place = asyncio.get_running_loop().create_future()
        self._queue.add(self._rank, self._account, self._tokens(self._asked), place)


def served(queue: FairQueue, tenants: dict[tuple[Rank, str], Tenant]) -> Counter[tuple[Rank, str]]:
    """Tokens that each gets when a place is free again and again."""
    tokens: Counter[tuple[Rank, str]] = Counter()
    for _ in range(TURNS):
        waiter = queue.pop()
        assert waiter is not None
        who = (waiter.rank, waiter.account)
        tokens[who] += waiter.tokens
        tenants[who].ask()
    return tokens


async def test_every_class_gets_its_share_when_all_want_everything() -> None:
    """Whatever the size of their requests: within two per cent of the whole."""
    queue = FairQueue()
    sizes = (2000, 50, 300, 700, 5000)
    tenants = {
        (rank, "a"): Tenant(queue, rank, tokens=lambda _, size=size: size)
        for rank, size in zip(Rank, sizes, strict=True)
    }
    tokens = served(queue, tenants)
    for rank, share in zip(Rank, SHARES, strict=True):
        assert tokens[rank, "a"] / tokens.total() == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("low", [Rank.PRIORITY, Rank.DEFAULT, Rank.FLEX, Rank.BATCH])
async def test_a_class_moves_on_however_much_those_before_it_want(low: Rank) -> None:
    """It gets the least that it is promised; the one before it has all the rest."""
    queue = FairQueue()
    tenants = {(rank, "a"): Tenant(queue, rank) for rank in (Rank.PROVISIONED, low)}
    tokens = served(queue, tenants)
    assert tokens[low, "a"] / tokens.total() == pytest.approx(SHARES[low], abs=0.01)


async def test_the_order_holds_where_nobody_is_owed() -> None:
    """Whoever came first: provisioned, priority, default, flex, batch."""
    queue = FairQueue()
    for rank in reversed(Rank):
        queue.add(rank, "a", 100, asyncio.get_running_loop().create_future())
    order = [waiter.rank for waiter in iter(queue.pop, None)]
    assert order == sorted(Rank)


async def test_accounts_of_a_class_get_the_same() -> None:
    """In tokens, not in requests, and however many one has waiting."""
    queue = FairQueue()
    small = Tenant(queue, Rank.DEFAULT, "small", lambda _: 40)
    large = Tenant(queue, Rank.DEFAULT, "large", lambda _: 1300)
    mixed = Tenant(queue, Rank.DEFAULT, "mixed", lambda n: 10 if n % 3 else 2000)
    for _ in range(50):
        large.ask()
    tenants = {
        (Rank.DEFAULT, name): each
        for name, each in (("small", small), ("large", large), ("mixed", mixed))
    }
    tokens = served(queue, tenants)
    for name in ("small", "large", "mixed"):
        assert tokens[Rank.DEFAULT, name] / tokens.total() == pytest.approx(1 / 3, rel=0.05)


async def test_what_was_used_counts_and_not_what_was_claimed() -> None:
    """An account that bounds its answers by nothing is not served less for it."""
    queue = FairQueue()
    claims = Tenant(queue, Rank.DEFAULT, "claims", lambda _: 4000)
    knows = Tenant(queue, Rank.DEFAULT, "knows", lambda _: 100)
    tenants = {"claims": claims, "knows": knows}
    used: Counter[str] = Counter()
    for _ in range(TURNS):
        waiter = queue.pop()
        assert waiter is not None
        tenants[waiter.account].ask()
        queue.settle(waiter, 100)
        used[waiter.account] += 100
    assert used["claims"] / used.total() == pytest.approx(0.5, rel=0.05)


async def test_nobody_saves_up() -> None:
    """Who comes after a pause begins where the others are."""
    queue = FairQueue()
    busy = Tenant(queue, Rank.DEFAULT, "busy")
    for _ in range(100):
        queue.pop()
        busy.ask()
    late = Tenant(queue, Rank.DEFAULT, "late")
    tokens: Counter[str] = Counter()
    for _ in range(10):
        waiter = queue.pop()
        assert waiter is not None
        tokens[waiter.account] += 1
        (late if waiter.account == "late" else busy).ask()
    assert tokens["late"] <= 6


async def test_a_claim_beyond_all_measure_keeps_nobody_waiting() -> None:
    """It counts as the most that any may count, so its class is owed enough in time."""
    queue = FairQueue()
    tenant = Tenant(queue, Rank.PROVISIONED)
    queue.add(Rank.BATCH, "b", 2**31, asyncio.get_running_loop().create_future())
    for _ in range(round(TOKENS_MAX / SHARES[Rank.BATCH] / 100) + 2):
        waiter = queue.pop()
        assert waiter is not None
        if waiter.rank is Rank.BATCH:
            return
        tenant.ask()
    pytest.fail("the batch request was never served")


async def refused(gate: Gate, rank: Rank, account: str) -> asyncio.Task[Waiter | None]:
    """A request that waits, or has been refused."""
    task = asyncio.create_task(gate.enter(rank, account))
    await asyncio.sleep(0)
    return task


async def test_a_full_queue_has_the_last_class_give_way() -> None:
    """Batch before flex; each is told in its own words."""
    gate = Gate(1, 2, 60)
    await gate.enter()
    flex = await refused(gate, Rank.FLEX, "a")
    batch = await refused(gate, Rank.BATCH, "a")
    first = await refused(gate, Rank.PRIORITY, "a")
    with pytest.raises(ServiceUnavailable):
        await batch
    second = await refused(gate, Rank.DEFAULT, "a")
    with pytest.raises(NoFlexCapacity) as problem:
        await flex
    assert (problem.value.status, problem.value.code) == (429, "no_capacity")
    assert int(problem.value.headers["retry-after-ms"]) > 0
    with pytest.raises(NoFlexCapacity):
        await gate.enter(Rank.FLEX, "a")
    assert gate.waiting == 2
    gate.leave()
    await first
    gate.leave(Rank.PRIORITY)
    await second


async def test_one_account_does_not_fill_the_queue_for_others() -> None:
    """Its newest gives way until both have as many; then newcomers are refused."""
    gate = Gate(1, 4, 60)
    await gate.enter()
    many = [await refused(gate, Rank.DEFAULT, "many") for _ in range(4)]
    few = [await refused(gate, Rank.DEFAULT, "few") for _ in range(3)]
    await asyncio.sleep(0)
    assert [task.done() for task in many] == [False, False, True, True]
    assert [task.done() for task in few] == [False, False, True]
    gate.refuse_waiting(lambda: ServiceUnavailable("over"))
    outcomes = await asyncio.gather(*many, *few, return_exceptions=True)
    assert all(isinstance(outcome, ServiceUnavailable) for outcome in outcomes)


async def test_flex_that_waits_too_long_times_out() -> None:
    """With Azure's 408; others are told that the service is busy."""
    gate = Gate(1, 2, 0.02)
    await gate.enter()
    with pytest.raises(RequestTimedOut):
        await gate.enter(Rank.FLEX)
    with pytest.raises(ServiceUnavailable):
        await gate.enter(Rank.DEFAULT)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("add", "pop", "remove", "settle")),
            st.sampled_from(Rank),
            st.sampled_from("abc"),
            st.integers(0, 2**32),
        ),
        max_size=60,
    )
)
async def test_nobody_is_lost_or_served_twice(
    steps: list[tuple[str, Rank, str, int]],
) -> None:
    """Whatever comes, leaves, and turns out to be larger or smaller."""
    queue = FairQueue()
    waiting: list[Waiter] = []
    inside: list[Waiter] = []
    for what, rank, account, number in steps:
        if what == "add":
            place = asyncio.get_running_loop().create_future()
            waiting.append(queue.add(rank, account, number, place))
        elif what == "pop":
            waiter = queue.pop()
            assert (waiter is None) == (not waiting)
            if waiter is not None:
                waiting.remove(waiter)
                inside.append(waiter)
        elif what == "remove" and waiting:
            gone = waiting.pop(number % len(waiting))
            assert queue.remove(gone)
            assert not queue.remove(gone)
        elif what == "settle" and inside:
            queue.settle(inside.pop(), number)
        assert queue.length == len(waiting)
    while waiting:
        waiter = queue.pop()
        assert waiter is not None
        waiting.remove(waiter)
    assert queue.pop() is None

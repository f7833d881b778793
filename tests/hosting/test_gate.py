"""The queue in front of an instance, under every schedule that chance can think of."""

from __future__ import annotations

import asyncio
from math import ceil
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.domain.errors import ServiceUnavailable
from linarite.domain.service_tier import Rank
from linarite.domain.tier_errors import NoFlexCapacity
from linarite.hosting.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


async def until(true: Callable[[], bool]) -> None:
    """Return once a condition holds."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - the gate tells nobody
            await asyncio.sleep(0)


async def settle() -> None:
    """Let everything that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_places_are_given_in_the_order_of_coming() -> None:
    """First come, first served, as places become free."""
    gate = Gate(2, 10, 60)
    order: list[int] = []

    async def request(number: int) -> None:
        await gate.enter()
        order.append(number)

    tasks = [asyncio.create_task(request(number)) for number in range(6)]
    await settle()
    assert (order, gate.running, gate.waiting) == ([0, 1], 2, 4)
    for expected in (3, 4, 5, 6):
        gate.leave()
        await settle()
        assert order == list(range(expected))
    assert (gate.running, gate.waiting) == (2, 0)
    await asyncio.gather(*tasks)


async def test_a_newcomer_does_not_pass_the_queue() -> None:
    """A place that became free belongs to the first who waits, even before that one has run."""
    gate = Gate(1, 10, 60)
    await gate.enter()
    waiting = asyncio.create_task(gate.enter())
    await settle()
    gate.leave()
    late = asyncio.create_task(gate.enter())
    await settle()
    assert waiting.done()
    assert not late.done()
    gate.leave()
    await late
    assert (gate.running, gate.waiting) == (1, 0)


async def test_a_full_queue_refuses_at_once() -> None:
    """With the setting's name and a wait that grows with the queue."""
    gate = Gate(1, 2, 60)
    await gate.enter()
    waiting = [asyncio.create_task(gate.enter()) for _ in range(2)]
    await settle()
    with pytest.raises(ServiceUnavailable, match=r"instances\.\*\.queue_max") as refused:
        await gate.enter()
    assert refused.value.headers["retry-after"] == "3"
    assert refused.value.headers["retry-after-ms"] == "3000"
    assert (gate.running, gate.waiting) == (1, 2)
    gate.refuse_waiting(lambda: ServiceUnavailable("over"))
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(outcome, ServiceUnavailable) for outcome in outcomes)


async def test_waiting_has_an_end() -> None:
    """After `wait_s` the request is refused, and its place in the queue is free."""
    gate = Gate(1, 1, 0.05)
    await gate.enter()
    with pytest.raises(ServiceUnavailable, match=r"instances\.\*\.queue_wait_s"):
        await gate.enter()
    assert (gate.running, gate.waiting) == (1, 0)
    gate.leave()
    await gate.enter()
    assert gate.running == 1


async def test_no_queue_at_all() -> None:
    """`queue_max` 0 means: now or not."""
    gate = Gate(1, 0, 60)
    await gate.enter()
    with pytest.raises(ServiceUnavailable):
        await gate.enter()
    gate.leave()
    await gate.enter()


async def test_a_turn_that_comes_too_late_is_passed_on() -> None:
    """Cancelled in the very moment its turn came: the next in the queue gets it."""
    gate = Gate(1, 10, 60)
    await gate.enter()
    first, second = (asyncio.create_task(gate.enter()) for _ in range(2))
    await settle()
    gate.leave()
    first.cancel()
    await settle()
    assert first.cancelled()
    assert second.done()
    assert (gate.running, gate.waiting) == (1, 0)


async def test_a_turn_at_the_last_moment_is_not_lost() -> None:
    """The deadline passes in the same instant as the turn comes: one of the two, never half."""
    for _ in range(50):
        gate = Gate(1, 10, 0.002)
        await gate.enter()
        waiting = asyncio.create_task(gate.enter())
        await asyncio.sleep(0.002)
        gate.leave()
        outcome = (await asyncio.gather(waiting, return_exceptions=True))[0]
        assert gate.running == (0 if isinstance(outcome, ServiceUnavailable) else 1)
        assert outcome is not None, "whoever waited is told as whom"
        assert gate.waiting == 0


async def test_a_wider_gate_admits_who_waits() -> None:
    """And a narrower one lets nobody in until enough have left; it is never closed for good."""
    gate = Gate(1, 10, 60)
    tasks = [asyncio.create_task(gate.enter()) for _ in range(4)]
    await settle()
    gate.widen(3)
    await settle()
    assert (gate.running, gate.waiting) == (3, 1)
    gate.widen(0)
    assert gate.parallel == 1
    gate.leave()
    gate.leave()
    await settle()
    assert (gate.running, gate.waiting) == (1, 1)
    gate.leave()
    await asyncio.gather(*tasks)
    assert (gate.running, gate.waiting) == (1, 0)


async def test_emptiness_is_waited_for() -> None:
    """At once when it is empty, when the last leaves, or after the grace."""
    gate = Gate(2, 10, 60)
    await gate.until_empty(60)
    await gate.enter()
    await gate.enter()
    await gate.until_empty(0)
    assert gate.running == 2
    emptied = asyncio.create_task(gate.until_empty(60))
    await settle()
    gate.leave()
    await settle()
    assert not emptied.done()
    gate.leave()
    await until(emptied.done)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.just(0)),
        st.tuples(st.just("come"), st.just(0)),
        st.tuples(st.just("finish"), st.integers(0, 20)),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(st.just("widen"), st.integers(0, 5)),
        st.tuples(st.just("refuse"), st.just(0)),
        st.tuples(st.just("settle"), st.just(0)),
    ),
    max_size=40,
)


class Schedule:
    """Requests that come, finish and are cancelled, and what must hold all the while."""

    def __init__(self, parallel: int, queue_max: int) -> None:
        self.gate = Gate(parallel, queue_max, 60)
        self.queue_max = queue_max
        self.finish: list[asyncio.Event] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.inside: set[int] = set()
        self.entered: list[int] = []

    async def request(self, number: int) -> None:
        """Enter, wait to be finished, leave: as the host does it."""
        waiter = await self.gate.enter()
        try:
            self.inside.add(number)
            if waiter is not None:
                self.entered.append(number)
            else:
                assert not self.gate.waiting, "somebody passed the queue"
            await self.finish[number].wait()
        finally:
            self.inside.discard(number)
            self.gate.leave()

    def step(self, what: str, which: int) -> None:
        """One event, without letting anything run."""
        if what == "come":
            self.finish.append(asyncio.Event())
            self.tasks.append(asyncio.create_task(self.request(len(self.tasks))))
        elif what == "widen":
            self.gate.widen(which)
        elif what == "refuse":
            self.gate.refuse_waiting(lambda: ServiceUnavailable("over"))
        elif what in {"finish", "cancel"} and which < len(self.tasks):
            self.finish[which].set() if what == "finish" else self.tasks[which].cancel()

    def check(self, widest: int) -> None:
        """What must hold at any moment."""
        gate = self.gate
        assert 0 <= len(self.inside) <= gate.running <= widest
        assert gate.waiting <= self.queue_max
        assert self.entered == sorted(self.entered), "who waited came in another order"

    async def end(self) -> None:
        """Finish everybody: whoever still waits must get in, and nothing remains."""
        for event in self.finish:
            event.set()
        async with asyncio.timeout(10):
            await asyncio.gather(*self.tasks, return_exceptions=True)
        assert (self.gate.running, self.gate.waiting, self.inside) == (0, 0, set())


@given(parallel=st.integers(1, 3), queue_max=st.integers(0, 5), steps=STEPS)
async def test_under_any_schedule(
    parallel: int, queue_max: int, steps: list[tuple[str, int]]
) -> None:
    """Never more inside than allowed, first come first served, no place lost, no one forgotten."""
    schedule = Schedule(parallel, queue_max)
    widest = parallel
    for what, which in steps:
        if what == "settle":
            await settle()
            assert len(schedule.inside) == schedule.gate.running
            full = schedule.gate.running >= schedule.gate.parallel
            assert full or not schedule.gate.waiting, "a place is free and somebody waits"
        else:
            schedule.step(what, which)
            widest = max(widest, which if what == "widen" else 1)
        schedule.check(widest)
    await schedule.end()


async def test_kept_places_are_for_those_who_reserved() -> None:
    """Others take the rest at most; who has reserved takes any place."""
    gate = Gate(4, 10, 5)
    gate.reserve(0.5)
    await gate.enter()
    await gate.enter()
    third = asyncio.create_task(gate.enter())
    await asyncio.sleep(0)
    assert (gate.running, gate.waiting) == (2, 1)
    await gate.enter(Rank.PROVISIONED)
    await gate.enter(Rank.PROVISIONED)
    assert gate.running == 4
    gate.leave(Rank.PROVISIONED)
    await asyncio.sleep(0)
    assert not third.done()
    gate.leave()
    await third
    gate.reserve(0)
    await gate.enter()
    assert gate.running == 4


async def test_who_has_reserved_goes_first() -> None:
    """Before those who came earlier without; among themselves in their order."""
    gate = Gate(1, 10, 5)
    gate.reserve(1.0)
    await gate.enter()
    order: list[str] = []

    async def request(name: str, rank: Rank) -> None:
        await gate.enter(rank)
        order.append(name)
        gate.leave(rank)

    tasks = [
        asyncio.create_task(request(name, rank))
        for name, rank in zip("abcd", (Rank.DEFAULT, Rank.PROVISIONED) * 2, strict=True)
    ]
    await asyncio.sleep(0)
    gate.leave()
    await asyncio.gather(*tasks)
    assert order == ["b", "d", "a", "c"]
    assert gate.running == 0


async def test_a_share_follows_the_number_of_places() -> None:
    """Told before the engine has said how many it can take; one is always left to the others."""
    gate = Gate(1, 0, 5)
    gate.reserve(0.3)
    await gate.enter()
    gate.widen(10)
    for _ in range(6):
        await gate.enter()
    with pytest.raises(ServiceUnavailable):
        await gate.enter()
    for _ in range(3):
        await gate.enter(Rank.PROVISIONED)
    with pytest.raises(ServiceUnavailable):
        await gate.enter(Rank.PROVISIONED)


async def test_a_waiter_with_a_reservation_that_leaves_frees_its_turn() -> None:
    """Whether it leaves while it waits or just when its turn has come."""
    gate = Gate(1, 10, 5)
    await gate.enter()
    first, second = (asyncio.create_task(gate.enter(Rank.PROVISIONED)) for _ in range(2))
    await asyncio.sleep(0)
    gate.leave()
    first.cancel()
    await second
    assert (gate.running, gate.waiting) == (1, 0)
    gate.leave(Rank.PROVISIONED)
    assert gate.running == 0


class MixedSchedule:
    """Requests of every class and of two accounts, some of which fill the queue for others."""

    def __init__(self, parallel: int, queue_max: int, share: float) -> None:
        self.gate = Gate(parallel, queue_max, 60)
        self.gate.reserve(share)
        self.queue_max = queue_max
        self.ordinary_max = max(1, parallel - ceil(share * parallel))
        self.tasks: list[asyncio.Task[None]] = []
        self.finish: list[asyncio.Event] = []
        self.inside: dict[int, Rank] = {}

    async def request(self, number: int, rank: Rank, account: str) -> None:
        """As the host does it, with what it used in the end."""
        waiter = await self.gate.enter(rank, account, 10 * number)
        try:
            self.inside[number] = rank
            await self.finish[number].wait()
        finally:
            self.inside.pop(number, None)
            self.gate.leave(rank, waiter, number)

    def step(self, what: str, which: int, rank: Rank, account: str) -> None:
        """One event, without letting anything run."""
        if what == "come":
            self.finish.append(asyncio.Event())
            number = len(self.tasks)
            self.tasks.append(asyncio.create_task(self.request(number, rank, account)))
        elif which < len(self.tasks):
            self.finish[which].set() if what == "finish" else self.tasks[which].cancel()

    def check(self) -> None:
        """What must hold at any moment."""
        ordinary = [rank for rank in self.inside.values() if rank is not Rank.PROVISIONED]
        assert len(self.inside) <= self.gate.running <= self.gate.parallel
        assert len(ordinary) <= self.ordinary_max
        assert self.gate.waiting <= self.queue_max

    async def end(self) -> None:
        """Finish everybody: whoever still waits gets in or was told, and nothing remains."""
        for event in self.finish:
            event.set()
        async with asyncio.timeout(10):
            outcomes = await asyncio.gather(*self.tasks, return_exceptions=True)
        refused = [each for each in outcomes if isinstance(each, Exception)]
        assert all(isinstance(each, (ServiceUnavailable, NoFlexCapacity)) for each in refused)
        assert (self.gate.running, self.gate.waiting, self.inside) == (0, 0, {})


@given(
    parallel=st.integers(1, 4),
    queue_max=st.integers(0, 5),
    share=st.sampled_from((0.0, 0.3, 1.0)),
    steps=st.lists(
        st.tuples(
            st.sampled_from(("come", "come", "finish", "cancel", "settle")),
            st.integers(0, 20),
            st.sampled_from(Rank),
            st.sampled_from("ab"),
        ),
        max_size=40,
    ),
)
async def test_classes_under_any_schedule(
    parallel: int, queue_max: int, share: float, steps: list[tuple[str, int, Rank, str]]
) -> None:
    """No more inside than there are places, none of them lost, and everybody gets an answer."""
    schedule = MixedSchedule(parallel, queue_max, share)
    for what, which, rank, account in steps:
        if what == "settle":
            await settle()
            assert len(schedule.inside) == schedule.gate.running
        else:
            schedule.step(what, which, rank, account)
        schedule.check()
    await schedule.end()

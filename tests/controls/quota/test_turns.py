"""Requests of several turns, and answers that grow: no window has more than its limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linarite.controls.quota import LendingLedger, Limiter, MemoryLedger
from linarite.domain.errors import EngineFailed
from linarite.domain.facts import Deployment, Model, Sku
from linarite.domain.ledger import Bucket, Window
from linarite.domain.lending import lending_pools
from linarite.domain.quota import Price
from linarite.domain.quota_errors import RateLimitReached
from linarite.domain.rate_limits import RateLimits, provisioned_limits
from linarite.domain.usage import Usage, added, usage_of

if TYPE_CHECKING:
    from linarite.controls.quota import Lease

pytestmark = pytest.mark.anyio

LIMIT = 1000
PLACES = Bucket("places", "key-concurrent", "concurrent", 2, Window.HELD)
DAY = Bucket("day", "key-tokens", "tokens", 5000, Window.DAY)
BUDGET = Bucket("budget", "key-cost", "cost", 20_000, Window.MONTH)
FURTHER = (PLACES, DAY, BUDGET)


class Asked:
    """A request, and what it has used."""

    guessed = False

    def __init__(self, prompt: int, bound: int | None) -> None:
        self.usage: Usage | None = None
        self._price = Price(prompt, bound)

    def use(self, prompt: int, made: int) -> None:
        """A turn used so much."""
        self.usage = added(self.usage or Usage(), usage_of(prompt, made))

    def price(self) -> Price:
        """Of its first turn."""
        return self._price


def cost_of(usage: Usage) -> int:
    """One for what is read, three for what is made."""
    return usage.prompt_tokens + 3 * usage.completion_tokens


def deployment(
    limits: RateLimits | None, name: str = "chat", *, borrows: bool = False
) -> Deployment:
    """With those limits."""
    return Deployment(
        name=name,
        model=Model("m", "1"),
        sku=Sku("Standard", 1),
        instance="one",
        id=f"/accounts/a/deployments/{name}",
        limits=limits,
        borrows=borrows,
    )


class Site:
    """A limiter by a clock that a test moves."""

    def __init__(self, where: Deployment | None = None) -> None:
        self.now = 1000.0
        self.where = where or deployment(RateLimits(LIMIT, 100))
        self.ledger = MemoryLedger(lambda: self.now, lambda: 1_000_000.0)
        self.limiter = Limiter(ledger=self.ledger)
        self.own = Bucket(f"tokens:{self.where.id}", "", "tokens", LIMIT, Window.MINUTE)

    def ask(self, prompt: int = 100, bound: int | None = 200) -> tuple[Asked, Lease]:
        """One that is admitted."""
        asked = Asked(prompt, bound)
        lease = self.limiter.reserve_now(self.where, asked, FURTHER, cost_of)
        assert lease is not None
        lease.begun = True
        return asked, lease

    async def left(self) -> list[int]:
        """Of its own tokens, places, day and budget."""
        return await self.ledger.left([self.own, *FURTHER])


async def test_a_turn_is_settled_before_the_next_is_reserved() -> None:
    """The place stays held; what the first did not use is there for the second, and others."""
    site = Site()
    asked, lease = site.ask(300, 600)
    with lease:
        assert await site.left() == [100, 1, 4100, 20_000 - 2100]
        asked.use(250, 50)
        await lease.begin_turn(Price(400, 200), first=False)
        assert lease.tokens == 600
        assert await site.left() == [100, 1, 4100, 20_000 - 400 - 1000]
        lease.begun = True
        asked.use(380, 20)
    assert await site.left() == [300, 2, 4300, 20_000 - 630 - 210]


async def test_a_turn_that_is_refused_leaves_what_was_used() -> None:
    """And the request its place, until it is over."""
    site = Site()
    asked, lease = site.ask()
    asked.use(100, 100)
    with pytest.raises(RateLimitReached) as refused, lease:
        await lease.begin_turn(Price(900, 100), first=False)
    assert refused.value.limited_by == "deployment-tokens"
    assert refused.value.refused.left == 800
    assert await site.left() == [800, 2, 4800, 20_000 - 400]


async def test_a_turn_that_ends_unheard_costs_by_what_had_begun() -> None:
    """Nothing before its model was asked or where that failed; else what was reserved."""
    for begun, problem, own in (
        (False, ValueError("?"), 900),
        (True, EngineFailed("?"), 900),
        (True, ValueError("?"), 700),
    ):
        site = Site()
        asked, lease = site.ask()
        asked.use(50, 50)
        await lease.begin_turn(Price(100, 100), first=False)
        lease.begun = begun
        with pytest.raises(type(problem)), lease:
            raise problem
        assert (await site.left())[:2] == [own, 2]


async def test_what_was_only_guessed_stays_reserved() -> None:
    """In each turn."""
    site = Site()
    asked, lease = site.ask()
    asked.guessed = True
    with lease:
        asked.use(10, 10)
        await lease.begin_turn(Price(100, 100), first=False)
        lease.begun = True
        await lease.grow(50)
        asked.use(10, 10)
    assert (await site.left())[:3] == [1000 - 300 - 250, 2, 5000 - 550]


async def test_an_answer_grows_by_what_is_reserved_for_it() -> None:
    """What it did not use is there again; it is charged when it was made."""
    site = Site()
    asked, lease = site.ask(100, None)
    with lease:
        assert lease.grows
        assert lease.tokens == 116
        site.now += 50
        await lease.grow(200)
        assert lease.tokens == 316
        with pytest.raises(RateLimitReached):
            await lease.grow(700)
        asked.use(100, 130)
    assert (await site.left())[:3] == [770, 2, 4770]
    site.now += 15
    assert (await site.left())[0] == LIMIT - (230 - 116)


async def test_in_a_first_turn_only_what_is_missing_is_added() -> None:
    """What tools brought before a model was asked."""
    site = Site()
    asked, lease = site.ask(100, 100)
    with lease:
        await lease.begin_turn(Price(80, 100), first=True)
        assert lease.tokens == 200
        await lease.begin_turn(Price(300, 100), first=True)
        assert lease.tokens == 400
        asked.use(250, 100)
    assert (await site.left())[0] == LIMIT - 350


async def test_provisioned_throughput_counts_turns_by_its_weights() -> None:
    """What grows is told when it is over, as on Azure; a turn waits while it is over its rim."""
    site = Site(deployment(provisioned_limits(LIMIT / 60, 1.0)))
    leaky = Bucket(site.own.key, "", "tokens", LIMIT, Window.LEAKY_MINUTE, "", 1.0)
    asked, lease = site.ask(100, 200)
    with lease:
        asked.use(100, 100)
        await lease.begin_turn(Price(300, None), first=False)
        lease.begun = True
        assert (await site.ledger.left([leaky]))[0] == LIMIT - 200 - 300 - 25
        await lease.grow(100)
        asked.use(300, 900)
    assert (await site.ledger.left([leaky]))[0] == LIMIT - 1400
    asked, lease = Asked(1, 1), None
    with pytest.raises(RateLimitReached):
        site.limiter.reserve_now(site.where, asked, (), cost_of)


async def many_turns(asked: Asked, lease: Lease) -> None:
    """More than anybody has."""
    for _ in range(9):
        await lease.begin_turn(Price(60, 40), first=False)
        asked.use(60, 30)


async def test_turns_may_be_lent() -> None:
    """Each by whoever has room for it: together they take no more than there is."""
    where = deployment(RateLimits(100, 10), borrows=True)
    other = deployment(RateLimits(500, 10), "other")
    pools = lending_pools(("s", "east", each) for each in (where, other))
    ledger = MemoryLedger(lambda: 1000.0)
    limiter = Limiter(ledger=LendingLedger(ledger, lambda: pools))
    asked = Asked(40, 40)
    lease = limiter.reserve_now(where, asked)
    assert lease is not None
    with lease:
        asked.use(40, 40)
        for _ in range(4):
            await lease.begin_turn(Price(60, 40), first=False)
            asked.use(60, 30)
        with pytest.raises(RateLimitReached):
            await many_turns(asked, lease)
    buckets = [
        Bucket(f"tokens:{each.id}", "", "tokens", 500, Window.MINUTE) for each in (where, other)
    ]
    left = await ledger.left(buckets)
    assert left[0] == 500 - 80
    assert 0 <= left[1] < 100


async def test_azures_way_adds_the_estimate_of_each_turn() -> None:
    """And an answer without a bound is thought to have 16 tokens, whatever comes."""
    ledger = MemoryLedger(lambda: 1000.0)
    limiter = Limiter("azure", ledger)
    where = deployment(RateLimits(LIMIT, 100))
    asked = Asked(100, None)
    lease = limiter.reserve_now(where, asked)
    assert lease is not None
    assert not lease.grows
    with lease:
        asked.use(10, 10)
        await lease.begin_turn(Price(200, None), first=False)
        asked.use(10, 10)
    fixed = Bucket(f"tokens:{where.id}", "", "tokens", LIMIT, Window.FIXED_MINUTE)
    assert await ledger.left([fixed]) == [LIMIT - 116 - 216]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "turn", "grow", "end", "fail"]),
        st.integers(0, 5),
        st.integers(1, 400),
        st.floats(0.0, 20.0),
    ),
    max_size=60,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
async def test_no_minute_has_more_than_its_limit(steps: list[tuple[str, int, int, float]]) -> None:
    """Whatever comes in whatever order; in the end all is as it was used."""
    site = Site()
    running: list[tuple[Asked, Lease]] = []
    used: list[int] = []

    def run(asked: Asked, lease: Lease, most: int) -> None:
        """The turn uses at most what is reserved for it."""
        tokens = min(most, lease.tokens)
        asked.use(tokens // 2, tokens - tokens // 2)
        used.append(tokens)

    for what, which, amount, pause_s in steps:
        site.now += pause_s
        at = which % len(running) if running else 0
        try:
            if what == "ask" or not running:
                running.append(site.ask(amount, amount if which % 2 else None))
            elif what == "grow":
                await running[at][1].grow(amount)
            elif what == "turn":
                asked, lease = running[at]
                run(asked, lease, amount)
                await lease.begin_turn(Price(amount, amount), first=False)
                lease.begun = True
            else:
                asked, lease = running.pop(at)
                run(asked, lease, amount)
                lease.__exit__(None, EngineFailed("?") if what == "fail" else None, None)
        except RateLimitReached:
            pass
        assert all(left >= 0 for left in await site.left())
    for asked, lease in running:
        run(asked, lease, LIMIT)
        lease.__exit__(None, None, None)
    left = await site.left()
    assert left[0] >= 0
    assert left[1:3] == [2, 5000 - sum(used)]

"""What deployments leave unused is lent, never more than there is, and comes back to its owners."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linarite.controls.quota.lending import LendingLedger
from linarite.controls.quota.limiter import Limiter
from linarite.controls.quota.memory_ledger import MemoryLedger
from linarite.domain.facts import Deployment, Model, Sku
from linarite.domain.ledger import Window
from linarite.domain.lending import lending_pools
from linarite.domain.quota import Price
from linarite.domain.quota_errors import LedgerUnavailable, RateLimitReached
from linarite.domain.rate_limits import RateLimits
from linarite.domain.usage import Usage, usage_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.ledger import Bucket

pytestmark = pytest.mark.anyio

MINUTE_S = 61.0
"""what is forgotten by parts is forgotten up to a part late"""


def deployment(
    name: str,
    tokens: int,
    *,
    borrows: bool = False,
    model: str = "m",
    requests: int = 1000,
    window: Window = Window.TEN_SECONDS,
) -> Deployment:
    """With so many tokens a minute, and any number of requests that a test makes."""
    return Deployment(
        name=name,
        id=f"/subscriptions/s/accounts/A/deployments/{name}",
        model=Model(model, "1"),
        sku=Sku("Standard", 1),
        instance="one",
        limits=RateLimits(tokens, requests, requests_window=window),
        borrows=borrows,
    )


class Asked:
    """A request that takes so much, and is thought to take as much or more."""

    guessed = False

    def __init__(self, tokens: int, thought: int = 0) -> None:
        self.tokens = tokens
        self.thought = thought or tokens

    @property
    def usage(self) -> Usage:
        """All of it."""
        return usage_of(self.tokens, 0)

    def price(self) -> Price:
        """What it is thought to take."""
        return Price(self.thought)


class Served:
    """Deployments under a clock that tests move, and what each was admitted."""

    def __init__(self, *deployments: Deployment) -> None:
        self.now = 1000.0
        pools = lending_pools(("s", "east", each) for each in deployments)
        self.by_name = {each.name: each for each in deployments}
        ledger = LendingLedger(MemoryLedger(lambda: self.now), lambda: pools)
        self.limiter = Limiter(ledger=ledger)
        self.admitted: dict[str, list[tuple[float, int]]] = defaultdict(list)

    async def ask(self, name: str, tokens: int, thought: int = 0) -> bool:
        """Whether a request was let in; it ends at once."""
        asked = (self.by_name[name], Asked(tokens, thought))
        try:
            lease = self.limiter.reserve_now(*asked) or await self.limiter.reserve(*asked)
        except RateLimitReached:
            return False
        with lease:
            self.admitted[name].append((self.now, tokens))
        return True

    def taken(self, since: float, *names: str) -> int:
        """Tokens that were admitted since then, of some or of all."""
        return sum(
            tokens
            for name in names or self.admitted
            for at, tokens in self.admitted[name]
            if at > since
        )


async def test_idle_capacity_is_lent_and_only_to_those_who_may() -> None:
    """All that the pool has; a deployment that does not borrow keeps to its own rate."""
    served = Served(deployment("a", 100, borrows=True), deployment("b", 300))
    assert [await served.ask("a", 100) for _ in range(5)] == [True, True, True, True, False]
    served.now += MINUTE_S
    assert [await served.ask("b", 100) for _ in range(4)] == [True, True, True, False]


async def test_another_pool_lends_nothing() -> None:
    """Of another model; nor is there anything to borrow alone."""
    served = Served(deployment("a", 100, borrows=True), deployment("b", 300, model="other"))
    assert [await served.ask("a", 100) for _ in range(2)] == [True, False]


async def test_who_comes_back_has_its_own_within_a_minute() -> None:
    """And keeps it as long as it asks, however much others would borrow."""
    served = Served(deployment("a", 100, borrows=True), deployment("b", 300))
    assert [await served.ask("a", 100) for _ in range(4)] == [True] * 4
    assert not await served.ask("b", 100)
    served.now += MINUTE_S / 2
    assert not await served.ask("a", 100)
    assert not await served.ask("b", 100)
    served.now += MINUTE_S / 2
    assert [await served.ask("a", 100) for _ in range(2)] == [True, False]
    assert [await served.ask("b", 100) for _ in range(4)] == [True, True, True, False]


async def test_who_is_active_lends_nothing() -> None:
    """However little it uses: all of its rate is there for it at any time."""
    served = Served(deployment("a", 100, borrows=True), deployment("b", 300), deployment("c", 50))
    assert await served.ask("b", 10)
    assert [await served.ask("a", 50) for _ in range(4)] == [True, True, True, False]
    assert await served.ask("b", 290)
    served.now += MINUTE_S
    assert await served.ask("a", 50)
    assert [await served.ask("a", 200), await served.ask("a", 200)] == [True, False]


async def test_the_refusal_of_one_that_has_lent_says_why() -> None:
    """Its own rate is used up, and not by itself."""
    served = Served(deployment("a", 100, borrows=True), deployment("b", 300))
    for _ in range(4):
        await served.ask("a", 100)
    with pytest.raises(RateLimitReached) as refused:
        await served.limiter.reserve(served.by_name["b"], Asked(100))
    assert refused.value.limited_by == "deployment-tokens"
    assert "comes back within a minute" in str(refused.value.hint)


async def test_what_a_borrower_did_not_use_is_there_again() -> None:
    """As for any request: what was reserved is settled at what it took."""
    served = Served(deployment("a", 100, borrows=True), deployment("b", 300))
    assert await served.ask("a", 100)
    for thought in (300, 260, 220):
        assert await served.ask("a", 40, thought=thought)
    assert not await served.ask("a", 40, thought=220)


@pytest.mark.parametrize(("window", "span_s"), [(Window.SECOND, 1), (Window.TEN_SECONDS, 10)])
async def test_requests_are_lent_over_their_window(window: Window, span_s: int) -> None:
    """As many as the lender has in it, and again in the next."""
    served = Served(
        deployment("a", 1000, borrows=True, requests=2, window=window),
        deployment("b", 1000, requests=3, window=window),
    )
    for _ in range(2):
        assert [await served.ask("a", 1) for _ in range(6)] == [True] * 5 + [False]
        served.now += span_s * 1.02


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.integers(min_value=1, max_value=120),
        st.floats(min_value=0.0, max_value=20.0),
    ),
    max_size=120,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
async def test_all_never_take_more_than_there_is(steps: list[tuple[str, int, float]]) -> None:
    """In no minute, whoever borrows from whom."""
    served = Served(
        deployment("a", 100, borrows=True),
        deployment("b", 200, borrows=True),
        deployment("c", 300),
    )
    for name, tokens, pause_s in steps:
        served.now += pause_s
        await served.ask(name, tokens)
        assert served.taken(served.now - 60) <= 600


@settings(max_examples=60, deadline=None)
@given(STEPS)
async def test_an_owner_that_keeps_asking_has_its_own(steps: list[tuple[str, int, float]]) -> None:
    """From a minute after it began to ask, never refused while it stays within its rate."""
    served = Served(
        deployment("a", 100, borrows=True),
        deployment("b", 200, borrows=True),
        deployment("c", 60),
    )
    began, last = None, None
    for name, tokens, pause_s in steps:
        served.now += pause_s
        if name != "c":
            await served.ask(name, tokens)
            continue
        if last is None or served.now - last >= 60:
            began = served.now
        last = served.now
        wanted = 1 + tokens % 40
        within = served.taken(served.now - MINUTE_S, "c") + wanted <= 60
        let_in = await served.ask("c", wanted)
        if within and served.now - (began or 0) > MINUTE_S:
            assert let_in


async def test_while_the_store_is_away_nothing_is_borrowed() -> None:
    """Where each server then counts for itself nobody can tell who is idle: the rate holds."""

    class Apart(MemoryLedger):
        async def left(self, buckets: Sequence[Bucket]) -> list[int]:
            del buckets
            raise LedgerUnavailable("away")

    served = Served(deployment("a", 100, borrows=True), deployment("b", 300))
    pools = lending_pools(("s", "east", each) for each in served.by_name.values())
    served.limiter = Limiter(ledger=LendingLedger(Apart(lambda: 1000.0), lambda: pools))
    assert [await served.ask("a", 100) for _ in range(2)] == [True, False]

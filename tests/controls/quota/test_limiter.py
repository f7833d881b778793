"""The limiter over a deployment's own rate and the limits beside it."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.controls.quota import Limiter, MemoryLedger
from linarite.domain.errors import ServiceUnavailable
from linarite.domain.facts import Deployment, Model, Sku
from linarite.domain.ledger import SLIDING_S, Bucket, Window
from linarite.domain.quota import Price
from linarite.domain.quota_errors import RateLimitReached
from linarite.domain.rate_limits import RateLimits, rate_limits
from linarite.domain.usage import Usage, usage_of


class Asked:
    """A request of 300 tokens, of which 200 are the answer's."""

    guessed = False

    usage: Usage | None = None

    def price(self) -> Price:
        """The estimate."""
        return Price(100, 200)


def deployment(capacity: int = 1) -> Deployment:
    """One of so many thousand tokens a minute."""
    return Deployment(
        name="chat",
        model=Model("gpt-5", "1"),
        sku=Sku("Standard", capacity),
        instance="one",
        id="/accounts/a/deployments/chat",
        limits=rate_limits("gpt-5", capacity) if capacity else None,
    )


@pytest.mark.parametrize("window", [Window.SECOND, Window.TEN_SECONDS])
@given(st.lists(st.floats(0.0, 3.0), max_size=60))
def test_no_window_has_more_requests_than_its_limit(window: Window, pauses: list[float]) -> None:
    """Wherever it begins; and who waits as long as he is told is let in."""
    now = 1000.0
    limiter = Limiter(ledger=MemoryLedger(lambda: now))
    limits = RateLimits(1_000_000, 3, requests_window=window)
    where = msgspec.structs.replace(deployment(), limits=limits)
    admitted: list[float] = []
    told = {f"window={window.value}"}
    for pause_s in pauses:
        now += pause_s
        try:
            lease = limiter.reserve_now(where, Asked())
        except RateLimitReached as problem:
            told.add(problem.headers["x-ratelimit-reason"].split("; ")[2])
            now += problem.refused.wait_s + 1e-6
            lease = limiter.reserve_now(where, Asked())
        assert lease is not None
        assert f"x-ratelimit-reset-requests: {SLIDING_S[window]:.0f}\r\n".encode() in lease.lines
        admitted.append(now)
        assert sum(at > now - SLIDING_S[window] for at in admitted) <= 3
    assert len(told) == 1


ACCOUNT = Bucket("account:a", "account-tokens", "tokens", 500, Window.MINUTE)
PLACES = Bucket("places:k", "key-concurrent", "concurrent", 1, Window.HELD)
BUDGET = Bucket("budget:k", "key-cost", "cost", 1000, Window.MONTH, "raise the budget of 'k'")


def cost_of(usage: Usage) -> int:
    """Two for each token of an answer."""
    return 2 * usage.completion_tokens


@pytest.mark.anyio
async def test_all_limits_are_charged_or_none() -> None:
    """The refusal names the one that refused; the others are as they were."""
    ledger = MemoryLedger(lambda: 1000.0)
    limiter = Limiter(ledger=ledger)
    where = deployment()
    lease = limiter.reserve_now(where, Asked(), (ACCOUNT, BUDGET), cost_of)
    assert lease is not None
    assert b"x-ratelimit-remaining-tokens: 700\r\n" in lease.lines
    with pytest.raises(RateLimitReached) as refused:
        limiter.reserve_now(where, Asked(), (ACCOUNT, BUDGET), cost_of)
    problem = refused.value
    assert problem.limited_by == "account-tokens"
    assert problem.headers["x-ratelimit-reason"] == (
        "account-tokens; limit=500; window=60s; charged=300; left=200"
    )
    assert problem.headers["x-ratelimit-remaining-tokens"] == "700"
    assert "the token rate limit account-tokens" in problem.message
    assert await ledger.left([ACCOUNT, BUDGET]) == [200, 600]


@pytest.mark.anyio
async def test_each_limit_is_settled_by_what_it_counts() -> None:
    """Tokens, places and money; the request has been made, whatever came of it."""
    ledger = MemoryLedger(lambda: 1000.0)
    limiter = Limiter(ledger=ledger)
    asked = Asked()
    lease = limiter.reserve_now(deployment(), asked, (ACCOUNT, PLACES, BUDGET), cost_of)
    assert lease is not None
    assert await ledger.left([ACCOUNT, PLACES, BUDGET]) == [200, 0, 600]
    with lease:
        asked.usage = usage_of(100, 7)
    assert await ledger.left([ACCOUNT, PLACES, BUDGET]) == [393, 1, 986]


@pytest.mark.anyio
async def test_who_was_refused_before_any_work_took_nothing() -> None:
    """Where nobody knows what was used all stays charged, but the place."""
    for problem, begun, left in (
        (ServiceUnavailable("full"), False, 500),
        (asyncio.CancelledError(), False, 500),
        (ValueError("?"), True, 200),
    ):
        ledger = MemoryLedger(lambda: 1000.0)
        limiter = Limiter(ledger=ledger)
        lease = limiter.reserve_now(deployment(), Asked(), (ACCOUNT, PLACES), cost_of)
        assert lease is not None
        lease.begun = begun
        with pytest.raises(type(problem)), lease:
            raise problem
        assert await ledger.left([ACCOUNT, PLACES]) == [left, 1]


def test_a_deployment_without_a_rate_is_held_to_the_limits_beside() -> None:
    """And where rates of deployments are off; headers tell of those rates alone."""
    for limiter, where in ((Limiter(), deployment(0)), (Limiter("off"), deployment())):
        lease = limiter.reserve_now(where, Asked(), (PLACES,))
        assert lease is not None
        assert lease.lines == b""
        with lease, pytest.raises(RateLimitReached) as refused:
            limiter.reserve_now(where, Asked(), (PLACES,))
        assert refused.value.limited_by == "key-concurrent"
        assert refused.value.headers["retry-after"] == "1"
        assert "x-ratelimit-limit-tokens" not in refused.value.headers
        assert limiter.reserve_now(where, Asked(), (PLACES,)) is not None


def test_the_limit_with_the_longest_wait_is_named() -> None:
    """Waiting for another would be in vain; official clients are told not to wait for days."""
    day = Bucket("day:k", "key-tokens", "tokens", 400, Window.DAY, "raise the quota of 'k'")
    midnight = 86_400.0 * 20_000
    limiter = Limiter(ledger=MemoryLedger(lambda: 1000.0, lambda: midnight - 3600))
    where = deployment()
    small = Bucket("account:b", "account-tokens", "tokens", 500, Window.MINUTE)
    limiter.reserve_now(where, Asked(), (small, day))
    with pytest.raises(RateLimitReached) as refused:
        limiter.reserve_now(where, Asked(), (small, day))
    problem = refused.value
    assert problem.headers["retry-after"] == "3600"
    assert problem.headers["x-should-retry"] == "false"
    assert problem.headers["x-ratelimit-reason"].startswith("key-tokens; limit=400; window=day;")
    assert "the token quota key-tokens" in problem.message
    assert problem.hint == {
        "code": "RateLimitReached",
        "message": "To be let in sooner, raise the quota of 'k'.",
    }

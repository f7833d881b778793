"""Provisioned throughput: the estimate, its correction, the exact wait, and a change of SKU."""

from __future__ import annotations

import pytest

from linarite.controls.quota import Limiter, MemoryLedger
from linarite.domain.facts import Deployment, Model, Sku
from linarite.domain.quota import Price
from linarite.domain.quota_errors import RateLimitReached
from linarite.domain.rate_limits import provisioned_limits, rate_limits
from linarite.domain.usage import Usage, usage_of


class Clock:
    """A clock that tests move."""

    now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Asked:
    """A request that says what it may take, and then what it took."""

    guessed = False

    def __init__(self, prompt: int, bound: int | None) -> None:
        self.usage: Usage | None = None
        self._price = Price(prompt, bound)

    def price(self) -> Price:
        """The estimate."""
        return self._price


def provisioned(tokens_per_second: float = 10.0, weight: float = 4.0) -> Deployment:
    """A bucket of 2,400 tokens of prompts, unless told otherwise."""
    return Deployment(
        name="ptu",
        model=Model("gpt-5", "1"),
        sku=Sku("ProvisionedManaged", 10),
        instance="one",
        id="/accounts/a/deployments/ptu",
        limits=provisioned_limits(tokens_per_second, weight),
    )


def standard(capacity: int = 1) -> Deployment:
    """The same deployment as one that pays by the token."""
    return Deployment(
        name="ptu",
        model=Model("gpt-5", "1"),
        sku=Sku("Standard", capacity),
        instance="one",
        id="/accounts/a/deployments/ptu",
        limits=rate_limits("gpt-5", capacity),
    )


class Bench:
    """A limiter whose time stands still."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.limiter = Limiter(ledger=MemoryLedger(self.clock))

    def utilization(self, where: Deployment, prompt: int, bound: int | None) -> float:
        """What an answer tells: the request counts itself."""
        lease = self.limiter.reserve_now(where, Asked(prompt, bound))
        assert lease is not None
        name, _, value = lease.lines.decode().strip().partition(": ")
        assert name == "azure-openai-deployment-utilization"
        return float(value.removesuffix("%"))

    def run(self, where: Deployment, prompt: int, bound: int | None, used: Usage) -> None:
        """One request from its beginning to its end."""
        asked = Asked(prompt, bound)
        lease = self.limiter.reserve_now(where, asked)
        assert lease is not None
        with lease:
            asked.usage = used

    def refusal(self, where: Deployment) -> RateLimitReached:
        """Why a small request is not let in."""
        with pytest.raises(RateLimitReached) as refused:
            self.limiter.reserve_now(where, Asked(1, 0))
        return refused.value


def test_output_has_its_weight() -> None:
    """In the estimate and in what is charged in the end."""
    bench, where = Bench(), provisioned()
    bench.run(where, 400, 100, usage_of(200, 50))
    assert bench.utilization(where, 400, 100) == pytest.approx((400 + 800) / 24, abs=0.06)


def test_cached_tokens_cost_nothing() -> None:
    """Up to the whole prompt."""
    bench, where = Bench(), provisioned()
    bench.run(where, 1000, 10, usage_of(1000, 10, 1000))
    bench.clock.now += 1  # 40 tokens drain in a second
    assert bench.utilization(where, 0, 0) == pytest.approx(1 / 24, abs=0.06)


def test_the_estimate_learns_how_much_is_found_in_the_cache() -> None:
    """A deployment whose prompts are mostly known is not refused for prompts that cost nothing."""
    bench, where = Bench(), provisioned()
    assert bench.utilization(where, 1200, 0) == 50.0
    for _ in range(60):
        bench.clock.now += 60
        bench.run(where, 1000, 0, usage_of(1000, 0, 900))
    bench.clock.now += 60
    assert bench.utilization(where, 1200, 0) == pytest.approx(5.0, abs=0.6)


def test_the_wait_is_exact() -> None:
    """A thousandth of a second earlier it is still too early; then it is let in."""
    bench, where = Bench(), provisioned()
    bench.run(where, 1000, 0, usage_of(1900, 0))
    bench.run(where, 1000, 0, usage_of(1000, 0))  # 500 over the rim, 40 a second
    refusal = bench.refusal(where)
    assert refusal.headers["retry-after-ms"] == "12500"
    assert refusal.headers["retry-after"] == "13"
    assert refusal.headers["azure-openai-deployment-utilization"] == "120.8%"
    bench.clock.now += 12.4
    assert bench.refusal(where).headers["retry-after-ms"] == "100"
    bench.clock.now += 0.1
    assert bench.utilization(where, 24, 0) == 101.0


def test_no_cap_but_the_rim() -> None:
    """A burst a little over a hundred per cent is meant."""
    bench, where = Bench(), provisioned()
    assert bench.utilization(where, 2399, 0) == pytest.approx(100.0, abs=0.1)
    assert bench.utilization(where, 1200, 0) == pytest.approx(150.0, abs=0.1)
    bench.refusal(where)


def test_a_change_to_provisioned_forgets_nothing() -> None:
    """What was admitted by the token fills the bucket, but closes it for a minute at most."""
    bench = Bench()
    bench.run(standard(), 400, 0, usage_of(900, 0))
    assert bench.utilization(provisioned(10.0), 0, 0) == pytest.approx(900 / 24, abs=0.1)
    bench = Bench()
    bench.run(standard(), 400, 0, usage_of(900, 0))
    assert bench.refusal(provisioned(0.25)).headers["retry-after-ms"] == "60000"


def test_a_change_to_standard_forgets_nothing() -> None:
    """And what still runs counts where it ends."""
    bench = Bench()
    asked = Asked(300, 0)
    lease = bench.limiter.reserve_now(provisioned(), asked)
    assert lease is not None
    with lease:
        left = bench.limiter.reserve_now(standard(), Asked(100, 0))
        assert left is not None
        assert b"x-ratelimit-remaining-tokens: 600\r\n" in left.lines
        asked.usage = usage_of(800, 0)
    after = bench.limiter.reserve_now(standard(), Asked(1, 0))
    assert after is not None
    assert b"x-ratelimit-remaining-tokens: 99\r\n" in after.lines


def test_back_and_forth_gains_nothing() -> None:
    """However often a SKU is changed within a minute, no more is let in."""
    bench = Bench()
    admitted = 0
    for number in range(40):
        where = standard() if number % 2 else provisioned(1000 / 60, 1.0)
        try:
            bench.run(where, 200, 0, usage_of(200, 0))
        except RateLimitReached:
            continue
        admitted += 200
    assert admitted <= 1200  # the rim may be crossed once

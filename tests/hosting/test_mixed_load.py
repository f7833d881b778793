"""Tenants of all kinds on one simulated instance, for minutes of virtual time: what each gets."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from structlog.testing import capture_logs

from linarite.controls.egress import EgressDialer, EgressPolicy
from linarite.domain.chat import ChatAsk, UserMessage
from linarite.domain.engine import Engine, InstanceSpec, Surroundings
from linarite.domain.quota import Price
from linarite.domain.service_tier import Rank
from linarite.engines import build_engine
from linarite.hosting.fair_queue import SHARES
from linarite.hosting.host import Host
from linarite.hosting.instance import Instance
from linarite.hosting.options import InstanceSettings
from tests.hosting.virtual_time import run_virtually

if TYPE_CHECKING:
    from linarite.domain.usage import Usage

PACE = {
    "seed": 1,
    "parallel_requests": 4,
    "time_to_first_token_ms": 50,
    "tokens_per_second": 100,
    "jitter": 0.3,
}
LOAD_S = 600.0


class Tenant(NamedTuple):
    """One who asks again as soon as there is an answer, from so many clients at once."""

    account: str
    rank: Rank = Rank.DEFAULT
    clients: int = 12
    prompt_words: int = 10
    max_tokens: int | None = 60


class Asked:
    """What a request may take, and what it took."""

    guessed = False

    def __init__(self, tenant: Tenant) -> None:
        self.usage: Usage | None = None
        self._price = Price(tenant.prompt_words, tenant.max_tokens)

    def price(self) -> Price:
        """The estimate."""
        return self._price


async def build(spec: InstanceSpec) -> Engine:
    """The simulator."""
    dialer = EgressDialer(EgressPolicy())
    return build_engine(spec, Surroundings(scratch=Path(), dialer=dialer, threads=1))


def shares_of(*tenants: Tenant) -> dict[Tenant, float]:
    """What part of all tokens each of them gets."""
    tokens: Counter[Tenant] = Counter()

    async def client(host: Host, tenant: Tenant) -> None:
        words = " ".join(["word"] * tenant.prompt_words)
        ask = ChatAsk(messages=[UserMessage(content=words)], max_tokens=tenant.max_tokens)
        while True:
            asked = Asked(tenant)
            place = host.slot("one", tenant.rank, tenant.account, asked)
            slot = place.take() or await place.enter()
            try:
                async for event in slot.engine.chat(ask):
                    asked.usage = event.usage or asked.usage
            finally:
                place.leave()
            assert asked.usage is not None
            tokens[tenant] += asked.usage.total_tokens

    async def load() -> None:
        spec = InstanceSpec(name="one", engine="simulator", model="m", options=PACE)
        policy = InstanceSettings(queue_max=1000, queue_wait_s=3600.0)
        host = Host({"one": Instance(spec, build, policy)})
        every = [
            asyncio.create_task(client(host, tenant))
            for tenant in tenants
            for _ in range(tenant.clients)
        ]
        done, _ = await asyncio.wait(every, timeout=LOAD_S)
        assert not done
        for each in every:
            each.cancel()
        await asyncio.gather(*every, return_exceptions=True)
        await host.stop(0)

    with capture_logs():
        run_virtually(load())
    total = tokens.total()
    assert total > LOAD_S * 200, "the instance had little to do"
    return {tenant: tokens[tenant] / total for tenant in tenants}


def test_accounts_share_alike() -> None:
    """Many clients or few, long prompts or long answers, bounded or not: each within five percent.

    Who bounds its answers by nothing is estimated wrongly and put right afterwards.
    """
    shares = shares_of(
        Tenant("many clients", clients=60),
        Tenant("long prompts", prompt_words=400, max_tokens=5),
        Tenant("long answers", max_tokens=400),
        Tenant("no bound", max_tokens=None),
        Tenant("claims much", max_tokens=8000),
    )
    for tenant, share in shares.items():
        assert share == pytest.approx(1 / 5, rel=0.05), tenant.account


def test_classes_have_their_shares_and_accounts_in_them_too() -> None:
    """Two accounts in each class, and each class wants everything."""
    tenants = [
        Tenant(account, rank, clients=24, max_tokens=max_tokens)
        for rank in Rank
        for account, max_tokens in (("a", 40), ("b", 90))
    ]
    shares = shares_of(*tenants)
    for tenant in tenants:
        assert shares[tenant] == pytest.approx(SHARES[tenant.rank] / 2, rel=0.05), tenant


def test_what_a_class_does_not_want_goes_to_the_first() -> None:
    """Flex beside priority: its least share, and all the rest is priority's."""
    priority = Tenant("a", Rank.PRIORITY, clients=24)
    flex = Tenant("b", Rank.FLEX, clients=24)
    shares = shares_of(priority, flex)
    assert shares[flex] == pytest.approx(SHARES[Rank.FLEX], rel=0.05)
    assert shares[priority] == pytest.approx(1 - SHARES[Rank.FLEX], rel=0.01)


def test_an_account_that_wants_little_gets_it_and_waits_little() -> None:
    """One client against sixty: it never waits for more than the requests that run."""
    modest = Tenant("modest", clients=1, max_tokens=20)
    shares = shares_of(modest, Tenant("greedy", clients=60, max_tokens=200))
    # A place becomes free every quarter of a second; in turn with sixty it would get a hundredth.
    assert shares[modest] > 0.06

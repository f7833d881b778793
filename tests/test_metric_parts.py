"""What a whole server's metrics are fed with."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from linarite.controls.quota import Limiter
from linarite.domain.azure_metrics.grains import GrainQuery
from linarite.domain.facts import Account, Deployment, Facts, Model, Sku
from linarite.domain.quota import Price
from linarite.domain.rate_limits import provisioned_limits, rate_limits
from linarite.metric_parts import MetricParts
from linarite.setting_tree import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.domain.rate_limits import RateLimits
    from linarite.domain.usage import Usage

pytestmark = pytest.mark.anyio

ID = "/subscriptions/s/accounts/A"


def deployment(name: str, sku: str, limits: RateLimits) -> Deployment:
    """A deployment with a rate."""
    model = Model(name="gpt-4o", version="1")
    return Deployment(
        name=name, model=model, sku=Sku(name=sku), instance="i", id=f"{ID}/{name}", limits=limits
    )


class Asked:
    """A request of so many tokens."""

    guessed = False

    usage: Usage | None = None

    def price(self) -> Price:
        """300 tokens of prompt and none of answer."""
        return Price(prompt_tokens=300)


async def test_the_use_of_provisioned_throughput_is_looked_at(tmp_path: Path) -> None:
    """Of provisioned deployments, and of no others."""
    ptu = deployment("ptu", "GlobalProvisionedManaged", provisioned_limits(20.0))
    standard = deployment("std", "GlobalStandard", rate_limits("gpt-4o", 10))
    facts = Facts(
        account=Account(id=ID, name="A", location="local", region_title="Local"),
        deployments={each.name: each for each in (ptu, standard)},
    )
    limiter, parts = Limiter(), MetricParts(Settings(), tmp_path)
    parts.measure_provisioned(lambda: [facts], limiter)
    for where in (ptu, standard):
        limiter.reserve_now(where, Asked())
    await parts.recorder.sample()
    now = int(time.time())
    (found,) = await parts.recorder.read(GrainQuery(ID.lower(), now - 120, now + 60))
    assert (found.series.deployment, found.series.region) == ("ptu", "Local")
    assert found.tally.utilization.count == 1
    assert found.tally.utilization.total == pytest.approx(25, abs=2)
    assert await limiter.utilization(standard) is None
    await parts.recorder.stop()

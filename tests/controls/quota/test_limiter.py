"""The limiter over many deployments."""

from __future__ import annotations

import pytest

from linarite.controls.quota import Limiter
from linarite.controls.quota import limiter as limiter_module
from linarite.domain.facts import Deployment, Model, Sku
from linarite.domain.quota import Price
from linarite.domain.quota_errors import RateLimitReached
from linarite.domain.rate_limits import rate_limits


class Asked:
    """A request of 500 tokens."""

    usage = None

    def price(self) -> Price:
        """The estimate."""
        return Price(500)


def deployment(name: str) -> Deployment:
    """One of a thousand tokens a minute."""
    return Deployment(
        name=name,
        model=Model("gpt-4o", "1"),
        sku=Sku("Standard", 1),
        instance="one",
        id=f"/accounts/a/deployments/{name}",
        limits=rate_limits("gpt-4o", 1),
    )


def test_what_has_nothing_to_remember_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been admitted lately is not, however many deployments come."""
    monkeypatch.setattr(limiter_module, "KEPT_MAX", 3)
    now = [1000.0]
    limiter = Limiter(clock=lambda: now[0])
    for name in ("a", "b", "c"):
        limiter.reserve(deployment(name), Asked())
    now[0] += 100
    limiter.reserve(deployment("busy"), Asked())
    assert set(limiter._by_deployment) == {"/accounts/a/deployments/busy"}
    for name in ("d", "e", "f"):
        limiter.reserve(deployment(name), Asked())
    with pytest.raises(RateLimitReached):
        limiter.reserve(deployment("BUSY"), Asked())

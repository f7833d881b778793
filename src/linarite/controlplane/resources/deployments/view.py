"""A deployment as clients read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controlplane.resources.deployments.rules import offer_of
from linarite.domain.ledger import SLIDING_S
from linarite.domain.rate_limits import rate_limits

if TYPE_CHECKING:
    from linarite.controlplane.surface import Showing
    from linarite.domain.resource import Resource


def show(deployment: Resource, showing: Showing) -> dict[str, Any]:
    """The stored properties and those that follow from them.

    One unit of capacity stands for 1,000 tokens a minute and, by the model, for so many requests.
    """
    offer = offer_of(deployment, showing.assortment)
    capacity = int((deployment.sku or {}).get("capacity") or 1)
    model: dict[str, Any] = deployment.properties.get("model") or {}
    limits = rate_limits(str(model.get("name")), capacity, showing.requests_window)
    window_s = int(SLIDING_S[limits.requests_window])
    return deployment.properties | {
        "capabilities": offer.capabilities if offer else {},
        "currentCapacity": capacity,
        "rateLimits": [
            {"key": "request", "renewalPeriod": window_s, "count": limits.requests},
            {"key": "token", "renewalPeriod": 60, "count": limits.tokens},
        ],
    }

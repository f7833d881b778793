"""Models on offer, in a region and for an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controlplane.kinds import ACCOUNT_KINDS, DEPLOYMENT_SKUS
from linarite.controlplane.stocktaking import account_of, quotas_in, require_location
from linarite.controlplane.verbs.list import paged
from linarite.domain.listed_model import shown_lifecycle, written
from linarite.domain.rate_limits import pool_name

if TYPE_CHECKING:
    from datetime import datetime

    from linarite.controlplane.quota import QuotaBook
    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.model_offer import ModelOffer


async def of_location(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Every model once for each kind of account that may deploy it."""
    location = require_location(surface, target)
    book = await quotas_in(surface, location)
    now = surface.now()
    items = [
        (
            f"{offer.name.lower()} {offer.version} {kind}",
            {"kind": kind, "skuName": "S0", "description": "", "model": shown(offer, book, now)},
        )
        for offer in surface.offers.now().offers
        for kind in ACCOUNT_KINDS
    ]
    return paged(sorted(items, key=_key), request, dict)


async def of_account(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Every model that the account may deploy."""
    account = await account_of(surface, target)
    book = await quotas_in(surface, account.location or "")
    now = surface.now()
    items = [
        (f"{offer.name.lower()} {offer.version}", shown(offer, book, now))
        for offer in surface.offers.now().offers
    ]
    return paged(sorted(items, key=_key), request, dict)


def shown(offer: ModelOffer, book: QuotaBook, now: datetime) -> dict[str, Any]:
    """A model as ARM shows it."""
    ends = offer.lifecycle.retired_at
    ending = {"deprecationDate": written(ends)} if ends else {}
    skus = [
        {
            "name": sku,
            "usageName": pool_name(sku, offer.name),
            "capacity": {
                "minimum": 1,
                "maximum": book.pool(sku, offer.name).limit,
                "step": 1,
                "default": 10,
            },
            **ending,
        }
        for sku in DEPLOYMENT_SKUS
    ]
    return {
        "format": offer.format,
        "name": offer.name,
        "version": offer.version,
        "isDefaultVersion": offer.is_default_version,
        "skus": skus,
        "maxCapacity": max(book.pool(sku, offer.name).limit for sku in DEPLOYMENT_SKUS),
        "capabilities": offer.capabilities,
        **shown_lifecycle(offer.lifecycle, now),
        "source": offer.source or None,
    }


def _key(item: tuple[str, dict[str, Any]]) -> str:
    return item[0]

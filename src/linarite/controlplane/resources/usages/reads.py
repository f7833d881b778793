"""What is taken of each quota."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controlplane.kinds import DEPLOYMENT_SKUS
from linarite.controlplane.quota import Pool
from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import account_of, quotas_in, require_location
from linarite.domain.resource import DEPLOYMENT_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface


async def of_location(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Every pool of a region, and the count of accounts."""
    del request
    book = await quotas_in(surface, require_location(surface, target))
    pools = {
        pool.name: pool
        for offer in surface.offers.now().offers
        for sku in DEPLOYMENT_SKUS
        for pool in [book.pool(sku, offer.name)]
    }
    accounts = Pool("AccountCount", "Accounts", book.accounts, surface.quota.accounts_max)
    return Answer(200, {"value": [_shown(pool) for pool in (accounts, *pools.values())]})


async def of_account(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The pools from which the account's deployments draw."""
    del request
    account = await account_of(surface, target)
    book = await quotas_in(surface, account.location or "")
    pools = {
        pool.name: pool
        for deployment in await surface.resources.list_under(account.id, DEPLOYMENT_TYPE)
        for pool in [
            book.pool(
                str((deployment.sku or {}).get("name")),
                str(deployment.properties["model"]["name"]),
            )
        ]
    }
    return Answer(200, {"value": [_shown(pool) for pool in pools.values()]})


def _shown(pool: Pool) -> dict[str, Any]:
    return {
        "name": {"value": pool.name, "localizedValue": pool.title},
        "unit": "Count",
        "currentValue": pool.used,
        "limit": pool.limit,
    }

"""SKUs: of the subscription, of an account, of a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.kinds import ACCOUNT_KINDS, DEPLOYMENT_SKUS
from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import account_of, quotas_in, require_subscription
from linarite.domain.arm_errors import resource_not_found
from linarite.domain.resource import ACCOUNT_TYPE, DEPLOYMENT_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface


async def of_subscription(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The kinds of accounts with their SKU."""
    del request
    require_subscription(surface, target)
    value = [
        {
            "resourceType": "accounts",
            "name": "S0",
            "tier": "Standard",
            "kind": kind,
            "locations": list(surface.realm.locations),
            "restrictions": [],
        }
        for kind in ACCOUNT_KINDS
    ]
    return Answer(200, {"value": value})


async def of_account(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """What the account could be changed to."""
    del request
    await account_of(surface, target)
    return Answer(
        200, {"value": [{"resourceType": ACCOUNT_TYPE, "sku": {"name": "S0", "tier": "Standard"}}]}
    )


async def of_deployment(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """What the deployment could be changed to, and how far each type can be scaled."""
    del request
    account = await account_of(surface, target)
    deployment = await surface.resources.get(f"{account.id}/deployments/{target['deployment']}")
    if deployment is None:
        name = f"{target['account']}/{target['deployment']}"
        raise resource_not_found(DEPLOYMENT_TYPE, name, target["resource_group"])
    book = await quotas_in(surface, account.location or "")
    model = str(deployment.properties["model"]["name"])
    value = [
        {
            "resourceType": DEPLOYMENT_TYPE,
            "sku": {"name": sku},
            "capacity": {
                "minimum": 1,
                "maximum": book.pool(sku, model, without=deployment.id).free,
                "step": 1,
                "default": 10,
            },
        }
        for sku in DEPLOYMENT_SKUS
    ]
    return Answer(200, {"value": value})

"""What deployments need from the stores, and when one stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.resources.deployments.rules import DeploymentFacts
from linarite.controlplane.stocktaking import quotas_in
from linarite.domain.arm_id import parent_id
from linarite.domain.declared import is_declared, settled_by_settings
from linarite.domain.placement import sku_of
from linarite.domain.resource import DEPLOYMENT_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.arm_errors import Problem
    from linarite.domain.resource import Resource


async def gather(surface: Surface, target: Target) -> DeploymentFacts:
    """The models on offer and the account's other deployments."""
    account = await surface.resources.get(parent_id(target.path))
    siblings = await surface.resources.list_under(parent_id(target.path), DEPLOYMENT_TYPE)
    return DeploymentFacts(
        assortment=surface.offers.now(),
        book=await quotas_in(surface, (account.location if account else None) or ""),
        now=surface.now(),
        siblings={each.name.lower(): sku_of(each) for each in siblings},
    )


async def keep(surface: Surface, deployment: Resource) -> list[Problem]:
    """A deployment that settings declare stays."""
    del surface
    if not is_declared(deployment):
        return []
    return [settled_by_settings(deployment, f'[[deployments]] name = "{deployment.name}"')]

"""How a deployment's requests are served: its tier, and who stands in for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.arm_errors import Problem
from linarite.domain.placement import sku_of
from linarite.domain.service_tier import PRIORITY, PRIORITY_SKUS
from linarite.domain.spillover import TAKEN_BY, takes_spillover_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.domain.facts import Sku
    from linarite.domain.resource import Resource

SPILLOVER = "properties.spilloverDeploymentName"
DYNAMIC = "properties.dynamicThrottlingEnabled"


def spillover_problems(new: Resource, siblings: Mapping[str, Sku]) -> list[Problem]:
    """From a provisioned deployment to a standard one of the account that reaches as far."""
    said = str(new.properties.get("spilloverDeploymentName") or "")
    if not said:
        return []
    wanted, sku = said[:100], sku_of(new)
    if not sku.provisioned:
        return [
            Problem(
                "InvalidResourceProperties",
                f"Only provisioned deployments spill over; the SKU of '{new.name}' is {sku.name}. "
                f"Leave {SPILLOVER} out.",
                SPILLOVER,
            )
        ]
    found = siblings.get(said.lower())
    if found is None:
        return [
            Problem(
                "SpilloverDeploymentNotFound",
                f"The account has no deployment '{wanted}' to spill over to.",
                SPILLOVER,
            )
        ]
    if said.lower() == new.name.lower() or not takes_spillover_of(found, sku):
        return [
            Problem(
                "InvalidSpilloverDeployment",
                f"The deployment '{wanted}' can't take what '{new.name}' spills over: a deployment "
                f"of the SKU {sku.name} spills over to one of the SKU {TAKEN_BY[sku.name]}, and "
                f"that one's is {found.name}.",
                SPILLOVER,
            )
        ]
    return []


def tier_problems(new: Resource) -> list[Problem]:
    """Priority where there is any."""
    said, sku = str(new.properties.get("serviceTier") or ""), sku_of(new)
    if said.lower() != PRIORITY or sku.name in PRIORITY_SKUS:
        return []
    return [
        Problem(
            "InvalidResourceProperties",
            f"The service tier Priority is for deployments of the SKUs "
            f"{', '.join(sorted(PRIORITY_SKUS))}; the SKU of '{new.name}' is {sku.name}.",
            "properties.serviceTier",
        )
    ]


def lending_problems(new: Resource) -> list[Problem]:
    """Reserved throughput is nobody else's: it neither lends nor borrows."""
    sku = sku_of(new)
    if new.properties.get("dynamicThrottlingEnabled") is not True or not sku.provisioned:
        return []
    return [
        Problem(
            "InvalidResourceProperties",
            f"Dynamic quota is for deployments that are paid by the token; the SKU of "
            f"'{new.name}' is {sku.name}. Leave {DYNAMIC} out, or name a spilloverDeploymentName.",
            DYNAMIC,
        )
    ]

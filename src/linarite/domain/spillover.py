"""Which deployment may serve what a provisioned one refuses.

Source: learn.microsoft.com, "Manage traffic with spillover for provisioned deployments": a standard
deployment of the same resource whose prompts may go exactly as far.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linarite.domain.facts import Sku

TAKEN_BY = {
    "ProvisionedManaged": "Standard",
    "GlobalProvisionedManaged": "GlobalStandard",
    "DataZoneProvisionedManaged": "DataZoneStandard",
}
"""the type of deployment to which each provisioned one spills over"""


def takes_spillover_of(sku: Sku, provisioned: Sku) -> bool:
    """Whether a deployment of one SKU may serve what one of another refuses."""
    return TAKEN_BY.get(provisioned.name) == sku.name

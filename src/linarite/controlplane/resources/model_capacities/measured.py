"""What instances have been seen to do on this hardware, and how much of it nobody has reserved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.calibration import CALIBRATION_TYPE, known_output_weight
from linarite.domain.facts import Model
from linarite.domain.placement import PLACEMENT_TYPE, deployment_id_of, placement_of
from linarite.domain.resource import DEPLOYMENT_TYPE
from linarite.domain.upgrades import model_of

if TYPE_CHECKING:
    from linarite.controlplane.surface import Surface
    from linarite.domain.model_offer import ModelOffer
    from linarite.domain.resource import Resource


async def unreserved_units(surface: Surface, offer: ModelOffer) -> int | None:
    """The provisioned units that one instance of a model version could still give.

    None where no instance of it has been measured: then nobody knows.
    """
    deployments = {
        each.id.lower(): each for each in await surface.resources.list_under("", DEPLOYMENT_TYPE)
    }
    measured: dict[str, float] = {}
    reserved: dict[str, float] = {}
    for kept in await surface.resources.list_under("", PLACEMENT_TYPE):
        placed = placement_of(kept)
        reserved[placed.instance] = reserved.get(placed.instance, 0.0) + placed.reserved
        deployment = deployments.get(deployment_id_of(kept).lower())
        if placed.measured is not None and deployment is not None and _is_of(deployment, offer):
            measured[placed.instance] = placed.measured.tokens_per_second
    left = [
        max(0.0, able - reserved[instance]) / surface.tokens_per_second_per_ptu
        for instance, able in measured.items()
    ]
    return int(max(left)) if left else None


async def output_weight(surface: Surface, offer: ModelOffer) -> float:
    """Tokens of a prompt that one of output counts as."""
    kept = await surface.resources.list_under("", CALIBRATION_TYPE)
    return known_output_weight(kept, Model(name=offer.name, version=offer.version))


def _is_of(deployment: Resource, offer: ModelOffer) -> bool:
    model = model_of(deployment)
    return (model.name.lower(), model.version.lower()) == (
        offer.name.lower(),
        offer.version.lower(),
    )

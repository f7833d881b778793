"""What is left of each quota, and how much a workload would need."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.kinds import DEPLOYMENT_SKUS
from linarite.controlplane.problems import shape_problems
from linarite.controlplane.request import Answer
from linarite.controlplane.resources.model_capacities.measured import (
    output_weight,
    unreserved_units,
)
from linarite.controlplane.stocktaking import quotas_in, require_location, require_subscription
from linarite.controlplane.wire import read_object
from linarite.domain.arm_errors import bad_request, refusal
from linarite.domain.calibration import tokens_per_minute_per_ptu
from linarite.domain.rate_limits import TOKENS_A_UNIT, is_provisioned

if TYPE_CHECKING:
    from linarite.controlplane.quota import QuotaBook
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.model_offer import ModelOffer

TYPE = "Microsoft.CognitiveServices/locations/modelCapacities"


class Parameters(msgspec.Struct, rename="camel"):
    """What a call of a workload is like."""

    avg_prompt_tokens: int = 0
    avg_generated_tokens: int = 0


class Workload(msgspec.Struct, rename="camel"):
    """How often it is called."""

    request_per_minute: int = 0
    request_parameters: Parameters = msgspec.field(default_factory=Parameters)


class AskedModel(msgspec.Struct):
    """The model that shall be deployed."""

    format: str | None = None
    name: str | None = None
    version: str | None = None


class Asked(msgspec.Struct, rename="camel"):
    """What calculateModelCapacity takes."""

    sku_name: str | None = None
    model: AskedModel | None = None
    workloads: list[Workload] | None = None


async def of_location(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """What a region has left for a model, by deployment type."""
    return await _left(request, surface, [require_location(surface, target)])


async def of_subscription(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The same for all regions."""
    require_subscription(surface, target)
    return await _left(request, surface, list(surface.realm.locations))


async def calculate(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The units that workloads need: of tokens a minute, or of what an instance does in a second.

    A provisioned unit reserves tokens per second, generated ones. Until the model is calibrated
    tokens of prompts count as much: who reserves so many is on the safe side.
    """
    require_subscription(surface, target)
    sent = read_object(request.body)
    if problems := shape_problems(sent, Asked, ""):
        raise refusal(problems)
    asked = msgspec.convert(sent, Asked)
    offer = _offer(surface, asked.model or AskedModel())
    sku = asked.sku_name or "Standard"
    if sku not in DEPLOYMENT_SKUS:
        raise bad_request(
            "InvalidSkuName",
            f"There is no SKU '{sku[:100]}'. Use one of {', '.join(DEPLOYMENT_SKUS)}.",
            target="skuName",
        )
    a_unit, weight = float(TOKENS_A_UNIT), 1.0
    if is_provisioned(sku):
        weight = await output_weight(surface, offer)
        a_unit = tokens_per_minute_per_ptu(weight, surface.tokens_per_second_per_ptu)
    tokens = sum(
        each.request_per_minute
        * (
            each.request_parameters.avg_prompt_tokens
            + each.request_parameters.avg_generated_tokens * weight
        )
        for each in asked.workloads or []
    )
    units = math.ceil(tokens / a_unit)
    return Answer(
        200,
        {
            "model": _coordinates(offer),
            "skuName": sku,
            "estimatedCapacity": {"value": units, "deployableValue": max(1, units)},
        },
    )


async def _left(request: ArmRequest, surface: Surface, locations: list[str]) -> Answer:
    told = (request.query.get(f"model{word}") for word in ("format", "name", "version"))
    offer = _offer(surface, AskedModel(*told))
    value: list[dict[str, Any]] = []
    unreserved = await unreserved_units(surface, offer)
    for location in locations:
        book = await quotas_in(surface, location)
        scope = f"/subscriptions/{surface.realm.subscription}/providers"
        value += [
            {
                "id": f"{scope}/Microsoft.CognitiveServices/locations/{location}"
                f"/modelCapacities/{offer.format}.{sku}.{offer.name}.{offer.version}",
                "name": f"{offer.format}.{sku}.{offer.name}.{offer.version}",
                "type": TYPE,
                "location": location,
                "properties": {
                    "model": _coordinates(offer),
                    "skuName": sku,
                    "availableCapacity": _available(book, sku, offer, unreserved),
                },
            }
            for sku in DEPLOYMENT_SKUS
        ]
    return Answer(200, {"value": value})


def _available(book: QuotaBook, sku: str, offer: ModelOffer, unreserved: int | None) -> int:
    """What the quota has left; of provisioned types no more than was measured and is not taken."""
    free = book.pool(sku, offer.name).free
    return min(free, unreserved) if is_provisioned(sku) and unreserved is not None else free


def _coordinates(offer: ModelOffer) -> dict[str, str]:
    return {"format": offer.format, "name": offer.name, "version": offer.version}


def _offer(surface: Surface, model: AskedModel) -> ModelOffer:
    found = surface.offers.now().find(
        model_format=model.format or "OpenAI",
        name=model.name or "",
        version=model.version or "",
    )
    if found is None:
        raise bad_request(
            "DeploymentModelNotSupported",
            f"The model 'Format:{(model.format or '')[:50]},"
            f"Name:{(model.name or '')[:100]},Version:{(model.version or '')[:50]}' "
            "is not supported.",
        )
    return found

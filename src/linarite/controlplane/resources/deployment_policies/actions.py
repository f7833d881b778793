"""Whether deployments would comply with the policies that are assigned: none can be, here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import account_of
from linarite.controlplane.wire import read_object
from linarite.domain.arm_errors import content_invalid

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface


class AskedProperties(msgspec.Struct, rename="camel"):
    """What a deployment would be."""

    model: dict[str, Any]
    rai_policy_name: str | None = None


class AskedDeployment(msgspec.Struct):
    """A deployment that may be made."""

    name: str
    properties: AskedProperties


class Asked(msgspec.Struct):
    """What is to be evaluated."""

    deployments: list[AskedDeployment]


async def evaluate(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Each deployment by name, compliant. Raises ArmError."""
    await account_of(surface, target)
    try:
        asked = msgspec.convert(read_object(request.body), Asked)
    except msgspec.ValidationError as problem:
        raise content_invalid(f"The request content was invalid: {problem}.") from None
    results: dict[str, dict[str, Any]] = {
        each.name: {"evaluationOutcome": "Compliant", "nonCompliantAssignments": []}
        for each in asked.deployments
    }
    return Answer(200, {"results": results})

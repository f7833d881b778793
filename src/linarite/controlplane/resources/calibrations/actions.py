"""Starting a calibration, and what calibrations have found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from linarite.controlplane.problems import shape_problems
from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import require_subscription
from linarite.controlplane.verbs.list import paged
from linarite.controlplane.verbs.operation import followed
from linarite.controlplane.wire import read_object
from linarite.domain.arm_errors import refusal, request_conflict, resource_not_found
from linarite.domain.arm_id import parent_id
from linarite.domain.calibration import (
    CALIBRATION_TYPE,
    SECONDS_DEFAULT,
    SECONDS_MAX,
    SECONDS_MIN,
    calibration_of,
    tokens_per_minute_per_ptu,
)
from linarite.domain.jobs import (
    CALIBRATE_DEPLOYMENT,
    CALIBRATION_SECONDS,
    OperationInProgress,
    new_job,
)
from linarite.domain.resource import DEPLOYMENT_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.calibration import Calibration


class Asked(msgspec.Struct):
    """How long it may take."""

    seconds: Annotated[float, Meta(ge=SECONDS_MIN, le=SECONDS_MAX)] = SECONDS_DEFAULT


async def start(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """202, and an operation that ends when the deployment's model is calibrated.

    Nothing else may be done under the account meanwhile: 409 where something is.
    """
    path = target.path.rpartition("/providers/")[0]
    deployment = await surface.resources.get(path)
    if deployment is None:
        raise resource_not_found(DEPLOYMENT_TYPE, target["deployment"], target["resource_group"])
    sent = read_object(request.body) if request.body else {}
    if sent.get("seconds") is None:
        sent.pop("seconds", None)
    if problems := shape_problems(sent, Asked, ""):
        raise refusal(problems)
    job = msgspec.structs.replace(
        new_job(
            CALIBRATE_DEPLOYMENT,
            deployment.id,
            scope=parent_id(deployment.id),
            arguments={CALIBRATION_SECONDS: msgspec.convert(sent, Asked).seconds},
        ),
        correlation_id=request.correlation_id,
    )
    try:
        await surface.resources.commit([], [job])
    except OperationInProgress:
        raise request_conflict(parent_id(deployment.id)) from None
    return followed(Answer(202), "azure-asyncoperation", job, request, surface)


async def of_subscription(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Every model that was calibrated, by id."""
    require_subscription(surface, target)
    items = [
        (kept.id.lower(), _shown(kept.name, calibration_of(kept), surface))
        for kept in await surface.resources.list_under("", CALIBRATION_TYPE)
    ]
    return paged(sorted(items, key=lambda item: item[0]), request, dict)


def _shown(name: str, found: Calibration, surface: Surface) -> dict[str, Any]:
    return {
        "name": name,
        "type": CALIBRATION_TYPE,
        "properties": {
            "model": {"name": found.model, "version": found.version},
            "engine": found.engine,
            "hardware": found.hardware,
            "instance": found.instance,
            "promptTokensPerSecond": found.prompt_tokens_per_second,
            "completionTokensPerSecond": found.tokens_per_second,
            "outputWeight": found.output_weight,
            "tokensPerMinutePerUnit": tokens_per_minute_per_ptu(
                found.output_weight, surface.tokens_per_second_per_ptu
            ),
            "units": int(found.tokens_per_second / surface.tokens_per_second_per_ptu),
            "batches": [
                {
                    "parallelRequests": each.parallel_requests,
                    "tokensPerSecond": each.tokens_per_second,
                }
                for each in found.batches
            ],
            "calibratedAt": found.at,
        },
    }

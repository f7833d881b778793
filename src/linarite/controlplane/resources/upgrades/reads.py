"""What would be upgraded, to what and when: nothing is changed by looking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.stocktaking import require_subscription
from linarite.controlplane.verbs.list import paged
from linarite.domain.listed_model import written
from linarite.domain.resource import DEPLOYMENT_TYPE
from linarite.domain.upgrades import UPGRADE_TO, WAITS_FOR_END, model_of, upgrade_of

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.jobs import Job
    from linarite.domain.model_offer import Assortment
    from linarite.domain.resource import Resource

TYPE = "Linarite.Hosting/upgrades"


async def of_subscription(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Every deployment with its version's future, by id."""
    subscription = require_subscription(surface, target)
    assortment = surface.offers.now()
    items = [
        (deployment.id.lower(), await _shown(deployment, assortment, surface))
        for deployment in await surface.resources.list_under(subscription, DEPLOYMENT_TYPE)
    ]
    return paged(sorted(items, key=lambda item: item[0]), request, dict)


async def _shown(deployment: Resource, assortment: Assortment, surface: Surface) -> dict[str, Any]:
    upgrade = upgrade_of(deployment, assortment, surface.now())
    jobs = [job for job in await surface.jobs.of(deployment.id) if UPGRADE_TO in job.arguments]
    running = bool(jobs) and jobs[0].running
    said = {
        "deploymentId": deployment.id,
        "model": msgspec.to_builtins(model_of(deployment)),
        "versionUpgradeOption": deployment.properties.get("versionUpgradeOption") or WAITS_FOR_END,
        "state": "Upgrading" if running else upgrade.state,
        "reason": upgrade.why,
        "target": msgspec.to_builtins(upgrade.target) if upgrade.target else None,
        "dueAt": written(upgrade.due_at) if upgrade.due_at else None,
        "retiredAt": written(upgrade.retired_at) if upgrade.retired_at else None,
        "lastUpgrade": _attempt(jobs[0]) if jobs else None,
    }
    return {
        "name": deployment.name,
        "type": TYPE,
        "properties": {key: value for key, value in said.items() if value is not None},
    }


def _attempt(job: Job) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operation": job.id,
        "status": job.status,
        "target": job.arguments[UPGRADE_TO],
        "startTime": job.started_at,
    }
    if job.ended_at is not None:
        told["endTime"] = job.ended_at
    if job.error is not None:
        told["error"] = msgspec.to_builtins(job.error)
    return told

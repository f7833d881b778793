"""The long-running operations that have not ended.

Azure follows an operation by its id and has no list of them; this is an extension, in a namespace
of our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.authorizing import may
from linarite.controlplane.stocktaking import require_subscription
from linarite.controlplane.verbs.list import paged
from linarite.controlplane.verbs.operation import path_of, told
from linarite.domain.arm_id import type_of

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.surface import Surface

TYPE = "Linarite.Hosting/operations"


async def list_operations(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Those of what the caller may read, the oldest first, each as its own path tells it."""
    subscription = require_subscription(surface, target)
    running = [
        job
        for job in await surface.jobs.running(subscription)
        if may(surface, request.caller, f"{type_of(job.resource_id)}/read", job.resource_id)
    ]
    ordered = [(f"{job.started_at} {job.id}", job) for job in running]
    ordered.sort(key=lambda pair: pair[0])
    return paged(ordered, request, lambda job: told(job, path_of(job, surface)))

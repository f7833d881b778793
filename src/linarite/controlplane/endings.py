"""What follows when a job has ended: the record that Azure's activity log has of it, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.activity import job_ended
from linarite.domain.activity import ActivityQuery
from linarite.domain.arm_id import same_id, subscription_of

if TYPE_CHECKING:
    from linarite.controlplane.surface import Surface
    from linarite.domain.jobs import Job
    from linarite.domain.resource import Committed


class Endings:
    """Follows the resources' transactions and logs how long-running operations end.

    A server that is killed between the end of a job and its record leaves none: how the job ended
    is then told by the operation alone.
    """

    def __init__(self, surface: Surface) -> None:
        """`surface` has the log."""
        self._surface = surface

    async def follow(self, committed: Committed) -> None:
        """Log the jobs of a transaction that have ended, if a request asked for them."""
        for job in committed.jobs:
            if not job.running and job.correlation_id:
                await self._log(job)

    async def _log(self, job: Job) -> None:
        query = ActivityQuery(
            subscription=subscription_of(job.resource_id),
            under=job.resource_id,
            correlation_id=job.correlation_id,
        )
        for event in await self._surface.activity.read(query):
            begun = event.body["eventName"]["value"] == "BeginRequest"
            if begun and same_id(event.resource_id, job.resource_id):
                at = self._surface.now().isoformat()
                await self._surface.activity.add([job_ended(event, job, at)])
                return

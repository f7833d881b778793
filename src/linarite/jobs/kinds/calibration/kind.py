"""The one step of calibrating, and what goes by its result from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.calibration import SECONDS_DEFAULT, Calibration
from linarite.domain.jobs import CALIBRATION_SECONDS
from linarite.jobs.kind import Step

if TYPE_CHECKING:
    from linarite.domain.calibration import Calibrator
    from linarite.domain.jobs import Job, JobProblem
    from linarite.domain.resource import Change
    from linarite.jobs.kind import Progress


class CalibrationJob:
    """`Kind`: CALIBRATE_DEPLOYMENT."""

    def __init__(self, calibrator: Calibrator) -> None:
        self._calibrator = calibrator
        self.steps = (Step("load", 99, self._load),)

    async def _load(self, job: Job, progress: Progress) -> dict[str, Any]:
        seconds = float(job.arguments.get(CALIBRATION_SECONDS, SECONDS_DEFAULT))
        found = await self._calibrator.calibrate(job.resource_id, seconds, progress)
        return msgspec.to_builtins(found)

    async def succeed(self, job: Job) -> list[Change]:
        """From now on units mean this."""
        return await self._calibrator.spread(msgspec.convert(job.found["load"], Calibration))

    async def fail(self, job: Job, problem: JobProblem) -> list[Change]:  # noqa: ARG002 - the job keeps both
        """Nothing has changed."""
        return []

    async def after(self, job: Job) -> None:
        """Keep the places that deployments have reserved, by what the instance does."""
        await self._calibrator.tidy(job.resource_id)

"""The port through which a job has a template deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.jobs import Job, JobProblem
    from linarite.domain.resource import Change


class Deployer(Protocol):
    """Deploys the template of a job that was committed with its deployment."""

    async def deploy(self, job: Job, progress: Callable[[float, str], None]) -> None:
        """Do all of it that is not done yet. Raises LinariteError when any of it failed."""
        ...

    async def ended_badly(self, job: Job, problem: JobProblem) -> list[Change]:
        """What to change so that the deployment does not seem to run any more."""
        ...

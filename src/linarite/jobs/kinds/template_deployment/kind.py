"""The one step of deploying a template.

It is begun again as a whole after a restart: a resource that is already as the template has it is
not written again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.jobs.kind import Step

if TYPE_CHECKING:
    from linarite.domain.deployer import Deployer
    from linarite.domain.jobs import Job, JobProblem
    from linarite.domain.resource import Change
    from linarite.jobs.kind import Progress


class TemplateDeployment:
    """`Kind`: DEPLOY_TEMPLATE."""

    def __init__(self, deployer: Deployer) -> None:
        self._deployer = deployer
        self.steps = (Step("deploy", 100, self._deploy),)

    async def _deploy(self, job: Job, progress: Progress) -> dict[str, Any]:
        await self._deployer.deploy(job, progress)
        return {}

    async def succeed(self, job: Job) -> list[Change]:
        """The deployer has kept how it ended."""
        del job
        return []

    async def fail(self, job: Job, problem: JobProblem) -> list[Change]:
        """The deployment says why."""
        return await self._deployer.ended_badly(job, problem)

    async def after(self, job: Job) -> None:
        """Nothing is left over."""
        del job

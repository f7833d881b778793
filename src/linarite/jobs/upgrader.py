"""Begins the upgrades of deployments whose time has come.

What is to be upgraded is decided by `domain.upgrades`, how it is done by the job that provisions
deployments: beside the old instance, which serves until the new one does. Nothing is kept here: a
server that is started again looks once more and finds the same.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from linarite.domain.declared import is_declared
from linarite.domain.errors import ServiceUnavailable
from linarite.domain.jobs import PROVISION_DEPLOYMENT, OperationInProgress, new_job
from linarite.domain.listed_model import is_listed_model
from linarite.domain.resource import DEPLOYMENT_TYPE, EtagMismatch, Put
from linarite.domain.upgrades import UPGRADE_TO, upgrade_of
from linarite.jobs.kinds.provisioning.kind import in_state

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from linarite.domain.jobs import Job, JobStore
    from linarite.domain.model_offer import Assortment, ModelOffers
    from linarite.domain.resource import Committed, Resource, ResourceStore
    from linarite.domain.upgrades import Upgrade

log = structlog.get_logger("linarite.jobs")

LOOK_S = 60.0
"""what is changed in the model store by hand is noticed within this time"""
PAUSE_FIRST = timedelta(minutes=1)
PAUSE_MAX = timedelta(days=1)
DOUBLINGS_MAX = 11


class Upgrader:
    """Looks after deployments' versions. `start`, then `stop` once."""

    def __init__(
        self,
        resources: ResourceStore,
        jobs: JobStore,
        offers: ModelOffers,
        *,
        offers_changed: Callable[[], Awaitable[None]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`offers_changed` is awaited when lifecycles have changed without a commit telling it."""
        self._resources = resources
        self._jobs = jobs
        self._offers = offers
        self._offers_changed = offers_changed
        self._clock = clock
        self._woken = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._seen: Assortment | None = None

    async def start(self) -> None:
        """Look at once, and whenever something may have become due."""
        self._resources.subscribe(self.follow)
        self._watching = asyncio.create_task(self._watch(), name="upgrades of deployments")

    async def stop(self) -> None:
        """Begin no more. Upgrades in progress are jobs, which the next server goes on with."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def follow(self, committed: Committed) -> None:
        """Look again when the catalogue, a deployment or a job has changed."""
        touched = (*committed.written, *committed.removed)
        if committed.jobs or any(map(_matters, touched)):
            self._woken.set()

    async def sweep(self) -> list[str]:
        """Begin every upgrade that is due and can begin now; the ids of their deployments."""
        assortment = self._offers.now()
        if self._seen not in (None, assortment):
            await self._offers_changed()
        self._seen = assortment
        begun: list[str] = []
        for deployment in await self._resources.list_under("", DEPLOYMENT_TYPE):
            upgrade = upgrade_of(deployment, assortment, self._clock())
            if upgrade.state == "Due" and await self._may_begin(deployment, upgrade):
                with suppress(OperationInProgress, EtagMismatch):  # the end of that one wakes us
                    await self._begin(deployment, upgrade)
                    begun.append(deployment.id)
        return begun

    async def _watch(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self.sweep()
            except ServiceUnavailable as refusal:
                log.warning("upgrades wait for their store", reason=refusal.message)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s()):
                    await self._woken.wait()

    def _pause_s(self) -> float:
        """Until the next moment at which a version's life goes on, and never long."""
        now = self._clock()
        offers = self._seen.offers if self._seen is not None else []
        moments = [moment for offer in offers for moment in offer.lifecycle.moments()]
        ahead = [(moment - now).total_seconds() for moment in moments if moment > now]
        return min([LOOK_S, *ahead])

    async def _may_begin(self, deployment: Resource, upgrade: Upgrade) -> bool:
        if is_declared(deployment) or deployment.properties.get("provisioningState") != "Succeeded":
            return False
        failed = failed_upgrades(await self._jobs.of(deployment.id), upgrade)
        if not failed:
            return True
        pause = min(PAUSE_MAX, PAUSE_FIRST * 2 ** min(len(failed) - 1, DOUBLINGS_MAX))
        return datetime.fromisoformat(failed[0].ended_at or failed[0].started_at) + pause <= (
            self._clock()
        )

    async def _begin(self, deployment: Resource, upgrade: Upgrade) -> None:
        job = new_job(
            PROVISION_DEPLOYMENT,
            deployment.id,
            scope=deployment.id.rpartition("/deployments/")[0],
            arguments={UPGRADE_TO: msgspec.to_builtins(upgrade.target)},
        )
        await self._resources.commit(
            [Put(in_state(deployment, "Updating"), deployment.etag)], [job]
        )
        log.info(
            "deployment is upgraded",
            deployment=deployment.id,
            version=upgrade.target.version if upgrade.target else "",
            reason=upgrade.why,
        )


def failed_upgrades(jobs: list[Job], upgrade: Upgrade) -> list[Job]:
    """The last attempts at an upgrade that failed one after the other, the newest first."""
    wanted: dict[str, Any] = {UPGRADE_TO: msgspec.to_builtins(upgrade.target)}
    found: list[Job] = []
    for job in jobs:
        if job.arguments != wanted or job.status != "Failed":
            break
        found.append(job)
    return found


def _matters(resource_id: str) -> bool:
    return is_listed_model(resource_id) or "/deployments/" in resource_id.lower()

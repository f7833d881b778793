"""The work of a whole server: instances that follow deployments, durable jobs, upgrades."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from linarite.domain.engine import Surroundings
from linarite.domain.jobs import CALIBRATE_DEPLOYMENT, PROVISION_DEPLOYMENT
from linarite.hosting.calibrator import HostCalibrator
from linarite.hosting.inventory import Inventory
from linarite.hosting.provisioner import HostProvisioner
from linarite.hosting.regions import HERE
from linarite.jobs.kinds.calibration import CalibrationJob
from linarite.jobs.kinds.provisioning import Provisioning, provision_anew
from linarite.jobs.upgrader import Upgrader
from linarite.jobs.worker import Worker
from linarite.serving_plan import scratch_folder, threads_for_engines, usable_cores

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from contextlib import AsyncExitStack
    from pathlib import Path

    from linarite.dataplane.facts import FactsBook
    from linarite.domain.dial import Dialer
    from linarite.domain.jobs import JobStore
    from linarite.domain.model_offer import ModelOffers
    from linarite.domain.resource import ResourceStore
    from linarite.hosting.host import Host
    from linarite.hosting.instance_maker import InstanceMaker
    from linarite.hosting.models.store import ModelStore
    from linarite.hosting.regions import Regions
    from linarite.jobs.kind import Kind
    from linarite.serving_plan import Plan
    from linarite.setting_tree import Settings


def engine_surroundings(home: Path, dialer: Dialer, stack: AsyncExitStack) -> Surroundings:
    """What engines find here; leaving `stack` removes their folder."""
    scratch = scratch_folder(home)
    stack.callback(shutil.rmtree, scratch, ignore_errors=True)
    return Surroundings(scratch=scratch, dialer=dialer, threads=threads_for_engines(usable_cores()))


class WorkParts:
    """What carries out what resources ask for."""

    def __init__(
        self,
        settings: Settings,
        plan: Plan,
        store: ModelStore,
        regions: Regions,
        host: Host,
        followers: tuple[FactsBook, ModelOffers],
    ) -> None:
        """`followers`: what the data path looks up, and the models on offer."""
        self._settings = settings
        self._plan = plan
        self._store = store
        self._regions = regions
        self._host = host
        self._facts, self._offers = followers

    async def open(
        self,
        stack: AsyncExitStack,
        resources: ResourceStore,
        jobs: JobStore,
        instances: InstanceMaker,
        kinds: Mapping[str, Kind],
    ) -> Callable[[], Awaitable[None]]:
        """Hosting follows the resources from here on; jobs begin with what is returned.

        `kinds` are those of other work than hosting's.
        """
        provisioner = self._provisioner(resources, instances)
        lost = await provisioner.restore()
        if lost:
            await self._facts.refresh()
        resources.subscribe(self._facts.follow)
        resources.subscribe(provisioner.follow)
        stack.push_async_callback(provisioner.stop)
        calibrator = HostCalibrator(resources, self._host, provisioner.inventory, provisioner)
        own: dict[str, Kind] = {
            PROVISION_DEPLOYMENT: Provisioning(resources, provisioner),
            CALIBRATE_DEPLOYMENT: CalibrationJob(calibrator),
        }
        worker = Worker(resources, jobs, {**own, **kinds})
        stack.push_async_callback(worker.stop)
        upgrader = Upgrader(resources, jobs, self._offers, offers_changed=self._facts.refresh)
        stack.push_async_callback(upgrader.stop)

        async def begin() -> None:
            await worker.start()
            await provision_anew(resources, jobs, lost)
            await upgrader.start()

        return begin

    def _provisioner(self, resources: ResourceStore, instances: InstanceMaker) -> HostProvisioner:
        settings, plan = self._settings, self._plan
        home = settings.account.location if settings.regions else HERE
        return HostProvisioner(
            resources,
            self._host,
            Inventory(
                resources,
                self._store,
                instances.records(plan.instances, plan.deployments, home),
                self._regions,
                settings.hosting,
            ),
            instances.made,
            settings.server.drain_s,
        )

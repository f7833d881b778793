"""Bringing instances up and down as deployments come, change and go."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from linarite.domain.errors import LinariteError
from linarite.domain.placement import Placement, instance_id, is_instance, placement_id
from linarite.domain.resource import Delete, Put
from linarite.hosting.instance import READY
from linarite.hosting.measure import answer_once, measure
from linarite.hosting.placement import Rules, place, require_share, reserved_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from linarite.domain.calibration import Calibration
    from linarite.domain.placement import InstanceRecord, Measured, Wish
    from linarite.domain.resource import Committed, ResourceStore
    from linarite.hosting.host import Host
    from linarite.hosting.instance import Instance
    from linarite.hosting.inventory import Inventory
    from linarite.hosting.placement import Candidate

log = structlog.get_logger("linarite.hosting")

LOOK_S = 0.2
LINGER_S = 2.0
"""an instance is still handed out for so long to calls that were admitted before it had to go"""
UNMEASURED = ("upstream",)
"""engines that are not tried out: what they forward is paid for elsewhere"""


class ProvisioningFailed(LinariteError):
    """The instance did not come up; the message is its engine's."""

    code = "DeploymentFailed"


class HostProvisioner:
    """`Provisioner` on a Host. One for each server: it serialises placing."""

    def __init__(
        self,
        resources: ResourceStore,
        host: Host,
        inventory: Inventory,
        make: Callable[[InstanceRecord], Instance],
        drain_s: float,
    ) -> None:
        """`make` builds an instance that is not started; `drain_s` is for those that leave."""
        hosting = inventory.hosting
        self._resources = resources
        self._host = host
        self.inventory = inventory
        self._rules = Rules(
            slots=hosting.slots,
            slots_max=max(hosting.slots, hosting.slots_max),
            units_per_slot=hosting.units_per_slot,
            tokens_per_second_per_ptu=hosting.tokens_per_second_per_ptu,
            keeps_prompts=bool(hosting.options.get("prompt_cache", True)),
        )
        self._make = make
        self._drain_s = drain_s
        self._placing = asyncio.Lock()
        self._planned: dict[str, InstanceRecord] = {}
        """deployment → the instance that a job in progress is about to give it"""
        self._promised: dict[str, Placement] = {}
        """deployment → the placement that the end of its job is about to keep"""
        self._running: dict[str, InstanceRecord] = {}
        """name → as what it was made"""
        self._measured: dict[str, Measured] = {}
        self._tidying: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def restore(self) -> list[str]:
        """Bring back the instances that deployments have, as an earlier server left them.

        Returns the ids of deployments whose instance settings no longer allow: they need another.
        One that has an instance where its SKU does not reach is not served until it has another.
        """
        misplaced = await self.inventory.misplaced()
        for deployment in misplaced:
            log.warning("deployment out of its SKU's reach", deployment=deployment.id)
            unserved = deployment.properties | {"provisioningState": "Updating"}
            waiting = msgspec.structs.replace(deployment, properties=unserved)
            await self._resources.commit(
                [Put(waiting, deployment.etag), Delete(placement_id(deployment.id))]
            )
        placements = await self.inventory.placements()
        placed = {placement.instance for placement in placements.values()}
        for record in (await self.inventory.records()).values():
            if record.name in placed:
                self._put(await self._for_its_accounts(record)).start()
        await self.tidy()
        return [
            *(deployment.id for deployment in misplaced),
            *(each for each, at in placements.items() if self._host.find(at.instance) is None),
        ]

    def _share_out(self, placements: Iterable[Placement]) -> None:
        """Keep for Provisioned deployments their share of each instance's places."""
        shares: dict[str, float] = {}
        for placed in placements:
            if placed.reserved and placed.measured is not None:
                share = placed.reserved / max(placed.measured.tokens_per_second, placed.reserved)
                shares[placed.instance] = shares.get(placed.instance, 0.0) + share
        for instance in self._host.instances():
            instance.gate.reserve(min(1.0, shares.get(instance.spec.name, 0.0)))

    async def follow(self, committed: Committed) -> None:
        """Deployments may have gone: tidy up, and let the one who removed them go on."""
        if self._stopped or all(map(is_instance, committed.removed)):
            return
        task = asyncio.create_task(self._tidy_quietly(), name="tidy instances")
        self._tidying.add(task)
        task.add_done_callback(self._tidying.discard)

    async def stop(self) -> None:
        """Follow no more."""
        self._stopped = True
        tidying = list(self._tidying)
        for task in tidying:
            task.cancel()
        await asyncio.gather(*tidying, return_exceptions=True)

    async def _tidy_quietly(self) -> None:
        try:
            await self.tidy()
        except LinariteError as problem:
            log.warning("instances not tidied up", reason=problem.message)

    async def verify(self, wish: Wish, progress: Callable[[float, str], None]) -> dict[str, Any]:
        """Hash the model's file where it is in the store. Raises PlaceRefused."""
        progress(0.0, f"verifying {wish.model.name}")
        manifest = await self.inventory.require_whole(wish.model)
        return {} if manifest is None else {"sha256": manifest.sha256, "size": manifest.size_bytes}

    async def place(self, wish: Wish) -> InstanceRecord:
        """Choose or plan the instance. Raises PlaceRefused."""
        async with self._placing:
            record = place(
                wish,
                self.inventory.regions.eligible(wish.sku.name, wish.location),
                await self._candidates(wish),
                await self.inventory.room(wish, self._planned_names()),
                self._rules,
            )
            self._planned[wish.deployment_id.lower()] = record
            return record

    async def bring_up(
        self, wish: Wish, record: InstanceRecord, progress: Callable[[float, str], None]
    ) -> None:
        """Return once it serves as the record says. Raises ProvisioningFailed."""
        self._planned[wish.deployment_id.lower()] = record
        record = await self._for_its_accounts(record)
        present = self._host.find(record.name)
        if present is None:
            await self._until_ready(self._put(record), progress)
        elif record.declared or not self._differs(record):
            await self._until_ready(present, progress)
        else:
            fresh = self._make(record)
            try:
                await self._until_ready(fresh, progress)
            except BaseException:
                await fresh.stop(0)
                raise
            self._running[record.name] = record
            self._host.put(fresh, self._drain_s)

    async def warm_up(self, record: InstanceRecord) -> None:
        """Have the instance answer once."""
        if record.engine not in UNMEASURED:
            await answer_once(self._host, record.name)

    async def measure(self, wish: Wish, record: InstanceRecord) -> Placement:
        """Measure the instance unless that was done; refuse what is more than it can do."""
        measured = record.measured or self._measured.get(record.name)
        if measured is None and record.engine not in UNMEASURED:
            measured = await measure(self._host, record.name)
            if record.declared:
                self._measured[record.name] = measured
        found = await self.inventory.calibration(wish.model, record.engine)
        if found is not None and measured is not None:
            measured = by_calibration(found, measured)
        async with self._placing:
            others = await self._candidates(wish)
            reserved = next((o.reserved for o in others if o.record.name == record.name), 0.0)
            require_share(wish, measured, reserved, self._rules)
            placement = Placement(
                instance=record.name,
                region=record.region,
                reserved=reserved_by(wish, self._rules),
                measured=measured,
            )
            self._promised[wish.deployment_id.lower()] = placement
        return placement

    async def tidy(self, ended: str = "") -> None:
        """Take down instances that no deployment and no job in progress needs.

        `ended` is the deployment whose job is over.
        """
        async with self._placing:
            self._planned.pop(ended.lower(), None)
            self._promised.pop(ended.lower(), None)
            placements = (await self.inventory.placements()).values()
            self._share_out(placements)
            needed = {placed.instance for placed in placements}
            needed |= {record.name for record in self._planned.values()}
            kept = await self.inventory.kept_names()
            surplus = [name for name in {*kept, *self._running} if name not in needed]
            for name in surplus:
                self._running.pop(name, None)
                self._host.remove(name, self._drain_s, LINGER_S)
            if gone := [Delete(instance_id(name)) for name in surplus if name in kept]:
                log.info("instances taken down", instances=surplus)
                # Before anybody else looks for a place: these are none any more.
                await self._resources.commit(gone)

    async def _candidates(self, wish: Wish) -> list[Candidate]:
        return await self.inventory.candidates(wish, self._planned, self._promised)

    async def _for_its_accounts(self, record: InstanceRecord) -> InstanceRecord:
        """Where several accounts use it, it keeps no prompts, whatever was planned for one."""
        users = (await self.inventory.accounts(self._planned)).get(record.name, frozenset())
        alone = len(users) <= 1
        return msgspec.structs.replace(record, keeps_prompts=record.keeps_prompts and alone)

    def _planned_names(self) -> dict[str, InstanceRecord]:
        return {record.name: record for record in self._planned.values()}

    def _put(self, record: InstanceRecord) -> Instance:
        instance = self._make(record)
        self._running[record.name] = record
        self._host.put(instance, self._drain_s)
        return instance

    def _differs(self, record: InstanceRecord) -> bool:
        running = self._running.get(record.name)
        return running is None or (running.slots, running.keeps_prompts) != (
            record.slots,
            record.keeps_prompts,
        )

    async def _until_ready(
        self, instance: Instance, progress: Callable[[float, str], None]
    ) -> None:
        instance.start()
        settled = asyncio.ensure_future(instance.settled())
        try:
            while not settled.done():
                await asyncio.wait({settled}, timeout=LOOK_S)
                progress(instance.loaded_share, f"loading {instance.spec.model}")
        finally:
            settled.cancel()
        if instance.state != READY:
            raise ProvisioningFailed(f"The model did not come up: {reason_of(instance)}")


def by_calibration(found: Calibration, measured: Measured) -> Measured:
    """What an instance does, by a longer look at its like where they run as many at a time."""
    if found.batches[-1].parallel_requests == measured.parallel_requests:
        return found.measured(measured)
    return msgspec.structs.replace(
        measured,
        prompt_tokens_per_second=found.prompt_tokens_per_second,
        output_weight=found.output_weight,
    )


def reason_of(instance: Instance) -> str:
    """Why it does not serve, without the folder of its model: who deploys need not know that."""
    path = instance.spec.model_path
    folder = f"{Path(path).parent}/" if path else ""
    return instance.detail.replace(folder, "") or instance.state

"""What there is to place deployments on: instances, what is taken of them, memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from linarite.domain.calibration import calibration_id, calibration_of
from linarite.domain.facts import Model, Sku
from linarite.domain.placement import (
    INSTANCE_TYPE,
    PLACEMENT_TYPE,
    account_id_of,
    deployment_id_of,
    instance_of,
    placement_of,
    sku_of,
)
from linarite.domain.resource import DEPLOYMENT_TYPE
from linarite.hosting.engine_choice import engine_for, weights_bytes
from linarite.hosting.hardware import hardware_name
from linarite.hosting.memory import MIB, machine_bytes
from linarite.hosting.models.errors import ModelStoreError
from linarite.hosting.options import MODEL_FILE_ENGINES
from linarite.hosting.placement import Candidate, Room
from linarite.hosting.regions import HERE, PlaceRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from linarite.domain.calibration import Calibration
    from linarite.domain.placement import InstanceRecord, Placement, Wish
    from linarite.domain.resource import Resource, ResourceStore
    from linarite.hosting.models.manifest import Manifest
    from linarite.hosting.models.store import ModelStore
    from linarite.hosting.options import Hosting
    from linarite.hosting.regions import Regions


class Inventory:
    """Reads the resource store and the model store; changes nothing."""

    def __init__(
        self,
        resources: ResourceStore,
        models: ModelStore,
        declared: Sequence[InstanceRecord],
        regions: Regions,
        hosting: Hosting,
    ) -> None:
        """`declared` are the instances of settings."""
        self.regions = regions
        self.hosting = hosting
        self._resources = resources
        self._models = models
        self._declared = {record.name: record for record in declared}

    async def records(self) -> dict[str, InstanceRecord]:
        """Instances that were made for deployments, as far as settings still allow them.

        Another engine may have been set since, or an instance of that name declared.
        """
        kept = map(instance_of, await self._resources.list_under("", INSTANCE_TYPE))
        return {
            record.name: record
            for record in kept
            if record.region in self.regions.names()
            and record.name not in self._declared
            and await self._has_right_engine(record)
        }

    async def every(self) -> dict[str, InstanceRecord]:
        """All instances by name, those of settings too."""
        return await self.records() | self._declared

    async def calibration(self, model: Model, engine: str) -> Calibration | None:
        """What was found out about a model on an engine here."""
        id_ = calibration_id(model.name, model.version, engine, hardware_name())
        kept = await self._resources.get(id_)
        return calibration_of(kept) if kept is not None else None

    async def _has_right_engine(self, record: InstanceRecord) -> bool:
        """Whether a new instance of that model would get the engine that this one has."""
        wanted = self.hosting.engine
        if record.wished and record.engine in MODEL_FILE_ENGINES:
            return True
        if record.engine == wanted or wanted not in MODEL_FILE_ENGINES:
            return record.engine == wanted
        manifest = await self.manifest(Model(name=record.model, version=record.version))
        return manifest is not None and engine_for(wanted, manifest) == record.engine

    async def kept_names(self) -> set[str]:
        """The names of all instances that something is kept about."""
        return {each.name for each in await self._resources.list_under("", INSTANCE_TYPE)}

    async def placements(self) -> dict[str, Placement]:
        """Lower-cased id of a deployment → its placement."""
        kept = await self._resources.list_under("", PLACEMENT_TYPE)
        return {deployment_id_of(each).lower(): placement_of(each) for each in kept}

    async def misplaced(self) -> list[Resource]:
        """Deployments whose placement settings no longer allow: out of their SKU's reach by now.

        An instance may have been given another region since, or a region another data zone.
        Deployments whose instance is gone are not among them.
        """
        if self.regions.names() == [HERE]:
            return []
        regions_of = {name: record.region for name, record in (await self.records()).items()}
        regions_of |= {name: record.region for name, record in self._declared.items()}
        found: list[Resource] = []
        for deployment_id, placement in (await self.placements()).items():
            deployment = await self._resources.get(deployment_id)
            account = await self._resources.get(account_id_of(deployment_id))
            if deployment is None or account is None:
                continue
            sku, location = sku_of(deployment).name, account.location or ""
            region = regions_of.get(placement.instance)
            if region is not None and region not in self._within_reach(sku, location):
                found.append(deployment)
        return found

    def _within_reach(self, sku: str, location: str) -> list[str]:
        try:
            return self.regions.eligible(sku, location)
        except PlaceRefused:
            return []

    async def candidates(
        self,
        wish: Wish,
        planned: Mapping[str, InstanceRecord],
        promised: Mapping[str, Placement],
    ) -> list[Candidate]:
        """Every instance with what other deployments take of it, those in the making too.

        `planned` and `promised` are those of deployments, by their lower-cased ids.
        """
        placements = await self.placements() | dict(promised)
        placements.pop(wish.deployment_id.lower(), None)
        deployments = await self._resources.list_under("", DEPLOYMENT_TYPE)
        skus = {each.id.lower(): sku_of(each) for each in deployments}
        units: dict[str, int] = {}
        reserved: dict[str, float] = {}
        for deployment_id, placement in placements.items():
            sku = skus.get(deployment_id, Sku(capacity=0))
            taken = 0 if sku.provisioned else sku.capacity
            units[placement.instance] = units.get(placement.instance, 0) + taken
            reserved[placement.instance] = reserved.get(placement.instance, 0) + placement.reserved
        accounts = await self.accounts(planned)
        made = await self.records() | {record.name: record for record in planned.values()}
        return [
            Candidate(
                record=record,
                units=units.get(record.name, 0),
                reserved=reserved.get(record.name, 0.0),
                accounts=accounts.get(record.name, frozenset()),
            )
            for record in (made | self._declared).values()
        ]

    async def accounts(self, planned: Mapping[str, InstanceRecord]) -> dict[str, frozenset[str]]:
        """Instance → the accounts whose deployments are on it, or are about to be."""
        deployments = await self._resources.list_under("", DEPLOYMENT_TYPE)
        users = [
            *((str(each.properties.get("instance")), each.id) for each in deployments),
            *((placed.instance, each) for each, placed in (await self.placements()).items()),
            *((record.name, each) for each, record in planned.items()),
        ]
        found: dict[str, frozenset[str]] = {}
        for instance, deployment_id in users:
            found[instance] = found.get(instance, frozenset()) | {account_id_of(deployment_id)}
        return found

    async def room(self, wish: Wish, planned: Mapping[str, InstanceRecord]) -> Room | None:
        """What a new instance for a deployment could have; None when there is no such model.

        Raises PlaceRefused where the engine that it asks for can't run the model.
        """
        engine, needed = wish.engine or self.hosting.engine, 0
        if engine == "upstream":
            return None  # where it should forward to, settings alone can say
        if engine in MODEL_FILE_ENGINES:
            manifest = await self.manifest(wish.model)
            if manifest is None:
                return None
            engine = engine_for(engine, manifest)
            if wish.engine not in ("", engine):
                raise _cannot_run(wish)
            needed = weights_bytes(engine, manifest)
        every = (await self.records() | dict(planned) | self._declared).values()
        return Room(
            engine=engine,
            weights_bytes=needed,
            free_bytes=self._free_bytes(every),
            taken_names=frozenset(record.name.lower() for record in every),
        )

    async def manifest(self, model: Model) -> Manifest | None:
        """The model in the store; None when it, or this version of it, is not there."""
        try:
            return await asyncio.to_thread(self._models.get, model.name, model.version)
        except ModelStoreError:
            return None

    async def require_whole(self, model: Model) -> Manifest | None:
        """Hash the model's file where it may have changed. Raises PlaceRefused; None: no model."""
        manifest = await self.manifest(model)
        if manifest is not None:
            try:
                await asyncio.to_thread(self._models.verified_path, model.name, model.version)
            except ModelStoreError as problem:
                raise PlaceRefused(problem.code or "ModelStoreError", problem.message) from problem
        return manifest

    def _free_bytes(self, every: Iterable[InstanceRecord]) -> dict[str, int]:
        hosting = self.hosting
        most = hosting.memory_mib * MIB or machine_bytes() - hosting.memory_reserve_mib * MIB
        records = list(every)
        free = most - sum(record.memory_bytes for record in records)
        found: dict[str, int] = {}
        for name in self.regions.names():
            bound = self.regions.memory_bytes(name)
            taken = sum(record.memory_bytes for record in records if record.region == name)
            found[name] = free if bound is None else min(free, bound - taken)
        return found


def _cannot_run(wish: Wish) -> PlaceRefused:
    return PlaceRefused(
        "InvalidResourceProperties",
        f"The engine {wish.engine} can't run {wish.model.name}: its architecture or its number "
        "format is none of those that it knows. Leave properties.runtime out, or name llamacpp, "
        "which runs every model of the store.",
    )

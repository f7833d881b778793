"""Making instances: those that settings declare, and those that deployments ask for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.domain.engine import Engine, InstanceSpec
from linarite.domain.placement import InstanceRecord
from linarite.engines import build_engine, check_options
from linarite.hosting.engine_choice import weights_bytes
from linarite.hosting.instance import Instance
from linarite.hosting.memory import needed_bytes
from linarite.hosting.models.catalogue import find
from linarite.hosting.models.intake import of_version
from linarite.hosting.options import (
    MODEL_FILE_ENGINES,
    ONE_PROMPT_CACHE_ENGINES,
    InstanceSettings,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from linarite.domain.engine import Surroundings
    from linarite.hosting.models.manifest import Manifest
    from linarite.hosting.models.store import ModelStore
    from linarite.hosting.options import DeploymentSettings, Hosting


class InstanceMaker:
    """Knows what every instance is handed: its surroundings, and its verified model file."""

    def __init__(self, hosting: Hosting, store: ModelStore, surroundings: Surroundings) -> None:
        self._hosting = hosting
        self._store = store
        self._surroundings = surroundings

    def declared(self, name: str, said: InstanceSettings) -> Instance:
        """One that settings declare. It is not started."""
        return Instance(declared_spec(name, said), self._build, said)

    def made(self, record: InstanceRecord) -> Instance:
        """One that deployments ask for. It is not started."""
        slots = {"parallel_requests": record.slots} if record.engine != "upstream" else {}
        # Options are one engine's own: where another stands in for it, its defaults hold.
        given = self._hosting.options if record.engine == self._hosting.engine else {}
        spec = InstanceSpec(
            name=record.name,
            engine=record.engine,
            model=record.model,
            model_version=record.version,
            options={**given, **slots, **_prompt_cache(record)},
        )
        policy = InstanceSettings(unload_after_s=self._hosting.unload_after_s)
        return Instance(spec, self._build, policy)

    def records(
        self,
        declared: Mapping[str, InstanceSettings],
        deployments: Iterable[DeploymentSettings],
        home: str,
    ) -> list[InstanceRecord]:
        """What placing needs to know of those that settings declare.

        `deployments` have their instances resolved; `home` is the account's region, "" where
        settings declare no regions.
        """
        manifests = self._store.list()
        also: dict[str, list[str]] = {}
        for deployment in deployments:
            also.setdefault(deployment.instance, []).append(deployment.model)
        records: list[InstanceRecord] = []
        for name, said in declared.items():
            model = said.model or name
            engine, options = answering_engine(said.engine, said.options)
            local = of_version(manifests, model, said.model_version)
            if engine not in MODEL_FILE_ENGINES:
                local = None
            weights = weights_bytes(engine, local) if local else 0
            slots = options.get("parallel_requests", self._hosting.slots)
            records.append(
                InstanceRecord(
                    name=name,
                    engine=said.engine,
                    model=model,
                    version=_only_version(manifests, local)
                    if engine in MODEL_FILE_ENGINES
                    else said.model_version,
                    region=said.region or home,
                    slots=slots,
                    memory_bytes=needed_bytes(weights, slots),
                    also=tuple(also.get(name, ())),
                    declared=True,
                    keeps_prompts=engine in ONE_PROMPT_CACHE_ENGINES
                    and bool(options.get("prompt_cache", True)),
                )
            )
        return records

    async def _build(self, spec: InstanceSpec) -> Engine:
        return build_engine(await self._with_model_file(spec), self._surroundings)

    async def _with_model_file(self, spec: InstanceSpec) -> InstanceSpec:
        """The spec with its verified model file, for engines that read one."""
        if answering_engine(spec.engine, spec.options)[0] not in MODEL_FILE_ENGINES:
            return spec
        path = await asyncio.to_thread(self._store.verified_path, spec.model, spec.model_version)
        known = find(spec.model)
        advice = known.sampling_advice if known is not None else None
        return msgspec.structs.replace(spec, model_path=str(path), sampling_advice=advice)


def _prompt_cache(record: InstanceRecord) -> dict[str, bool]:
    """Off where the engine would find one account's prompts for another."""
    if record.engine not in ONE_PROMPT_CACHE_ENGINES or record.keeps_prompts:
        return {}
    return {"prompt_cache": False}


def _only_version(manifests: Iterable[Manifest], local: Manifest | None) -> str:
    """The version an instance is bound to; "" where there is but one: others are mere labels."""
    if local is None or sum(each.name == local.name for each in manifests) == 1:
        return ""
    return local.version


def declared_spec(name: str, said: InstanceSettings) -> InstanceSpec:
    """What to run for an instance of the settings; the model's file is not looked up yet."""
    return InstanceSpec(
        name=name,
        engine=said.engine,
        model=said.model or name,
        model_version=said.model_version,
        options=said.options,
    )


def require_right_options(declared: Mapping[str, InstanceSettings]) -> None:
    """Refuse a start that no retry would mend. Raises SetupError naming the key and what is right.

    A mistake in one instance's options stops all of them: whoever wrote it is there to be told.
    """
    for name, said in declared.items():
        check_options(declared_spec(name, said))


def answering_engine(engine: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The engine that answers in the end, and its options: the simulator may wrap another."""
    wraps = options.get("wraps")
    if engine != "simulator" or not isinstance(wraps, dict):
        return engine, options
    wrapped = cast("dict[str, Any]", wraps)
    return str(wrapped.get("engine", "")), cast("dict[str, Any]", wrapped.get("options") or {})

"""Calibrating: a load of long prompts and one of answers, through the instance's queue.

The prompts differ from one another in their first words, so that no cache of prompts answers for
the engine. It takes the places that others leave: calibrate when there is little to do.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.calibration import (
    Batch,
    Calibration,
    calibration_resource,
)
from linarite.domain.chat import ChatAsk, UserMessage
from linarite.domain.completion import CompletionAsk
from linarite.domain.embedding import EmbeddingAsk
from linarite.domain.errors import LinariteError
from linarite.domain.jobs import now
from linarite.domain.placement import (
    PLACEMENT_TYPE,
    deployment_id_of,
    instance_resource,
    placement_id,
    placement_of,
    placement_resource,
)
from linarite.domain.resource import DEPLOYMENT_TYPE, Put
from linarite.domain.upgrades import model_of
from linarite.domain.usage import Usage
from linarite.hosting.hardware import hardware_name
from linarite.hosting.provisioner import UNMEASURED

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from linarite.domain.chat import ChatEvent
    from linarite.domain.completion import CompletionEvent
    from linarite.domain.engine import Slot
    from linarite.domain.placement import InstanceRecord
    from linarite.domain.resource import Change, Resource, ResourceStore
    from linarite.hosting.host import Host
    from linarite.hosting.inventory import Inventory
    from linarite.hosting.provisioner import HostProvisioner

PROMPT_WORDS = 384
REPLY_TOKENS = 32
PROMPT_SHARE = 0.4
"""of the time, for reading; the rest is for answers"""
WORDS = (
    *("harbour", "crate", "morning", "boat", "rope", "gull", "tide", "lantern", "anchor", "pier"),
    *("cargo", "sail", "wind", "captain", "net", "fish", "market", "bell", "stone", "wall"),
    *("light", "rain", "cloud", "winter", "summer", "letter", "clock", "bridge", "river"),
)


class CanNotCalibrate(LinariteError):
    """There is nothing here that could be measured."""

    status = 409
    code = "CalibrationNotSupported"


class HostCalibrator:
    """`Calibrator` on a Host."""

    def __init__(
        self,
        resources: ResourceStore,
        host: Host,
        inventory: Inventory,
        provisioner: HostProvisioner,
    ) -> None:
        self._resources = resources
        self._host = host
        self._inventory = inventory
        self._provisioner = provisioner

    async def calibrate(
        self, deployment_id: str, seconds: float, progress: Callable[[float, str], None]
    ) -> Calibration:
        """See Calibrator. Raises CanNotCalibrate, ServiceUnavailable."""
        deployment = await self._deployment(deployment_id)
        record = await self._record(deployment)
        if record.engine in UNMEASURED:
            raise CanNotCalibrate(
                f"The engine {record.engine} forwards what it is asked: its speed is not of this "
                "hardware. Calibrate a deployment whose model runs here."
            )
        model = model_of(deployment)
        load = Load(self._host, record.name, seconds, progress)
        prompt_tokens_per_second, batches = await load.run()
        return Calibration(
            model=model.name,
            version=model.version,
            engine=record.engine,
            hardware=hardware_name(),
            instance=record.name,
            prompt_tokens_per_second=prompt_tokens_per_second,
            batches=batches,
            at=now(),
        )

    async def spread(self, found: Calibration) -> list[Change]:
        """See Calibrator."""
        records = await self._inventory.every()
        deployments = {
            each.id.lower(): each for each in await self._resources.list_under("", DEPLOYMENT_TYPE)
        }
        changes: list[Change] = [Put(calibration_resource(found))]
        changes += [
            Put(instance_resource(msgspec.structs.replace(each, measured=found.measured())))
            for each in records.values()
            if each.name == found.instance and not each.declared
        ]
        for kept in await self._resources.list_under("", PLACEMENT_TYPE):
            placement, id_ = placement_of(kept), deployment_id_of(kept)
            deployment = deployments.get(id_.lower())
            record = records.get(placement.instance)
            if deployment is None or record is None or record.engine != found.engine:
                continue
            model = model_of(deployment)
            if (model.name.lower(), model.version) != (found.model.lower(), found.version):
                continue
            fresh = found.measured(placement.measured)
            if placement.instance != found.instance and placement.measured is not None:
                fresh = msgspec.structs.replace(
                    placement.measured,
                    output_weight=fresh.output_weight,
                    prompt_tokens_per_second=fresh.prompt_tokens_per_second,
                )
            moved = msgspec.structs.replace(placement, measured=fresh)
            changes.append(Put(placement_resource(id_, moved)))
        return changes

    async def tidy(self, ended: str = "") -> None:
        """See Calibrator."""
        await self._provisioner.tidy(ended)

    async def _deployment(self, deployment_id: str) -> Resource:
        found = await self._resources.get(deployment_id)
        if found is None:
            raise CanNotCalibrate(f"{deployment_id} is not there any more.")
        return found

    async def _record(self, deployment: Resource) -> InstanceRecord:
        placed = await self._resources.get(placement_id(deployment.id))
        name = placement_of(placed).instance if placed is not None else None
        name = name or str(deployment.properties.get("instance") or model_of(deployment).name)
        record = (await self._inventory.every()).get(name)
        if record is None:
            raise CanNotCalibrate(
                f"The deployment '{deployment.name}' has no instance yet: wait until it is ready."
            )
        return record


class Load:
    """One run over an instance."""

    def __init__(
        self, host: Host, instance: str, seconds: float, progress: Callable[[float, str], None]
    ) -> None:
        """It takes about `seconds`, and one request longer."""
        self._host = host
        self._instance = instance
        self._seconds = seconds
        self._progress = progress
        self._dice = Random(1)  # noqa: S311 - texts, not secrets
        self._words = PROMPT_WORDS
        self._done_s = 0.0

    async def run(self) -> tuple[float, tuple[Batch, ...]]:
        """Prompt tokens a second, and generated ones with more and more requests at a time."""
        async with self._host.slot(self._instance) as slot:
            able = slot.capabilities
            await self._ask(slot, 4, 1)  # the first is never typical
        parallel = max(1, able.parallel_requests)
        if able.context_tokens:
            self._words = max(8, min(PROMPT_WORDS, able.context_tokens // 4))
        reading_s = self._seconds * PROMPT_SHARE
        read = await self._phase("reading prompts", reading_s, parallel, self._words, 1)
        prompts = sum(usage.prompt_tokens - usage.cached_tokens for usage in read.usages)
        prompt_speed = round(prompts / read.took_s, 1)
        if not (able.chat_completion or able.completion):
            return prompt_speed, (Batch(parallel, prompt_speed),)
        steps = steps_to(parallel)
        batches: list[Batch] = []
        for step in steps:
            each_s = (self._seconds - reading_s) / len(steps)
            doing = f"answering {step} request{'' if step == 1 else 's'} at a time"
            made = await self._phase(doing, each_s, step, 4, REPLY_TOKENS)
            tokens = sum(usage.completion_tokens for usage in made.usages)
            batches.append(Batch(step, round(tokens / made.took_s, 1)))
        return prompt_speed, tuple(batches)

    async def _phase(
        self, doing: str, seconds: float, parallel: int, words: int, reply_tokens: int
    ) -> Phase:
        began = perf_counter()
        usages: list[Usage] = []

        async def ask_on() -> None:
            while True:
                async with self._host.slot(self._instance) as slot:
                    usage = await self._ask(slot, words, reply_tokens)
                if usage is not None:
                    usages.append(usage)
                spent_s = perf_counter() - began
                self._tell(min(spent_s, seconds), doing)
                if spent_s >= seconds:
                    return

        async with asyncio.TaskGroup() as group:
            for _ in range(parallel):
                group.create_task(ask_on())
        self._done_s += seconds
        if not usages:
            raise CanNotCalibrate("The engine tells no token counts, so nothing can be measured.")
        return Phase(usages, max(perf_counter() - began, 1e-6))

    def _tell(self, spent_s: float, doing: str) -> None:
        self._progress(min(1.0, (self._done_s + spent_s) / self._seconds), doing)

    async def _ask(self, slot: Slot, words: int, reply_tokens: int) -> Usage | None:
        text = " ".join(self._dice.choice(WORDS) for _ in range(words))
        text = f"{self._dice.randrange(10**9)} {text}"
        able = slot.capabilities
        if able.chat_completion:
            message = UserMessage(content=text)
            ask = ChatAsk(messages=[message], max_tokens=reply_tokens, temperature=0.0, stream=True)
            return await _usage_of(slot.engine.chat(ask))
        if able.completion:
            prompt = CompletionAsk(
                prompt=text, max_tokens=reply_tokens, temperature=0.0, stream=True
            )
            return await _usage_of(slot.engine.complete(prompt))
        event = await slot.engine.embed(EmbeddingAsk(input=[text]))
        used: Usage | None = event.usage
        return used


class Phase(msgspec.Struct, frozen=True):
    """What one load came to."""

    usages: list[Usage]
    took_s: float


def steps_to(parallel: int) -> list[int]:
    """One request at a time, about half of what is possible, and all of it."""
    return sorted({1, max(1, parallel // 2), parallel})


async def _usage_of(events: AsyncGenerator[ChatEvent | CompletionEvent, None]) -> Usage | None:
    usage: Usage | None = None
    async with aclosing(events):
        async for event in events:
            usage = event.usage or usage
    return usage

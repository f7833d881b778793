"""The world that a template's expressions may read, through the same requests as a client's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from linarite.controlplane.caller import Caller
from linarite.controlplane.request import ArmRequest
from linarite.controlplane.resources.template_deployments.staged import StagedResources
from linarite.controlplane.templates.facts import Fact, Facts, FactWanted
from linarite.domain.arm_errors import ArmError

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.controlplane.request import Answer
    from linarite.controlplane.surface import Surface
    from linarite.controlplane.templates.plan import Plan

Found = TypeVar("Found")


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """On whose behalf requests are made, and what ties them together."""

    caller: Caller
    base_url: str
    correlation_id: str


class World:
    """Reads what expressions want to know, each thing once."""

    def __init__(
        self, surface: Surface, errand: Errand, staged: StagedResources | None = None
    ) -> None:
        """`staged`: of a world on trial, where no action is done to what is not there yet."""
        self.surface = surface
        self.errand = errand
        self.staged = staged
        self._facts: Facts = {}

    async def request(self, method: str, path: str, api_version: str, body: bytes = b"") -> Answer:
        """One request to the control plane. Raises ArmError."""
        return await self.surface.plane.serve(self.asked(method, path, api_version, body))

    def asked(self, method: str, path: str, api_version: str, body: bytes = b"") -> ArmRequest:
        """The request itself."""
        return ArmRequest(
            method=method,
            path=path,
            api_version=api_version,
            caller=self.errand.caller,
            body=body,
            base_url=self.errand.base_url,
            correlation_id=self.errand.correlation_id,
            of_template=True,
        )

    async def resolved(self, plan: Plan, evaluate: Callable[[Facts], Found]) -> Found:
        """What `evaluate` returns once it has every fact that it wants.

        Raises ArmError when something cannot be read, and what `evaluate` raises.
        """
        plan.scope.names.begin_work()
        while True:
            try:
                return await asyncio.to_thread(evaluate, self._facts)
            except FactWanted as wanted:
                self._facts = {**self._facts, wanted.fact: await self._read(wanted.fact)}

    def on_trial(self) -> World:
        """A world in which writes stay in memory."""
        staged = StagedResources(self.surface.resources)
        return World(self.surface.plane.over(staged), self.errand, staged)

    def forget(self, resource_id: str) -> None:
        """What is known of a resource holds no more: it is written."""
        key = resource_id.lower().rstrip("/")
        self._facts = {
            fact: value for fact, value in self._facts.items() if fact.resource_id != key
        }

    async def _read(self, fact: Fact) -> Any:  # noqa: ANN401 - JSON is anything
        if fact.action and self.staged is not None and self.staged.has(fact.resource_id):
            raise ArmError(
                404,
                "NotKnownBeforeDeployment",
                f"'{fact.action}' of '{fact.resource_id}' answers only once that is deployed.",
            )
        if fact.action:
            path = f"{fact.resource_id}/{fact.action}"
            answer = await self.request("POST", path, fact.api_version, fact.body or b"{}")
        else:
            answer = await self.request("GET", fact.resource_id, fact.api_version)
        return msgspec.json.decode(msgspec.json.encode(answer.body))

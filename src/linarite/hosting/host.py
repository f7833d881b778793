"""All instances of this server, and the way requests get at them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from linarite.domain.errors import ServiceUnavailable
from linarite.domain.facts import Serving

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import CoroutineType

    from linarite.domain.engine import Capabilities, Slot
    from linarite.domain.facts import Deployment
    from linarite.hosting.instance import Instance


class Hold:
    """A request's place on an instance: enter it, run, leave."""

    __slots__ = ("_instance",)

    def __init__(self, instance: Instance) -> None:
        """Nothing is taken until it is entered."""
        self._instance = instance

    def __aenter__(self) -> CoroutineType[Any, Any, Slot]:
        """Wait in the queue. Raises ServiceUnavailable."""
        return self._instance.enter()

    async def __aexit__(self, *_: object) -> None:
        """Leave, however the request ended."""
        self._instance.leave()


class Host:
    """The instances, by name."""

    def __init__(self, instances: Mapping[str, Instance]) -> None:
        """Take them as they are: not started."""
        self._instances = instances

    def slot(self, instance: str) -> Hold:
        """A place on an instance. Raises ServiceUnavailable when there is none of that name."""
        found = self._instances.get(instance)
        if found is None:
            raise ServiceUnavailable("no instance serves this deployment", 30)
        return Hold(found)

    def capabilities_of(self, instance: str) -> Capabilities | None:
        """What an instance can do; None until it has started once."""
        found = self._instances.get(instance)
        return found.capabilities if found is not None else None

    def instances(self) -> list[Instance]:
        """All of them, in the order of settings."""
        return list(self._instances.values())

    def serving(self, deployments: Iterable[Deployment]) -> list[Serving]:
        """Each deployment with the state of its instance."""
        return [self._serving(deployment) for deployment in deployments]

    def _serving(self, deployment: Deployment) -> Serving:
        found = self._instances.get(deployment.instance)
        return Serving(
            deployment=deployment,
            state=found.state if found is not None else "Failed",
            detail=found.detail if found is not None else "no instance of that name",
            capabilities=found.capabilities if found is not None else None,
        )

    def start(self, names: Iterable[str]) -> None:
        """Start some at once; the others start with their first request."""
        for name in names:
            self._instances[name].start()

    async def stop(self, grace_s: float) -> None:
        """Drain and stop all, side by side."""
        await asyncio.gather(*(found.stop(grace_s) for found in self._instances.values()))

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
    """A request's place on an instance: take it or enter it, run, leave."""

    __slots__ = ("_instance", "_reserved")

    def __init__(self, instance: Instance, *, reserved: bool) -> None:
        """Nothing is taken until it is entered."""
        self._instance = instance
        self._reserved = reserved

    def take(self) -> Slot | None:
        """The slot, if one is free and nobody waits before."""
        return self._instance.take(reserved=self._reserved)

    def enter(self) -> CoroutineType[Any, Any, Slot]:
        """Wait in the queue. Raises ServiceUnavailable."""
        return self._instance.enter(reserved=self._reserved)

    def leave(self) -> None:
        """Give the slot back."""
        self._instance.leave(reserved=self._reserved)

    __aenter__ = enter

    async def __aexit__(self, *_: object) -> None:
        """Leave, however the request ended."""
        self.leave()


class Host:
    """The instances, by name. They come and go while requests run."""

    def __init__(self, instances: Mapping[str, Instance]) -> None:
        """Take them as they are: not started."""
        self._instances = dict(instances)
        self._retiring: dict[asyncio.Task[None], Instance] = {}

    def slot(self, instance: str, *, reserved: bool = False) -> Hold:
        """A place on an instance, a kept one too for those who have reserved.

        Raises ServiceUnavailable when there is none of that name.
        """
        found = self._instances.get(instance)
        if found is None:
            raise ServiceUnavailable("no instance serves this deployment", 30)
        return Hold(found, reserved=reserved)

    def find(self, name: str) -> Instance | None:
        """The instance of that name."""
        return self._instances.get(name)

    def capabilities_of(self, instance: str) -> Capabilities | None:
        """What an instance can do; None until it has started once."""
        found = self._instances.get(instance)
        return found.capabilities if found is not None else None

    def instances(self) -> list[Instance]:
        """All of them: those of settings, then the others as they came."""
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

    def put(self, instance: Instance, grace_s: float) -> None:
        """Hand this one out from now on.

        One that had its name goes on with the requests it has, for at most `grace_s`, and is
        stopped then.
        """
        name = instance.spec.name
        before = self._instances.get(name)
        self._instances[name] = instance
        if before is not None and before is not instance:
            self._retire(before, grace_s)

    def remove(self, name: str, grace_s: float, linger_s: float = 0.0) -> None:
        """Hand it out no more after `linger_s`, let its requests finish, stop it."""
        found = self._instances.get(name)
        if found is not None:
            self._retire(found, grace_s, linger_s)

    def _retire(self, instance: Instance, grace_s: float, linger_s: float = 0.0) -> None:
        name = instance.spec.name

        async def retire() -> None:
            await asyncio.sleep(linger_s)
            if self._instances.get(name) is instance:
                del self._instances[name]
            await instance.retire(grace_s)

        task = asyncio.create_task(retire(), name=f"retire instance {name}")
        self._retiring[task] = instance
        task.add_done_callback(lambda done: self._retiring.pop(done, None))

    async def stop(self, grace_s: float) -> None:
        """Drain and stop all, side by side."""
        retiring = dict(self._retiring)
        for task in retiring:
            task.cancel()
        await asyncio.gather(*retiring, return_exceptions=True)
        every = [*self._instances.values(), *retiring.values()]
        await asyncio.gather(*(found.stop(grace_s) for found in every))

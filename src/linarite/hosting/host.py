"""All instances of this server, and the way requests get at them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from linarite.controls.quota.amounts import tokens_at_most
from linarite.controls.quota.rate import UNSAID_COMPLETION
from linarite.domain.errors import ServiceUnavailable
from linarite.domain.facts import Serving
from linarite.domain.service_tier import Rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from linarite.domain.engine import Capabilities, Slot
    from linarite.domain.facts import Deployment
    from linarite.domain.quota import Priced
    from linarite.hosting.fair_queue import Waiter
    from linarite.hosting.instance import Instance


class Hold:
    """A request's place on an instance: take it or enter it, run, leave."""

    __slots__ = ("_account", "_asked", "_instance", "_left", "_rank", "_waiter")

    def __init__(self, instance: Instance, rank: Rank, account: str, asked: Priced | None) -> None:
        """Nothing is taken until it is entered."""
        self._instance = instance
        self._rank = rank
        self._account = account
        self._asked = asked
        self._waiter: Waiter | None = None
        self._left = False

    def take(self) -> Slot | None:
        """The slot, if one is free."""
        return self._instance.take(self._rank)

    async def enter(self) -> Slot:
        """Wait in the queue; it may have been left before. Raises as `Gate.enter` does."""
        tokens = (
            1 if self._asked is None else tokens_at_most(self._asked.price(), UNSAID_COMPLETION)
        )
        slot, self._waiter = await self._instance.enter(self._rank, self._account, tokens)
        self._left = False
        return slot

    def leave(self) -> None:
        """Give the slot back, unless that has been done."""
        if self._left:
            return
        self._left = True
        waiter = self._waiter
        if waiter is None:
            self._instance.leave(self._rank)
            return
        used = self._asked.usage if self._asked is not None else None
        self._instance.leave(self._rank, waiter, used.total_tokens if used else None)

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

    def slot(
        self,
        instance: str,
        rank: Rank = Rank.DEFAULT,
        account: str = "",
        asked: Priced | None = None,
    ) -> Hold:
        """A place on an instance, in the class `rank` of its queue.

        `account` is who shares it fairly with others, by what is `asked` and then used.
        Raises ServiceUnavailable when there is none of that name.
        """
        found = self._instances.get(instance)
        if found is None:
            raise ServiceUnavailable("no instance serves this deployment", 30)
        return Hold(found, rank, account, asked)

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

"""When upgrades begin: a clock that the test moves, and jobs that end as the test says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.domain.declared import DECLARED_BY
from linarite.domain.jobs import PROVISION_DEPLOYMENT, JobProblem, new_job
from linarite.domain.model_lifecycle import Lifecycle
from linarite.domain.model_offer import Assortment, ModelOffer
from linarite.domain.resource import DEPLOYMENT_TYPE, Put, Resource
from linarite.hosting.deployable import with_default_versions
from linarite.jobs.upgrader import Upgrader
from linarite.storage.memory.jobs import MemoryJobStore
from linarite.storage.memory.resources import MemoryResourceStore

if TYPE_CHECKING:
    from linarite.domain.jobs import Job
    from linarite.domain.resource import Committed

pytestmark = pytest.mark.anyio

ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"
BEGIN = datetime.now(UTC)
DAY = timedelta(days=1)


@dataclass
class Bench:
    """Stores, a catalogue and a clock."""

    now: datetime = BEGIN
    offers: list[ModelOffer] = field(default_factory=list)
    told: int = 0
    jobs: MemoryJobStore = field(default_factory=MemoryJobStore)
    resources: MemoryResourceStore = field(init=False)
    upgrader: Upgrader = field(init=False)

    def __post_init__(self) -> None:
        self.resources = MemoryResourceStore(self.jobs)
        self.upgrader = Upgrader(
            self.resources,
            self.jobs,
            Offers(self),
            offers_changed=self.changed,
            clock=lambda: self.now,
        )

    async def changed(self) -> None:
        """Count."""
        self.told += 1

    def assortment(self) -> Assortment:
        """What is on offer."""
        return Assortment(with_default_versions(self.offers, self.now))

    def list(self, version: str, **life: Any) -> None:  # noqa: ANN401 - any JSON
        """List a version of `gpt`."""
        self.offers.append(ModelOffer(name="gpt", version=version, lifecycle=Lifecycle(**life)))

    async def deploy(self, name: str = "d", **properties: Any) -> str:  # noqa: ANN401 - any JSON
        """A deployment of version 1 that serves."""
        given = Resource(
            id=f"{ACCOUNT}/deployments/{name}",
            type=DEPLOYMENT_TYPE,
            name=name,
            sku={"name": "Standard", "capacity": 1},
            properties={
                "model": {"format": "OpenAI", "name": "gpt", "version": "1"},
                "provisioningState": "Succeeded",
                "versionUpgradeOption": "OnceNewDefaultVersionAvailable",
                **properties,
            },
        )
        return (await self.resources.put(given)).id

    async def running(self) -> list[Job]:
        """Jobs that have begun."""
        return await self.jobs.running("")

    async def end(self, job: Job, *, failed: bool) -> None:
        """End a job as its kind would."""
        deployment = await self.resources.get(job.resource_id)
        assert deployment is not None
        properties = deployment.properties | {"provisioningState": "Succeeded"}
        ended = job.failed(JobProblem("x", "no")) if failed else job.succeeded()
        ended = msgspec.structs.replace(ended, ended_at=self.now.isoformat())
        await self.resources.commit(
            [Put(msgspec.structs.replace(deployment, properties=properties))], [ended]
        )


class Offers:
    """The port over a bench's list."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def now(self) -> Assortment:
        """What is on offer."""
        return self._bench.assortment()


@pytest.fixture
def bench() -> Bench:
    """Version 1, which was the default one until 2 became it."""
    made = Bench()
    made.list("1", default_since=BEGIN - 9 * DAY)
    return made


async def test_an_upgrade_is_a_job_of_its_own_beside_the_deployment(bench: Bench) -> None:
    """The deployment keeps its version until the job has ended; it is only marked."""
    deployment_id = await bench.deploy()
    assert await bench.upgrader.sweep() == []
    bench.list("2", default_since=BEGIN)
    assert await bench.upgrader.sweep() == [deployment_id]
    assert bench.told == 1
    (job,) = await bench.running()
    assert job.kind == PROVISION_DEPLOYMENT
    assert job.scope == ACCOUNT
    assert job.arguments == {"model": {"name": "gpt", "version": "2", "format": "OpenAI"}}
    deployment = await bench.resources.get(deployment_id)
    assert deployment is not None
    assert deployment.properties["model"]["version"] == "1"
    assert deployment.properties["provisioningState"] == "Updating"
    assert await bench.upgrader.sweep() == []


async def test_the_clock_makes_upgrades_due(bench: Bench) -> None:
    """At its retirement, not before; deployments of one account go one after the other."""
    bench.offers.clear()
    bench.list("1", retired_at=BEGIN + DAY)
    bench.list("2")
    waiting = "OnceCurrentVersionExpired"
    first = await bench.deploy("a", versionUpgradeOption=waiting)
    second = await bench.deploy("b", versionUpgradeOption=waiting)
    await bench.deploy("c", versionUpgradeOption="NoAutoUpgrade")
    bench.now = BEGIN + DAY - timedelta(seconds=1)
    assert await bench.upgrader.sweep() == []
    bench.now = BEGIN + DAY
    assert await bench.upgrader.sweep() == [first]
    (job,) = await bench.running()
    await bench.end(job, failed=True)
    assert await bench.upgrader.sweep() == [second]


async def test_what_failed_is_tried_again_with_growing_pauses(bench: Bench) -> None:
    """The pauses are those of the jobs that are kept: a server that starts anew knows them."""
    bench.list("2", default_since=BEGIN)
    deployment_id = await bench.deploy()
    for pause_min in (1, 2, 4):
        assert await bench.upgrader.sweep() == [deployment_id]
        (job,) = await bench.running()
        await bench.end(job, failed=True)
        bench.now += timedelta(minutes=pause_min, seconds=-1)
        assert await bench.upgrader.sweep() == []
        bench.now += timedelta(seconds=1)
    bench.list("3", default_since=bench.now)
    assert await bench.upgrader.sweep() == [deployment_id]  # another target, another try


async def test_what_is_not_touched(bench: Bench) -> None:
    """Deployments of the settings, those that are being made, and accounts where a job runs."""
    bench.list("2", default_since=BEGIN)
    declared = await bench.deploy("declared")
    found = await bench.resources.get(declared)
    assert found is not None
    by_settings = msgspec.structs.replace(found, system_data={"createdBy": DECLARED_BY})
    await bench.resources.put(by_settings)
    for state in ("Creating", "Failed", "Updating"):
        await bench.deploy(state, provisioningState=state)
    assert await bench.upgrader.sweep() == []
    await bench.deploy("ready")
    other = new_job("other", f"{ACCOUNT}/deployments/other", scope=ACCOUNT)
    await bench.resources.commit([], [other])
    assert await bench.upgrader.sweep() == []


async def test_a_commit_wakes_it(bench: Bench) -> None:
    """Started, it needs no clock to hear of a deployment."""
    bench.list("2", default_since=BEGIN)
    begun = asyncio.Event()

    async def note(committed: Committed) -> None:
        if committed.jobs:
            begun.set()

    bench.resources.subscribe(note)
    await bench.upgrader.start()
    try:
        await bench.deploy()
        async with asyncio.timeout(30):
            await begun.wait()
        assert [job.resource_id[-2:] for job in await bench.running()] == ["/d"]
    finally:
        await bench.upgrader.stop()

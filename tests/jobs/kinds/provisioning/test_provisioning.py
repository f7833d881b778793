"""A deployment is provisioned for real: placed, loaded, warmed up, measured; or it says why not."""

from __future__ import annotations

import asyncio
from math import ceil
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from structlog.testing import capture_logs

from linarite.domain.chat import ChatAsk, UserMessage
from linarite.domain.jobs import PROVISION_DEPLOYMENT, new_job
from linarite.domain.placement import (
    INSTANCE_TYPE,
    PLACEMENT_TYPE,
    InstanceRecord,
    instance_of,
    instance_resource,
    placement_of,
)
from linarite.domain.service_tier import Rank
from linarite.domain.upgrades import UPGRADE_TO
from linarite.hosting import provisioner as module
from linarite.setting_tree import Settings
from linarite.storage.memory.jobs import MemoryJobStore
from linarite.storage.memory.resources import MemoryResourceStore
from tests.jobs.kinds.provisioning.site import site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from linarite.domain.engine import Engine, Slot
    from tests.jobs.kinds.provisioning.site import Site

pytestmark = pytest.mark.anyio

SIMULATED = {"engine": "simulator", "options": {"seed": 1}}


@pytest.fixture(autouse=True)
def quiet_and_quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No log lines among the dots; instances that have to go are gone at once."""
    monkeypatch.setattr(module, "LINGER_S", 0.0)
    with capture_logs():
        yield


class Land:
    """Stores that outlive sites."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs = MemoryJobStore()
        self.resources = MemoryResourceStore(self.jobs)

    def site(self, **settings: Any) -> AbstractAsyncContextManager[Site]:  # noqa: ANN401 - TOML
        """A running site with these settings over simulated instances."""
        given = {"hosting": SIMULATED} | settings
        return site(
            self.folder, self.resources, self.jobs, msgspec.convert(given, Settings, strict=False)
        )


@pytest.fixture
def land(tmp_path: Path) -> Land:
    """Empty stores."""
    return Land(tmp_path)


@pytest.fixture
async def simple(land: Land) -> AsyncIterator[Site]:
    """One site, simulated instances, no regions."""
    async with land.site() as running:
        yield running


async def ask(slot: Slot) -> str:
    """A short chat on an instance."""
    engine: Engine = slot.engine
    events = engine.chat(ChatAsk(messages=[UserMessage(content="hi")], max_tokens=4))
    async for _ in events:
        return "answered"
    return "nothing"


async def test_a_deployment_becomes_ready_with_what_was_measured(simple: Site) -> None:
    """It serves, its placement says on what, and the instance's record what it can do."""
    job = await simple.deploy()
    assert (await simple.state(), simple.instance_of()) == ("Creating", None)
    await simple.worker.idle()
    ended = await simple.jobs.get(job.id)
    assert ended is not None
    assert (ended.status, ended.error) == ("Succeeded", None)
    assert (await simple.state(), simple.instance_of()) == ("Succeeded", "gpt-4o")
    (kept,) = await simple.resources.list_under("", INSTANCE_TYPE)
    record = instance_of(kept)
    assert (record.engine, record.slots, record.model) == ("simulator", 4, "gpt-4o")
    assert record.measured is not None
    assert record.measured.tokens_per_second > 0
    async with simple.host.slot("gpt-4o") as slot:
        assert await ask(slot) == "answered"
        assert slot.capabilities.parallel_requests == 4


async def test_progress_is_told_while_it_loads(land: Land) -> None:
    """The operation names the step and counts up."""
    slow = SIMULATED | {"options": {"load_s": 1.2}}
    seen: list[tuple[float, str]] = []
    async with land.site(hosting=slow) as running:
        job = await running.deploy()
        while (now := await running.jobs.get(job.id)) is not None and now.running:
            seen.append((now.percent_complete, now.doing))
            await asyncio.sleep(0.02)
    percents = [percent for percent, _ in seen]
    assert percents == sorted(percents)
    loading = {percent for percent, doing in seen if doing == "loading gpt-4o"}
    assert len(loading) >= 2
    assert min(loading) >= 20
    assert max(loading) <= 80


async def test_deployments_of_one_model_share_an_instance(simple: Site) -> None:
    """The second is ready without a second engine; the last one that goes takes it along."""
    await simple.deployed("one")
    await simple.deployed("two", "GPT-4o")
    await simple.deployed("other", "gpt-4o-mini")
    assert simple.instance_of("one") == simple.instance_of("two") == "gpt-4o"
    assert simple.instance_of("other") == "gpt-4o-mini"
    await simple.undeploy("one")
    await gone(simple, None)
    async with simple.host.slot("gpt-4o") as slot:
        assert await ask(slot) == "answered"
    await simple.undeploy("two")
    await gone(simple, "gpt-4o")
    assert [i.spec.name for i in simple.host.instances()] == ["gpt-4o-mini"]
    assert len(await simple.resources.list_under("", PLACEMENT_TYPE)) == 1
    assert len(await simple.resources.list_under("", INSTANCE_TYPE)) == 1


async def gone(running: Site, instance: str | None) -> None:
    """Return once tidying up is over and an instance is handed out no more."""
    async with asyncio.timeout(10):
        while instance and running.host.find(instance):  # noqa: ASYNC110 - a host is asked
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)


async def test_instances_of_settings_are_used_as_they_are(land: Land) -> None:
    """A deployment of their model is placed on them, and nothing is kept about them."""
    declared = {"mine": {"engine": "simulator", "model": "gpt-4o", "start": "first_use"}}
    async with land.site(instances=declared) as running:
        ended = await running.deployed()
        assert ended.status == "Succeeded"
        assert running.instance_of() == "mine"
        assert await running.resources.list_under("", INSTANCE_TYPE) == []
        await running.undeploy()
        await gone(running, None)
        assert running.host.find("mine") is not None


async def test_deleting_lets_running_requests_finish(simple: Site) -> None:
    """New calls find no deployment; the one under way ends well, then the engine is freed."""
    await simple.deployed()
    async with simple.host.slot("gpt-4o") as slot:
        await simple.undeploy()
        assert simple.instance_of() is None
        await gone(simple, "gpt-4o")
        assert await ask(slot) == "answered"
    assert await simple.resources.list_under("", PLACEMENT_TYPE) == []


async def test_scaling_drops_no_request(simple: Site) -> None:
    """Under load an instance is replaced by one with more places, and every request is answered."""
    await simple.deployed(capacity=1)
    answers: list[str] = []
    done = asyncio.Event()

    async def keep_asking() -> None:
        while not done.is_set():
            instance = simple.instance_of()
            assert instance is not None
            async with simple.host.slot(instance) as slot:
                answers.append(await ask(slot))
            await asyncio.sleep(0.001)

    asking = [asyncio.create_task(keep_asking()) for _ in range(12)]
    before = simple.host.find("gpt-4o")
    ended = await simple.deployed(capacity=200)
    count = len(answers)
    await asyncio.sleep(0.1)
    done.set()
    await asyncio.gather(*asking)
    assert ended.status == "Succeeded"
    after = simple.host.find("gpt-4o")
    assert after is not before
    assert after is not None
    assert after.capabilities is not None
    assert after.capabilities.parallel_requests == 8
    assert len(answers) > count
    assert set(answers) == {"answered"}


async def test_another_model_is_swapped_in_side_by_side(simple: Site) -> None:
    """The old instance serves until the new one does; then it goes."""
    await simple.deployed()
    job = await simple.deploy("chat", "gpt-4.1")
    assert simple.instance_of() == "gpt-4o"
    await simple.worker.idle()
    ended = await simple.jobs.get(job.id)
    assert ended is not None
    assert ended.status == "Succeeded"
    assert simple.instance_of() == "gpt-4.1"
    await gone(simple, "gpt-4o")


async def test_a_failed_change_leaves_what_served(land: Land) -> None:
    """The deployment says Failed and goes on serving as it did."""
    declared = {"mine": {"engine": "simulator", "model": "gpt-4o"}}
    async with land.site(hosting={"engine": "llamacpp"}, instances=declared) as running:
        await running.deployed()
        ended = await running.deployed("chat", "absent")
        assert ended.status == "Failed"
        assert await running.state() == "Failed"
        assert running.instance_of() == "mine"


async def test_an_engine_that_does_not_come_up_fails_the_deployment(land: Land) -> None:
    """With the engine's own words; calls find no deployment, and nothing is left behind."""
    broken = SIMULATED | {"options": {"reply_tokens": 0}}
    async with land.site(hosting=broken) as running:
        ended = await running.deployed()
        assert ended.status == "Failed"
        assert ended.error is not None
        assert ended.error.code == "DeploymentFailed"
        assert "reply_tokens" in ended.error.message
        assert (await running.state(), running.instance_of()) == ("Failed", None)
        await gone(running, "gpt-4o")
        assert await running.resources.list_under("", INSTANCE_TYPE) == []


async def test_a_model_that_is_not_there_is_refused(land: Land) -> None:
    """With Azure's code, and how to add it."""
    async with land.site(hosting={"engine": "llamacpp"}) as running:
        ended = await running.deployed()
    assert ended.error is not None
    assert ended.error.code == "DeploymentModelNotSupported"
    assert "linarite model add gpt-4o" in ended.error.message


async def test_the_next_server_has_the_same_instances(land: Land) -> None:
    """Deployments that were ready serve again without a job."""
    async with land.site() as running:
        await running.deployed()
    async with land.site() as running:
        assert running.instance_of() == "gpt-4o"
        async with running.host.slot("gpt-4o") as slot:
            assert await ask(slot) == "answered"


async def test_a_deployment_that_is_removed_meanwhile_ends_its_job(land: Land) -> None:
    """The job fails with what happened, and its instance is taken down."""
    slow = SIMULATED | {"options": {"load_s": 0.5}}
    async with land.site(hosting=slow) as running:
        job = await running.deploy()
        await asyncio.sleep(0.1)
        await running.undeploy()
        await running.worker.idle()
        ended = await running.jobs.get(job.id)
        assert ended is not None
        assert ended.error is not None
        assert ended.error.code == "ResourceNotFound"
        await gone(running, "gpt-4o")


REGIONS = {
    "swedencentral": {"data_zone": "eu", "title": "Sweden Central"},
    "germanywestcentral": {"data_zone": "eu"},
    "eastus": {"data_zone": "us"},
}


@pytest.mark.parametrize(
    ("sku", "declared_in", "outcome"),
    [
        ("Standard", "swedencentral", "mine"),
        ("Standard", "germanywestcentral", "gpt-4o-swedencentral"),
        ("DataZoneStandard", "germanywestcentral", "mine"),
        ("DataZoneStandard", "eastus", "gpt-4o-swedencentral"),
        ("GlobalStandard", "eastus", "mine"),
    ],
)
async def test_a_sku_chooses_among_regions(
    land: Land, sku: str, declared_in: str, outcome: str
) -> None:
    """An instance that is there is used where the SKU reaches it; else a new one near."""
    async with land.site(
        regions=REGIONS,
        account={"location": "swedencentral"},
        instances={"mine": {"engine": "simulator", "model": "gpt-4o", "region": declared_in}},
    ) as running:
        ended = await running.deployed(name=sku)
        assert ended.status == "Succeeded", ended.error
        assert running.instance_of() == outcome
        (placement,) = await running.resources.list_under("", PLACEMENT_TYPE)
        expected = declared_in if outcome == "mine" else "swedencentral"
        assert placement_of(placement).region == expected


async def test_provisioned_throughput_is_what_was_measured(land: Land) -> None:
    """Units beyond what the instance does are refused, with how many fit."""
    paced = {
        "engine": "simulator",
        "options": {"tokens_per_second": 100, "reply_tokens": 400},
        "tokens_per_second_per_ptu": 10,
    }
    async with land.site(hosting=paced) as running:
        first = await running.deployed("first", name="GlobalProvisionedManaged", capacity=10)
        assert first.status == "Succeeded", first.error
        (kept,) = await running.resources.list_under("", PLACEMENT_TYPE)
        placement = placement_of(kept)
        assert placement.reserved == 100
        assert placement.measured is not None
        assert 150 < placement.measured.tokens_per_second < 450
        facts = running.facts.for_account("a").deployment("first")
        assert facts is not None
        assert facts.rank is Rank.PROVISIONED
        instance = running.host.find("gpt-4o")
        assert instance is not None
        free = instance.gate.parallel - ceil(4 * 100 / placement.measured.tokens_per_second)
        for _ in range(free):
            await instance.enter()
        waiting = asyncio.create_task(instance.enter())
        await asyncio.sleep(0)
        assert instance.gate.waiting == 1
        await instance.enter(Rank.PROVISIONED)
        instance.leave(Rank.PROVISIONED)
        waiting.cancel()
        for _ in range(free):
            instance.leave()
        too_much = await running.deployed("second", name="GlobalProvisionedManaged", capacity=500)
        assert too_much.error is not None
        assert too_much.error.code == "InsufficientResources"
        assert "at most" in too_much.error.message


async def test_a_deployment_that_loses_its_instance_gets_another(land: Land) -> None:
    """An instance is no longer declared, or another engine runs: at the next start it moves."""
    declared = {"mine": {"engine": "simulator", "model": "gpt-4o"}}
    async with land.site(instances=declared) as running:
        await running.deployed("one")
        await running.deployed("two", "gpt-4.1")
        assert (running.instance_of("one"), running.instance_of("two")) == ("mine", "gpt-4.1")
    async with land.site() as running:
        await running.worker.idle()
        assert (running.instance_of("one"), running.instance_of("two")) == ("gpt-4o", "gpt-4.1")
        assert await running.state("one") == "Succeeded"
    other = {"gpt-4.1": {"engine": "simulator", "model": "gpt-4.1"}}
    async with land.site(hosting={"engine": "llamacpp"}, instances=other) as running:
        await running.worker.idle()
        assert running.instance_of("two") == "gpt-4.1"
        assert await running.state("one") == "Failed"
        (job, *_) = await running.jobs.of(f"{running.account}/deployments/one")
        assert job.error is not None
        assert job.error.code == "DeploymentModelNotSupported"


async def test_what_a_dead_server_had_begun_to_remove_is_removed(land: Land) -> None:
    """An instance's record without a deployment is forgotten at the next start."""
    stray = InstanceRecord("stray", "simulator", "gpt-4o", "1", "", 4)
    await land.resources.put(instance_resource(stray))
    async with land.site() as running:
        assert running.host.instances() == []
        assert await running.resources.list_under("", INSTANCE_TYPE) == []


@pytest.mark.parametrize(
    ("hosting", "ends"), [(SIMULATED, "Succeeded"), ({"engine": "llamacpp"}, "Failed")]
)
async def test_an_upgrade_that_fails_changes_nothing(
    land: Land, hosting: dict[str, Any], ends: str
) -> None:
    """Where there is nothing to run, the deployment keeps its version and its instance."""
    declared = {"only": {"engine": "simulator", "model": "gpt-4o", "model_version": "1"}}
    async with land.site(hosting=hosting, instances=declared) as running:
        assert (await running.deployed()).status == "Succeeded"
        before = running.instance_of()
        deployment_id = f"{running.account}/deployments/chat"
        target = {"name": "gpt-4o", "version": "2", "format": "OpenAI"}
        upgrade = new_job(PROVISION_DEPLOYMENT, deployment_id, arguments={UPGRADE_TO: target})
        await running.resources.commit([], [upgrade])
        await running.worker.idle()
        ended = await running.jobs.get(upgrade.id)
        deployment = await running.resources.get(deployment_id)
        assert ended is not None
        assert deployment is not None
        assert ended.status == ends
        assert deployment.properties["provisioningState"] == "Succeeded"
        moved = ends == "Succeeded"
        assert deployment.properties["model"]["version"] == ("2" if moved else "1")
        assert (running.instance_of() != before) is moved
        assert ended.error is None or ended.error.code == "DeploymentModelNotSupported"

"""The life of an instance: started, used, dead, started again, stopped."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from linarite.domain.engine import Capabilities, InstanceSpec
from linarite.domain.errors import EngineFailed, ServiceUnavailable, SetupError
from linarite.hosting import instance as module
from linarite.hosting.instance import Instance
from linarite.hosting.options import InstanceSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from linarite.domain.engine import Engine

pytestmark = pytest.mark.anyio

SPEC = InstanceSpec(name="one", engine="scripted", model="m")


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[Any]]:
    """What is logged meanwhile."""
    with capture_logs() as entries:
        yield entries


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off in hundredths of seconds."""
    monkeypatch.setattr(module, "BACK_OFF_FIRST_S", 0.02)


class Life:
    """An engine that lives as its script says."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.problem = problem
        self.load = asyncio.Event()
        self.load.set()
        self.die = asyncio.Event()
        self.ended: Exception | None = None
        self.starts = 0
        self.stops = 0
        self.able = Capabilities(chat_completion=True, parallel_requests=2)

    async def start(self, progress: Callable[[float, str], None]) -> Capabilities:
        """Load when allowed to."""
        self.starts += 1
        progress(0.25, "reading weights")
        await self.load.wait()
        if self.problem is not None:
            raise self.problem
        return self.able

    async def wait_exit(self) -> str:
        """Live until told to die."""
        await self.die.wait()
        if self.ended is not None:
            raise self.ended
        return "killed by signal 9"

    async def stop(self, grace_s: float) -> None:
        """Count it."""
        assert grace_s == 0
        self.stops += 1

    chat = complete = embed = None


class Nursery:
    """Builds the lives it was given, one after the other; the last one again and again."""

    def __init__(self, *lives: Life) -> None:
        self.lives = list(lives)
        self.built: list[Life] = []

    async def build(self, spec: InstanceSpec) -> Engine:
        """The next life."""
        assert spec is SPEC
        life = self.lives[min(len(self.built), len(self.lives) - 1)]
        self.built.append(life)
        return life  # pyright: ignore[reportReturnType] # as much of an engine as is needed

    def instance(self, **policy: Any) -> Instance:  # noqa: ANN401 - settings
        """An instance of these lives."""
        return Instance(SPEC, self.build, InstanceSettings(**policy))


async def until(true: Callable[[], bool]) -> None:
    """Return once a condition holds."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - supervision tells nobody
            await asyncio.sleep(0.002)


async def test_the_first_use_starts_it_and_all_wait_for_one_start() -> None:
    """Requests that come while it loads wait together, and are served in the order of coming."""
    life = Life()
    life.load.clear()
    nursery = Nursery(life)
    instance = nursery.instance()
    assert (instance.state, instance.capabilities) == ("NotStarted", None)
    order: list[int] = []

    async def request(number: int) -> None:
        slot, _ = await instance.enter()
        assert slot.engine is life
        assert slot.model == "m"
        order.append(number)
        instance.leave()

    tasks = [asyncio.create_task(request(number)) for number in range(10)]
    await until(lambda: life.starts == 1)
    assert (instance.state, instance.detail) == ("Starting", "reading weights (25%)")
    life.load.set()
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks)
    assert order == list(range(10))
    assert (life.starts, len(nursery.built)) == (1, 1)
    assert (instance.state, instance.detail) == ("Ready", "")
    assert instance.capabilities == life.able
    assert instance.gate.parallel == 2
    await instance.stop(0)
    assert (instance.state, life.stops) == ("Stopped", 1)


async def test_starting_twice_is_starting_once() -> None:
    """`start` is idempotent, and `settled` returns when the first start is over."""
    nursery = Nursery(Life())
    instance = nursery.instance()
    async with asyncio.timeout(10):
        await instance.settled()
    assert instance.state == "NotStarted"
    instance.start()
    instance.start()
    async with asyncio.timeout(10):
        await instance.settled()
    assert instance.state == "Ready"
    assert len(nursery.built) == 1
    await instance.stop(0)


async def test_loading_may_take_too_long_for_a_request() -> None:
    """503 with what is going on; the loading goes on, and serves those who come later."""
    life = Life()
    life.load.clear()
    instance = Nursery(life).instance(start_wait_s=0.05)
    with pytest.raises(ServiceUnavailable, match=r"the model is loading: reading weights \(25%\)"):
        await instance.enter()
    life.load.set()
    await until(lambda: instance.state == "Ready")
    await instance.enter()
    instance.leave()
    await instance.stop(0)


async def test_only_so_many_wait_for_the_loading() -> None:
    """As many as may wait in the queue; it would not hold them all afterwards."""
    life = Life()
    life.load.clear()
    instance = Nursery(life).instance(queue_max=3)
    waiting = [asyncio.create_task(instance.enter()) for _ in range(4)]
    await until(lambda: life.starts == 1)
    with pytest.raises(ServiceUnavailable, match=r"instances\.\*\.queue_max") as refused:
        await instance.enter()
    assert "retry-after" in refused.value.headers
    waiting[0].cancel()
    await asyncio.sleep(0)
    waiting.append(asyncio.create_task(instance.enter()))
    await asyncio.sleep(0)
    life.load.set()
    await until(lambda: instance.gate.running == 2)
    instance.leave()
    instance.leave()
    async with asyncio.timeout(10):
        await asyncio.gather(*waiting[1:])
    instance.leave()
    instance.leave()
    await instance.stop(0)


async def test_without_a_queue_the_first_request_still_waits_for_its_start() -> None:
    """`queue_max` 0 refuses who would wait behind another, not who is first."""
    instance = Nursery(Life()).instance(queue_max=0)
    async with asyncio.timeout(10):
        await instance.enter()
    instance.leave()
    await instance.stop(0)


async def test_an_engine_that_dies_is_started_again() -> None:
    """Who runs is told by the engine; who waits is refused with a wait; then it serves again."""
    first, second = Life(), Life()
    second.load.clear()
    first.able = Capabilities(chat_completion=True, parallel_requests=1)
    instance = Nursery(first, second).instance()
    await instance.enter()
    queued = asyncio.create_task(instance.enter())
    await until(lambda: instance.gate.waiting == 1)
    first.die.set()
    with pytest.raises(ServiceUnavailable, match="is being restarted") as refused:
        await queued
    assert int(refused.value.headers["retry-after-ms"]) >= 1
    assert first.stops == 1
    instance.leave()
    await until(lambda: second.starts == 1)
    assert instance.state == "Starting"
    served = asyncio.create_task(instance.enter())
    second.load.set()
    async with asyncio.timeout(10):
        assert (await served)[0].engine is second
    instance.leave()
    await instance.stop(0)


async def test_while_it_backs_off_requests_are_refused_at_once() -> None:
    """With the time until the next attempt; nobody waits for what is not even being tried."""
    life = Life(EngineFailed("no"))
    instance = Nursery(life).instance()
    with pytest.raises(ServiceUnavailable, match="is being restarted") as refused:
        await instance.enter()
    assert int(refused.value.headers["retry-after"]) >= 1
    assert instance.state == "BackingOff"
    assert instance.detail == "no"
    with pytest.raises(ServiceUnavailable, match="is being restarted"):
        await instance.enter()
    await instance.stop(0)


@pytest.mark.parametrize(
    ("problem", "state", "detail"),
    [
        (SetupError("Set x to y."), "Failed", "Set x to y."),
        (EngineFailed("It broke."), "BackingOff", "It broke."),
        (ServiceUnavailable("busy"), "BackingOff", "busy"),
        (ImportError("no module named z"), "Failed", "ImportError: no module named z"),
    ],
)
async def test_a_start_that_fails_is_tried_again(
    problem: Exception, state: str, detail: str, logged: list[Any]
) -> None:
    """Its state and reason can be read; a caller learns neither paths nor engine texts."""
    good = Life()
    nursery = Nursery(Life(problem), good)
    nursery.lives[0].load.clear()
    instance = nursery.instance()
    instance.start()
    request = asyncio.create_task(instance.enter())
    await until(lambda: nursery.built != [])
    nursery.lives[0].load.set()
    with pytest.raises(ServiceUnavailable) as refused:
        await request
    assert detail not in refused.value.message
    assert instance.state == state
    assert detail in instance.detail
    assert nursery.lives[0].stops == 1
    await until(lambda: instance.state == "Ready")
    assert [entry["event"] for entry in logged].count("instance down") == 1
    await instance.stop(0)


async def test_a_builder_that_fails_is_a_start_that_fails() -> None:
    """A model that is not in the store, an engine that is not installed."""

    async def build(spec: InstanceSpec) -> Engine:
        message = f"{spec.model} is not in the store."
        raise SetupError(message)

    instance = Instance(SPEC, build, InstanceSettings())
    instance.start()
    async with asyncio.timeout(10):
        await instance.settled()
    assert (instance.state, instance.detail) == ("Failed", "m is not in the store.")
    await instance.stop(0)


async def test_pauses_grow_and_never_end_the_supervision(
    monkeypatch: pytest.MonkeyPatch, logged: list[Any]
) -> None:
    """Twice as long each time up to the bound, however many hours it fails."""
    monkeypatch.setattr(module, "BACK_OFF_FIRST_S", 1e-6)
    monkeypatch.setattr(module, "BACK_OFF_MAX_S", 4e-6)
    instance = Nursery(Life(EngineFailed("no"))).instance()
    instance.start()

    def pauses() -> list[float]:
        return [entry["wait_s"] for entry in logged if entry["event"] == "instance down"]

    await until(lambda: len(pauses()) > 1100)
    assert pauses()[:4] == [1e-6, 2e-6, 4e-6, 4e-6]
    assert set(pauses()[2:]) == {4e-6}
    await instance.stop(0)


async def test_an_engine_that_served_long_starts_again_quickly(
    monkeypatch: pytest.MonkeyPatch, logged: list[Any]
) -> None:
    """Only failures in a row make the pauses grow; loading long is not serving long."""
    monkeypatch.setattr(module, "HEALTHY_AFTER_S", 0.0)
    lives = [Life(EngineFailed("no")), Life(EngineFailed("no")), Life(), Life()]
    lives[2].die.set()
    instance = Nursery(*lives).instance()
    instance.start()
    await until(lambda: instance.state == "Ready" and lives[3].starts == 1)
    pauses = [entry["wait_s"] for entry in logged if entry["event"] == "instance down"]
    assert pauses == [0.02, 0.04, 0.02]
    await instance.stop(0)


async def test_an_engine_that_ends_in_an_error_is_supervised_all_the_same() -> None:
    """Whether its watch raises or it can't be stopped well, the next one is started."""

    class Stubborn(Life):
        async def stop(self, grace_s: float) -> None:
            await super().stop(grace_s)
            message = "can't stop"
            raise RuntimeError(message)

    first, second = Stubborn(), Life()
    first.ended = ValueError("watch broke")
    first.die.set()
    instance = Nursery(first, second).instance()
    instance.start()
    await until(lambda: second.starts == 1 and instance.state == "Ready")
    await instance.stop(0)


async def test_stopping_drains() -> None:
    """Who runs finishes, who waits is refused, who comes is refused; then the engine is freed."""
    life = Life()
    life.able = Capabilities(parallel_requests=1)
    instance = Nursery(life).instance()
    await instance.enter()
    queued = asyncio.create_task(instance.enter())
    await until(lambda: instance.gate.waiting == 1)
    stopping = asyncio.create_task(instance.stop(60))
    with pytest.raises(ServiceUnavailable, match="shutting down"):
        await queued
    with pytest.raises(ServiceUnavailable, match="shutting down"):
        await instance.enter()
    assert life.stops == 0
    assert not stopping.done()
    instance.leave()
    async with asyncio.timeout(10):
        await stopping
    assert life.stops == 1


async def test_stopping_does_not_wait_for_ever() -> None:
    """After the grace the engine goes, whoever still runs."""
    life = Life()
    instance = Nursery(life).instance()
    await instance.enter()
    async with asyncio.timeout(10):
        await instance.stop(0.05)
    assert life.stops == 1
    instance.leave()


async def test_stopping_tells_those_who_wait_for_the_loading() -> None:
    """At once, and not when their own patience is over."""
    life = Life()
    life.load.clear()
    instance = Nursery(life).instance(start_wait_s=600)
    waiting = [asyncio.create_task(instance.enter()) for _ in range(3)]
    await until(lambda: life.starts == 1)
    await instance.stop(60)
    async with asyncio.timeout(10):
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert all("shutting down" in str(outcome) for outcome in outcomes)
    assert (instance.state, life.stops) == ("Stopped", 1)


async def test_stopped_is_for_ever() -> None:
    """Nothing starts it again: no request, no `start`, no engine that dies while it drains."""
    first, second = Life(), Life()
    nursery = Nursery(first, second)
    instance = nursery.instance()
    await instance.enter()
    stopping = asyncio.create_task(instance.stop(60))
    await asyncio.sleep(0)
    first.die.set()
    await until(lambda: first.stops == 1)
    await asyncio.sleep(0.1)
    assert (instance.state, second.starts) == ("Stopped", 0)
    instance.leave()
    async with asyncio.timeout(10):
        await stopping
    instance.start()
    with pytest.raises(ServiceUnavailable, match="shutting down"):
        await instance.enter()
    assert (instance.state, second.starts) == ("Stopped", 0)


async def test_one_that_never_started_can_be_stopped() -> None:
    """And does not start afterwards."""
    nursery = Nursery(Life())
    instance = nursery.instance()
    await instance.stop(60)
    with pytest.raises(ServiceUnavailable, match="shutting down"):
        await instance.enter()
    assert nursery.built == []


async def test_an_idle_model_is_unloaded_and_loaded_on_demand() -> None:
    """It is freed after its pause, not while somebody is inside; the next request waits for it."""
    first, second = Life(), Life()
    nursery = Nursery(first, second)
    instance = nursery.instance(unload_after_s=0.05)
    instance.start()
    await instance.enter()
    await asyncio.sleep(0.15)
    assert (instance.state, first.stops) == ("Ready", 0)
    instance.leave()
    await until(lambda: first.stops == 1)
    assert instance.state == "NotStarted"
    assert "nobody asked" in instance.detail
    await instance.settled()
    second.load.clear()
    entering = asyncio.create_task(instance.enter())
    await until(lambda: second.starts == 1)
    assert instance.state == "Starting"
    second.load.set()
    slot, _ = await entering
    assert slot.engine is second
    instance.leave()
    await instance.stop(0)
    assert second.stops == 1


async def test_loading_is_not_idling() -> None:
    """The time counts from when it can serve, however long it took to load."""
    life = Life()
    life.load.clear()
    instance = Nursery(life).instance(unload_after_s=0.1)
    instance.start()
    await asyncio.sleep(0.15)
    life.load.set()
    await until(lambda: instance.state == "Ready")
    await asyncio.sleep(0.03)
    assert instance.state == "Ready"
    await until(lambda: instance.state == "NotStarted")
    await instance.stop(0)


async def test_an_unloaded_model_is_loaded_while_it_is_still_being_freed() -> None:
    """A request in that very moment waits for the new engine."""

    class SlowToGo(Life):
        """Takes its time to stop."""

        async def stop(self, grace_s: float) -> None:
            await asyncio.sleep(0.05)
            await super().stop(grace_s)

    first, second = SlowToGo(), Life()
    nursery = Nursery(first, second)
    instance = nursery.instance(unload_after_s=0.02)
    instance.start()
    await until(
        lambda: (
            instance.state == "NotStarted"
            and len(nursery.built) == 1
            and instance.capabilities is not None
        )
    )
    assert first.stops == 0
    slot, _ = await instance.enter()
    assert (slot.engine, first.stops) == (second, 1)
    instance.leave()
    await instance.stop(0)


async def test_an_engine_that_dies_while_idle_is_started_again() -> None:
    """Unloading is not the only way out."""
    first, second = Life(), Life()
    nursery = Nursery(first, second)
    instance = nursery.instance(unload_after_s=30)
    instance.start()
    await until(lambda: instance.state == "Ready")
    first.die.set()
    await until(lambda: len(nursery.built) == 2 and instance.state == "Ready")
    await instance.stop(0)


async def test_one_that_watches_for_idleness_stops_whole() -> None:
    """No task of it is left."""
    before = asyncio.all_tasks()
    instance = Nursery(Life()).instance(unload_after_s=30)
    instance.start()
    await instance.settled()
    await asyncio.sleep(0)
    await instance.stop(0)
    assert asyncio.all_tasks() == before


async def test_retiring_serves_who_is_inside_and_who_waits() -> None:
    """Everybody who came before gets an answer; then the engine is freed."""
    life = Life()
    instance = Nursery(life).instance()
    instance.start()
    served: list[int] = []

    async def request(number: int) -> None:
        await instance.enter()
        await asyncio.sleep(0.02)
        served.append(number)
        instance.leave()

    requests = [asyncio.create_task(request(number)) for number in range(7)]
    await until(lambda: instance.gate.running == 2)
    await instance.retire(5)
    await asyncio.gather(*requests)
    assert sorted(served) == list(range(7))
    assert (instance.state, life.stops) == ("Stopped", 1)


async def test_retiring_waits_for_those_who_wait_for_the_start() -> None:
    """Also a start that is under way is somebody's."""
    life = Life()
    life.load.clear()
    instance = Nursery(life).instance()
    entering = asyncio.create_task(instance.enter())
    await until(lambda: life.starts == 1)
    retiring = asyncio.create_task(instance.retire(5))
    await asyncio.sleep(0.05)
    life.load.set()
    await entering
    await asyncio.sleep(0.05)
    assert not retiring.done()
    instance.leave()
    await retiring


async def test_retiring_has_an_end() -> None:
    """A request that never ends is broken off after the grace."""
    life = Life()
    instance = Nursery(life).instance()
    instance.start()
    await instance.enter()
    await instance.retire(0.05)
    assert (instance.state, life.stops) == ("Stopped", 1)

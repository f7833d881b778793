"""Engines are looked at from time to time; one that says nothing holds nobody up."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest
from structlog.testing import capture_logs

from linarite.domain.engine import EngineUse, InstanceSpec
from linarite.domain.errors import ServiceUnavailable
from linarite.engines.llamacpp.use import use_of
from linarite.engines.llamacpp.wire import NextToken, SlotState
from linarite.hosting.engine_watch import EVERY_S, EngineWatch
from linarite.hosting.host import Host
from linarite.hosting.instance import Instance
from linarite.hosting.options import InstanceSettings
from tests.dataplane.rig import ScriptedEngine

pytestmark = pytest.mark.anyio


class Telling(ScriptedEngine):
    """An engine that says how it stands."""

    def __init__(self, *said: EngineUse) -> None:
        super().__init__()
        self.said = deque(said)

    async def use(self) -> EngineUse:
        """What it was told to say; then nothing."""
        if not self.said:
            raise ServiceUnavailable("busy")
        return self.said.popleft()


async def watched(*engines: ScriptedEngine, every_s: float = EVERY_S) -> EngineWatch:
    """A watch over instances that run these."""

    def of(name: str, engine: ScriptedEngine) -> Instance:
        async def build(spec: InstanceSpec) -> ScriptedEngine:
            del spec
            return engine

        return Instance(InstanceSpec(name, "scripted", "m"), build, InstanceSettings())

    names = [f"i{number}" for number in range(len(engines))]
    host = Host({name: of(name, each) for name, each in zip(names, engines, strict=True)})
    host.start(names)
    for instance in host.instances():
        await instance.settled()
    return EngineWatch(host, every_s)


async def test_engines_that_tell_are_told_of() -> None:
    """With the tokens of a second once they were looked at twice."""
    with capture_logs():
        first = EngineUse(slots=2, prompt_tokens=10, generated_tokens=5)
        later = EngineUse(slots=2, prompt_tokens=30, generated_tokens=25)
        watch = await watched(Telling(first, later), ScriptedEngine())
        await watch.look()
        assert watch.uses == {"i0": first}
        await watch.look()
        use = watch.uses["i0"]
        assert use.prompt_tokens == 30
        assert use.prompt_tokens_per_s
        assert use.prompt_tokens_per_s == use.generated_tokens_per_s
        await watch.look()
        assert watch.uses["i0"] == use


class Faulty(Telling):
    """An engine with a bug."""

    async def use(self) -> EngineUse:
        """Break."""
        raise ValueError("a bug")


async def test_a_fault_of_ours_ends_no_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """One engine's ends not the others', and none ends the watch."""
    with capture_logs() as logs:
        said = [EngineUse(slots=number) for number in range(1, 100)]
        watch = await watched(Faulty(), Telling(*said), every_s=0.01)
        await watch.look()
        assert watch.uses == {"i1": said[0]}
        looks = watch.look
        broken = [ValueError("a bug")]

        async def look() -> None:
            if broken:
                raise broken.pop()
            await looks()

        monkeypatch.setattr(watch, "look", look)
        watch.start()
        async with asyncio.timeout(5):
            while watch.uses["i1"].slots == 1:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        await watch.stop()
    assert {each["event"] for each in logs if each["log_level"] == "error"} == {
        "engine not looked at by our own fault",
        "engines not looked at by our own fault",
    }


async def test_an_engine_that_started_anew_has_no_rate() -> None:
    """Its counters begin again."""
    with capture_logs():
        watch = await watched(
            Telling(
                EngineUse(prompt_tokens=100, generated_tokens=9),
                EngineUse(prompt_tokens=5, generated_tokens=0),
            ),
        )
        await watch.look()
        await watch.look()
        assert watch.uses["i0"].prompt_tokens_per_s is None


def test_what_llamacpp_shows_is_read() -> None:
    """Counters of replies that are over, and slots of those that run."""
    busy = SlotState(is_processing=True, n_ctx=1000, n_prompt_tokens=250, next_token=[NextToken(7)])
    slots = [busy, SlotState(is_processing=False, n_ctx=1000)]
    text = "# HELP x\nllamacpp:prompt_tokens_total 34\nllamacpp:tokens_predicted_total 1e+02\n"
    assert use_of(slots, text) == EngineUse(
        slots=2, slots_busy=1, kv_cache_share=0.125, prompt_tokens=34, generated_tokens=107
    )
    assert use_of([], "") == EngineUse(kv_cache_share=0.0, prompt_tokens=0, generated_tokens=0)

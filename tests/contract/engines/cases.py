"""The engines the suite runs on: one function each, named in `CASES`.

A case that can't be run here calls `pytest.skip` with the cause.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linarite.controls.egress import EgressDialer, EgressPolicy
from linarite.domain.engine import InstanceSpec, Surroundings
from linarite.engines import build_engine
from linarite.engines.llamacpp.engine import LlamacppEngine
from linarite.engines.openvino.engine import OpenvinoEngine
from tests.engines.no_dialer import NoDialer
from tests.fake_upstream import FakeUpstream, serving
from tests.model_home import model_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from linarite.domain.engine import Engine

    Opened = AbstractAsyncContextManager[Engine]


@dataclass(frozen=True)
class EngineCase:
    """An engine as the suite needs it.

    `talker` and `embedder` open an engine that is built but not started, given a short private
    folder, and clear away what they needed for it (a server, say) when they are left. None where
    the engine has no such model. `talker` should be allowed at least two requests at a time.
    """

    talker: Callable[[Path], Opened] | None
    embedder: Callable[[Path], Opened] | None
    is_idle: Callable[[Engine], Awaitable[bool]]
    """whether no request is under way, asked of the engine itself"""
    reproducible: bool
    """the same seed gives the same text, streamed or not"""
    alternatives: bool = True
    """it knows which tokens could have come instead, and takes a `logit_bias`; else it refuses"""


def simulator() -> EngineCase:
    """The simulator needs nothing."""

    @asynccontextmanager
    async def opened(scratch: Path) -> AsyncIterator[Engine]:
        spec = InstanceSpec("contract", "simulator", "sim", options={"context_tokens": 2_000})
        yield build_engine(spec, Surroundings(scratch, NoDialer(), threads=1))

    async def is_idle(engine: Engine) -> bool:
        return getattr(engine, "running", None) == 0

    return EngineCase(opened, opened, is_idle, reproducible=True)


def upstream() -> EngineCase:
    """A server of the test's own is the upstream; the simulator answers there."""
    served: list[FakeUpstream] = []

    @asynccontextmanager
    async def opened(scratch: Path) -> AsyncIterator[Engine]:
        served.append(FakeUpstream())
        async with serving(served[-1]) as url:
            options = {
                "base_url": f"{url}/v1",
                "api_key": "key-of-the-upstream",
                "context_tokens": 2_000,
                "embedding_dimensions": 1_536,
                "completion": True,
                "embeddings": True,
                "fill_in_the_middle": True,
            }
            spec = InstanceSpec("contract", "upstream", "sim", options=options)
            dialer = EgressDialer(EgressPolicy(named_hosts=frozenset({"127.0.0.1"})))
            yield build_engine(spec, Surroundings(scratch, dialer, threads=1))

    async def is_idle(engine: Engine) -> bool:
        return getattr(engine, "running", None) == 0 and all(fake.active == 0 for fake in served)

    return EngineCase(opened, opened, is_idle, reproducible=True)


def llamacpp() -> EngineCase:
    """Real small models, each in a process of its own."""

    def opener(model: str, context_tokens: int) -> Callable[[Path], Opened]:
        @asynccontextmanager
        async def opened(scratch: Path) -> AsyncIterator[Engine]:
            spec = InstanceSpec(
                "contract",
                "llamacpp",
                model,
                model_path=str(model_file(model)),
                options={"context_tokens": context_tokens, "wait_policy": "passive"},
            )
            yield build_engine(spec, Surroundings(scratch, NoDialer(), threads=2))

        return opened

    async def is_idle(engine: Engine) -> bool:
        assert isinstance(engine, LlamacppEngine)
        return await engine.busy_slots() == 0

    return EngineCase(
        opener("smollm2-135m-instruct", 1_024),
        opener("multilingual-e5-small", 512),
        is_idle,
        reproducible=True,
    )


def openvino() -> EngineCase:
    """A real small model in a process of its own. Without a prompt cache, a seed is kept."""

    @asynccontextmanager
    async def opened(scratch: Path) -> AsyncIterator[Engine]:
        model = "smollm2-135m-instruct"
        spec = InstanceSpec(
            "contract",
            "openvino",
            model,
            model_path=str(model_file(model)),
            options={"context_tokens": 1_024, "parallel_requests": 4, "prompt_cache": False},
        )
        yield build_engine(spec, Surroundings(scratch, NoDialer(), threads=2))

    async def is_idle(engine: Engine) -> bool:
        assert isinstance(engine, OpenvinoEngine)
        return await engine.running_replies() == 0

    return EngineCase(opened, None, is_idle, reproducible=True, alternatives=False)


CASES: dict[str, Callable[[], EngineCase]] = {
    "llamacpp": llamacpp,
    "openvino": openvino,
    "simulator": simulator,
    "upstream": upstream,
}
"""engine name → its case; the names are those of `linarite.engines.ENGINES`"""

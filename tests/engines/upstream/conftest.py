"""A running engine with its upstream."""

from __future__ import annotations

from collections import deque
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from linarite.controls.egress import EgressDialer, EgressPolicy
from linarite.domain.chat import ChatAsk, UserMessage
from linarite.domain.engine import InstanceSpec, Surroundings
from linarite.engines.upstream.engine import UpstreamEngine
from tests.fake_upstream import FakeUpstream, serving

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from pathlib import Path

    from tests.fake_upstream import Answering

KEY = "sk-canary-5b1f"
MILLISECOND = {"retry-after-ms": "1"}


class Upstream(Protocol):
    """Starts an engine whose upstream behaves as told, request by request."""

    def __call__(
        self,
        *script: Callable[[Answering], Awaitable[None]],
        **options: Any,  # noqa: ANN401 - as in a settings file
    ) -> AbstractAsyncContextManager[tuple[UpstreamEngine, FakeUpstream]]:
        """`options` are the engine's; the last behaviour of the script is repeated."""
        ...


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    """See Upstream."""

    @asynccontextmanager
    async def opened(
        *script: Callable[[Answering], Awaitable[None]],
        **options: Any,  # noqa: ANN401 - as in a settings file
    ) -> AsyncGenerator[tuple[UpstreamEngine, FakeUpstream], None]:
        fake = FakeUpstream(deque(script[:-1]), script[-1] if script else None)
        async with serving(fake) as url:
            engine = engine_for(tmp_path, **{"base_url": f"{url}/v1", **options})
            await engine.start(lambda _share, _what: None)
            try:
                yield engine, fake
            finally:
                await engine.stop(1.0)

    return opened


def engine_for(scratch: Path, **options: Any) -> UpstreamEngine:  # noqa: ANN401 - as in a settings file
    """An engine that may reach this machine."""
    spec = InstanceSpec("up", "upstream", "gpt", options={"api_key": KEY, **options})
    dialer = EgressDialer(EgressPolicy(named_hosts=frozenset({"127.0.0.1"})))
    return UpstreamEngine(spec, Surroundings(scratch, dialer, threads=1))


def chat_ask(**fields: Any) -> ChatAsk:  # noqa: ANN401 - the fields of a request
    """A chat with one message."""
    return ChatAsk(messages=[UserMessage(content="hi")], model="mine", **fields)

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from linarite.domain.embedding import EmbeddingAsk
from linarite.domain.errors import (
    ConnectionDropped,
    EngineFailed,
    InvalidRequest,
    LinariteError,
    RequestTimedOut,
    ServiceUnavailable,
    TooManyRequests,
)
from tests.engines.simulator.builders import (
    chat_ask,
    collect,
    complete,
    on_jumping_clock,
    running,
    say,
    timed,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatEvent
    from linarite.engines.simulator.engine import SimulatorEngine

ERRORS = {
    "429": TooManyRequests,
    "500": EngineFailed,
    "503": ServiceUnavailable,
    "408": RequestTimedOut,
    "cut_mid_stream": EngineFailed,
    "drop": ConnectionDropped,
}


async def until_failure(
    events: AsyncGenerator[ChatEvent, None],
) -> tuple[list[ChatEvent], LinariteError | None]:
    """The events that came, and the error after them."""
    seen: list[ChatEvent] = []
    try:
        async for event in events:
            seen.append(event)  # noqa: PERF401 - a comprehension would lose them at the error
    except LinariteError as error:
        return seen, error
    return seen, None


async def outcomes(engine: SimulatorEngine, count: int) -> list[str]:
    """What became of so many requests: ok or the code of the error."""
    seen: list[str] = []
    for _ in range(count):
        try:
            await say(engine, "Go")
            seen.append("ok")
        except LinariteError as error:
            seen.append(str(error.status))
    return seen


@pytest.mark.anyio
@pytest.mark.parametrize("fault", ERRORS)
async def test_each_fault_is_the_error_of_the_port(fault: str) -> None:
    """A fault can't be told from the real thing by its class, status or headers."""
    async with running(fault_script=[fault], retry_after_s=7) as engine:
        with pytest.raises(ERRORS[fault]) as failed:
            await say(engine, "Go")
        assert await say(engine, "Go")
    assert failed.value.status == (int(fault) if fault.isdigit() else 500)
    waits = failed.value.headers.get("retry-after-ms")
    assert waits == ("7000" if fault in {"429", "503"} else None)


@pytest.mark.anyio
async def test_a_script_gives_outcomes_in_order_and_ends() -> None:
    """Request 1, 2, 3 … get what the script says, later ones are fine."""
    async with running(fault_script=["ok", 429, "500"]) as engine:
        assert await outcomes(engine, 5) == ["ok", "429", "500", "ok", "ok"]


@pytest.mark.anyio
async def test_a_script_may_repeat() -> None:
    """A repeating script never ends."""
    async with running(fault_script=["ok", "503"], fault_script_repeats=True) as engine:
        assert await outcomes(engine, 6) == ["ok", "503"] * 3


@pytest.mark.anyio
async def test_every_nth_request_fails() -> None:
    """The count goes over all requests."""
    async with running(faults=[{"kind": "429", "every_nth": 3}]) as engine:
        assert await outcomes(engine, 7) == ["ok", "ok", "429"] * 2 + ["ok"]


@pytest.mark.anyio
async def test_rates_are_drawn_by_the_seed() -> None:
    """About the share fails, and the same requests fail again under the same seed."""

    async def drawn(seed: int) -> list[str]:
        async with running(seed=seed, faults=[{"kind": "500", "rate": 0.25}]) as engine:
            return await outcomes(engine, 400)

    first = await drawn(1)
    assert 60 < first.count("500") < 140
    assert first == await drawn(1)
    assert first != await drawn(2)


@pytest.mark.anyio
async def test_a_later_rule_keeps_its_draws() -> None:
    """Adding a rule in front does not move another rule's faults, except where both fire."""
    later = {"kind": "500", "rate": 0.25}
    async with (
        running(faults=[{"kind": "429", "every_nth": 7}, later]) as both,
        running(faults=[later]) as alone,
    ):
        pairs = zip(await outcomes(both, 100), await outcomes(alone, 100), strict=True)
        assert all(one == other for one, other in pairs if one != "429")


@pytest.mark.anyio
async def test_faults_strike_every_operation_in_one_order() -> None:
    """Completions and embeddings count with chats."""
    async with running(fault_script=["ok", "429", "cut_mid_stream", "503"]) as engine:
        await say(engine, "Go")
        with pytest.raises(TooManyRequests):
            await complete(engine, "Go")
        with pytest.raises(EngineFailed):
            await engine.embed(EmbeddingAsk(input="Go"))
        with pytest.raises(ServiceUnavailable):
            await engine.embed(EmbeddingAsk(input="Go"))
        await engine.embed(EmbeddingAsk(input="Go"))


@pytest.mark.anyio
@pytest.mark.parametrize(("after", "reply_tokens"), [(4, 60), (0, 60), (1_000, 5)])
async def test_a_stream_is_cut_where_it_is_told(after: int, reply_tokens: int) -> None:
    """So many events come, and at the latest before the last one it breaks off."""
    options = {"fault_after_chunks": after, "reply_tokens": reply_tokens}
    async with running(fault_script=["cut_mid_stream"], **options) as engine:
        seen, failed = await until_failure(engine.chat(chat_ask("Go", stream=True)))
        assert isinstance(failed, EngineFailed)
        whole = await collect(engine.chat(chat_ask("Go", stream=True)))
    assert len(seen) == min(after, len(whole) - 1)
    assert seen == whole[: len(seen)]


def test_a_stalled_stream_goes_on_after_its_pause() -> None:
    """Nothing is lost by a stall that is shorter than the deadline."""

    async def check() -> tuple[list[tuple[float, ChatEvent]], list[ChatEvent]]:
        async with running(fault_script=["stall"], stall_s=12) as engine:
            stalled = await timed(engine.chat(chat_ask("Go", stream=True)))
            return stalled, await collect(engine.chat(chat_ask("Go", stream=True)))

    stalled, whole = on_jumping_clock(check())
    assert [event for _, event in stalled] == whole
    assert [at for at, _ in stalled] == pytest.approx([0] * 3 + [12] * (len(whole) - 3))


def test_a_stall_ends_at_the_deadline() -> None:
    """A stall longer than the bound on pauses ends the stream there."""

    async def check() -> tuple[int, float]:
        async with running(fault_script=["stall"], stall_s=300, idle_s_max=20) as engine:
            seen, failed = await until_failure(engine.chat(chat_ask("Go", stream=True)))
        assert isinstance(failed, RequestTimedOut)
        return len(seen), asyncio.get_running_loop().time()

    assert on_jumping_clock(check()) == (3, pytest.approx(20))


def test_slow_headers_delay_the_first_event_only() -> None:
    """The rest comes at the usual pace."""

    async def check() -> list[float]:
        options = {"slow_headers_s": 4, "tokens_per_second": 2}
        async with running(fault_script=["slow_headers"], **options) as engine:
            events = await timed(engine.chat(chat_ask("Go", stream=True, max_tokens=3)))
        return [at for at, _ in events]

    assert on_jumping_clock(check()) == pytest.approx([4, 4, 4.5, 5, 5, 5])


@pytest.mark.anyio
async def test_a_request_may_ask_for_a_fault_only_where_options_allow_it() -> None:
    """Clients of a shared simulator can't break it unless it was set up for that."""
    async with running(faults_by_request=True) as engine:
        with pytest.raises(TooManyRequests):
            await say(engine, "Please [simulate 429] now")
        with pytest.raises(InvalidRequest, match="cut_mid_stream"):
            await say(engine, "[simulate fire]")
        assert await say(engine, "Go")
    async with running() as engine:
        assert await say(engine, "Please [simulate 429] now")

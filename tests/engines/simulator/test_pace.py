"""Paces are checked on a clock that jumps, so that they can be checked exactly."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from linarite.domain.errors import EngineFailed, RequestTimedOut, ServiceUnavailable
from tests.engines.simulator.builders import (
    chat_ask,
    collect,
    complete,
    on_jumping_clock,
    running,
    simulator,
    timed,
)

if TYPE_CHECKING:
    from linarite.domain.chat import ChatEvent


def test_tokens_come_at_their_times_without_drift() -> None:
    """The nth token comes at the first wait plus n - 1 gaps, however many there are."""

    async def check() -> list[tuple[float, ChatEvent]]:
        options = {"time_to_first_token_ms": 500, "tokens_per_second": 8, "reply_tokens": 900}
        async with running(**options) as engine:
            return await timed(engine.chat(chat_ask("Go", stream=True, max_tokens=400)))

    events = on_jumping_clock(check())
    times = [at for at, event in events if event.choices and event.choices[0].delta.content]
    assert events[0][0] == pytest.approx(0.5)
    assert times == pytest.approx([0.5 + number / 8 for number in range(400)])
    assert events[-1][0] == pytest.approx(times[-1])


def test_choices_share_the_pace() -> None:
    """Two choices of ten tokens take as long as one: they grow side by side."""

    async def check() -> list[tuple[float, ChatEvent]]:
        async with running(tokens_per_second=10, reply_tokens=100) as engine:
            return await timed(engine.chat(chat_ask("Go", stream=True, n=2, max_tokens=10)))

    assert on_jumping_clock(check())[-1][0] == pytest.approx(0.9)


def test_an_answer_in_one_piece_takes_as_long_as_the_stream() -> None:
    """Who does not stream waits for the last token."""

    async def check() -> tuple[float, float]:
        async with running(tokens_per_second=10, time_to_first_token_ms=300) as engine:
            whole = await timed(engine.chat(chat_ask("Go", max_tokens=21)))
            parts = await timed(engine.chat(chat_ask("Go", max_tokens=21, stream=True)))
            return whole[0][0], parts[-1][0]

    whole, parts = on_jumping_clock(check())
    assert whole == pytest.approx(2.3)
    assert parts == pytest.approx(2.3)


def test_jitter_varies_gaps_within_its_share_and_by_the_seed() -> None:
    """Gaps differ by at most the share, and come out the same again under the same seed."""

    async def check(seed: int) -> list[float]:
        options = {"tokens_per_second": 10, "jitter": 0.5, "seed": seed, "reply_tokens": 200}
        async with running(**options) as engine:
            events = await timed(engine.chat(chat_ask("Go", stream=True, max_tokens=50)))
        return [at for at, event in events if event.choices and event.choices[0].delta.content]

    times = on_jumping_clock(check(1))
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(0.05 - 1e-9 <= gap <= 0.15 + 1e-9 for gap in gaps)
    assert len(set(gaps)) > 40
    assert times == on_jumping_clock(check(1))
    assert times != on_jumping_clock(check(2))


def test_without_a_pace_nothing_waits() -> None:
    """As fast as possible takes no time on the loop's clock."""

    async def check() -> float:
        async with running(reply_tokens=2_000) as engine:
            return (await timed(engine.chat(chat_ask("Go", stream=True))))[-1][0]

    assert on_jumping_clock(check()) == 0


@pytest.mark.anyio
async def test_a_fast_stream_lets_other_tasks_run() -> None:
    """A stream without pauses gives turns to others, such as the one that sees a client leave."""
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with running(reply_tokens=2_000) as engine:
        other = asyncio.ensure_future(count_turns())
        await collect(engine.chat(chat_ask("Go", stream=True)))
        other.cancel()
    assert turns > 10


def test_deadlines_end_a_request_that_is_too_slow() -> None:
    """The first event and each pause have a bound of their own."""

    async def check(**options: float) -> float:
        loop = asyncio.get_running_loop()
        async with running(**options) as engine:
            with pytest.raises(RequestTimedOut):
                await collect(engine.chat(chat_ask("Go", stream=True)))
        return loop.time()

    first = check(time_to_first_token_ms=60_000, first_event_s_max=7)
    assert on_jumping_clock(first) == pytest.approx(7)
    pause = check(tokens_per_second=0.01, idle_s_max=9)
    assert on_jumping_clock(pause) == pytest.approx(9)


def test_a_long_answer_in_one_piece_is_no_pause() -> None:
    """The bound on pauses counts for each token, not for the sum of them."""

    async def check() -> float:
        async with running(tokens_per_second=1, idle_s_max=2, first_event_s_max=2) as engine:
            return (await timed(engine.chat(chat_ask("Go", max_tokens=30))))[-1][0]

    assert on_jumping_clock(check()) == pytest.approx(29)


def test_closing_a_stream_ends_it_at_once() -> None:
    """Nothing of an abandoned request is left in the engine."""

    async def check() -> tuple[int, int, float]:
        async with running(tokens_per_second=1) as engine:
            events = engine.chat(chat_ask("Go", stream=True))
            async with aclosing(events):
                await anext(events)
                during = engine.running
            return during, engine.running, asyncio.get_running_loop().time()

    assert on_jumping_clock(check()) == (1, 0, 0)


def test_cancelling_a_task_ends_its_request() -> None:
    """A cancelled wait leaves nothing behind either."""

    async def check() -> int:
        async with running(tokens_per_second=0.1) as engine:
            task = asyncio.ensure_future(collect(engine.chat(chat_ask("Go", stream=True))))
            await asyncio.sleep(15)
            assert engine.running == 1
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return engine.running

    assert on_jumping_clock(check()) == 0


def test_stop_gives_requests_their_time_and_breaks_off_the_rest() -> None:
    """What ends within the grace period ends well; what does not fails with a proper error."""

    async def check() -> tuple[float, tuple[object, object]]:
        loop = asyncio.get_running_loop()
        async with running(tokens_per_second=1, reply_tokens=100) as engine:
            short = asyncio.ensure_future(collect(engine.chat(chat_ask("Go", max_tokens=4))))
            long = asyncio.ensure_future(collect(engine.chat(chat_ask("Go", max_tokens=50))))
            await asyncio.sleep(0.5)
            await engine.stop(10)
            return loop.time(), await asyncio.gather(short, long, return_exceptions=True)

    stopped_at, (short, long) = on_jumping_clock(check())
    assert stopped_at == pytest.approx(10.5)
    assert isinstance(short, list)
    assert isinstance(long, EngineFailed)


def test_stop_breaks_off_a_fast_stream_too() -> None:
    """A reader that is slow to take events gets an error instead of the next one."""

    async def check() -> None:
        async with running() as engine:
            events = engine.chat(chat_ask("Go", stream=True))
            await anext(events)
            await engine.stop(1)
            with pytest.raises(EngineFailed, match="stopped"):
                await anext(events)

    on_jumping_clock(check())


def test_no_request_before_start_or_after_stop() -> None:
    """An engine that is not running says so, with Retry-After."""

    async def check() -> None:
        engine = simulator()
        with pytest.raises(ServiceUnavailable) as refused:
            await collect(engine.chat(chat_ask("Go")))
        assert "retry-after" in refused.value.headers
        await engine.start(lambda _share, _what: None)
        await engine.stop(1)
        await engine.stop(1)
        with pytest.raises(ServiceUnavailable):
            await complete(engine, "Go")

    on_jumping_clock(check())


def test_loading_takes_its_time_and_shows_progress() -> None:
    """`load_s` makes a start that others can watch."""

    async def check() -> tuple[float, list[float]]:
        shares: list[float] = []
        engine = simulator(load_s=20)
        await engine.start(lambda share, _what: shares.append(share))
        return asyncio.get_running_loop().time(), shares

    took, shares = on_jumping_clock(check())
    assert took == pytest.approx(20)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_the_engine_never_ends_by_itself() -> None:
    """Supervision waits for an exit that does not come, not even after stop."""

    async def check() -> bool:
        async with running() as engine:
            ended = asyncio.ensure_future(engine.wait_exit())
            await asyncio.sleep(100)
            await engine.stop(0)
            await asyncio.sleep(100)
            done = ended.done()
            ended.cancel()
            return done

    assert not on_jumping_clock(check())

"""An engine starts, answers, lets go and stops."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linarite.domain.embedding import EmbeddingAsk
from linarite.domain.errors import ContextLengthExceeded, ServiceUnavailable
from linarite.engines import ENGINES
from tests.contract.engines.cases import CASES
from tests.contract.engines.folding import chat, chat_ask, complete, completion_ask

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

    from linarite.domain.engine import Engine
    from tests.contract.engines.cases import EngineCase
    from tests.contract.engines.folding import Started

BEGUN_S = 60.0
FREED_S = 30.0
"""far more than the second that is promised, for machines that do much else"""


def test_cases_are_engines() -> None:
    """Every case is an engine that settings can name."""
    assert CASES.keys() <= ENGINES.keys()


@pytest.mark.anyio
async def test_start_answer_stop(case: EngineCase) -> None:
    """Progress grows to 1, requests are answered between start and stop, stop can be repeated."""
    if case.talker is None:
        pytest.skip("this engine has no model that chats")
    shares: list[float] = []
    with tempfile.TemporaryDirectory(prefix="eng") as scratch:
        async with case.talker(Path(scratch)) as engine:
            capabilities = await engine.start(lambda share, _what: shares.append(share))
            assert capabilities.chat_completion
            assert capabilities.parallel_requests >= 1
            await chat(engine, chat_ask("Hello"))
            await engine.stop(5.0)
            await engine.stop(5.0)
            with pytest.raises(ServiceUnavailable) as refused:
                await chat(engine, chat_ask("Hello"))
    assert "retry-after" in refused.value.headers
    assert all(0 <= share <= 1 for share in shares)
    assert shares == sorted(shares)


@pytest.mark.anyio
async def test_a_running_engine_does_not_exit(engine: Engine) -> None:
    """Supervision hears of an exit only when there is one."""
    exited = asyncio.ensure_future(engine.wait_exit())
    await chat(engine, chat_ask("Hello"))
    done = exited.done()
    exited.cancel()
    await asyncio.gather(exited, return_exceptions=True)
    assert not done


@pytest.mark.anyio
async def test_closing_a_stream_frees_the_engine(case: EngineCase, talker: Started) -> None:
    """A generation whose reader left ends, and the next request is served."""
    engine, capabilities = talker
    room = min(capabilities.context_tokens or 1_024, 4_096) // 2
    ask = chat_ask("Count to ten thousand.", stream=True, max_tokens=room, seed=3)
    for events in (
        engine.chat(ask),
        engine.complete(completion_ask("1 2 3", stream=True, max_tokens=room)),
    ):
        await leave_early(events)
        await until_idle(case, engine)
    await chat(engine, chat_ask("Hello"))


@pytest.mark.anyio
@pytest.mark.parametrize("what", ["chat", "choices", "echo"])
async def test_a_cancelled_request_frees_the_engine(
    case: EngineCase, engine: Engine, what: str
) -> None:
    """A caller that is cancelled while it waits leaves nothing running either."""
    likely = 1 if case.alternatives else 0
    asked: dict[str, Coroutine[Any, Any, object]] = {
        "chat": chat(engine, chat_ask("Count to a thousand.", max_tokens=900)),
        "choices": chat(engine, chat_ask("Count to a thousand.", max_tokens=900, n=3)),
        "echo": complete(
            engine, completion_ask("word " * 900, echo=True, logprobs=likely, max_tokens=0)
        ),
    }
    running = asked.pop(what)
    for other in asked.values():
        other.close()
    await cancel_while_it_runs(case, engine, running)
    await chat(engine, chat_ask("Hello"))


@pytest.mark.anyio
async def test_cancelled_embeddings_free_the_engine(case: EngineCase, embedder: Started) -> None:
    """The same for vectors, however many texts there are."""
    engine, _ = embedder
    texts: list[str | int | list[int]] = ["word " * 400 for _ in range(200)]
    await cancel_while_it_runs(case, engine, engine.embed(EmbeddingAsk(input=texts)))
    await engine.embed(EmbeddingAsk(input="short"))


async def cancel_while_it_runs(
    case: EngineCase, engine: Engine, request: Coroutine[Any, Any, object]
) -> None:
    """Wait until the engine is at work, cancel, and wait until it is not. Some are done at once."""
    task = asyncio.create_task(request)
    async with asyncio.timeout(BEGUN_S):
        while not task.done() and await case.is_idle(engine):  # noqa: ASYNC110 - as below
            await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await until_idle(case, engine)


async def leave_early(events: AsyncGenerator[object, None]) -> None:
    """Read two events and go."""
    async with aclosing(events):
        await anext(events)
        await anext(events)


async def until_idle(case: EngineCase, engine: Engine) -> None:
    """Return once the engine says that nothing runs. Fails when it never does."""
    async with asyncio.timeout(FREED_S):
        while not await case.is_idle(engine):  # noqa: ASYNC110 - engines tell when they are asked
            await asyncio.sleep(0.02)


@pytest.mark.anyio
async def test_requests_run_side_by_side(engine: Engine) -> None:
    """Several at once are each answered whole."""
    texts = [f"Say the number {number}." for number in range(4)]
    streamed = [chat(engine, chat_ask(text, stream=True)) for text in texts]
    answers = await asyncio.gather(*streamed, chat(engine, chat_ask("Hello")))
    assert all(choices.keys() == {0} for choices, _ in answers)


@pytest.mark.anyio
async def test_too_long_a_prompt_is_refused(talker: Started) -> None:
    """A prompt that does not fit is the client's mistake, told before the first event."""
    engine, capabilities = talker
    if not capabilities.context_tokens:
        pytest.skip("this engine does not know how long a prompt may be")
    # The second would take an engine half a minute to cut into tokens.
    for text in ("word " * (capabilities.context_tokens + 100), "w" * 10_000_000):
        with pytest.raises(ContextLengthExceeded):
            await chat(engine, chat_ask(text))
        with pytest.raises(ContextLengthExceeded):
            await complete(engine, completion_ask(text))
    await chat(engine, chat_ask("Hello"))


@pytest.mark.anyio
async def test_too_long_an_input_is_refused(embedder: Started) -> None:
    """The same for vectors."""
    engine, capabilities = embedder
    if not capabilities.context_tokens:
        pytest.skip("this engine does not know how long an input may be")
    text = "word " * (capabilities.context_tokens + 100)
    with pytest.raises(ContextLengthExceeded):
        await engine.embed(EmbeddingAsk(input=["short", text]))
    await engine.embed(EmbeddingAsk(input="short"))

"""What is recorded of an answer that breaks off: the counts so far, or a bound from below."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from linarite.domain.chat import ChatChoice, ChatDelta, ChatEvent
from linarite.domain.completion import CompletionChoice, CompletionEvent
from linarite.domain.errors import EngineFailed
from linarite.domain.usage import CompletionTokensDetails, PromptTokensDetails, Usage, usage_of
from tests.dataplane.rig import COMPLETIONS, HELLO, ScriptedEngine, rig
from tests.dataplane.test_departure import asking
from tests.web.wire import read_head

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatAsk
    from linarite.domain.completion import CompletionAsk
    from linarite.domain.request_record import RequestRecord

pytestmark = pytest.mark.anyio

STREAM = HELLO | {"stream": True}
WITH_USAGE = STREAM | {"stream_options": {"include_usage": True}}
LONG = {"messages": [{"role": "user", "content": [{"type": "text", "text": "word " * 80}]}]}


def piece(text: str, *counts: int) -> ChatEvent:
    """A piece of text, and the counts so far if there are any."""
    return ChatEvent(
        [ChatChoice(0, ChatDelta(content=text))], usage_of(*counts) if counts else None
    )


def counts_of(record: RequestRecord) -> tuple[int, int, int]:
    """What was counted."""
    return record.prompt_tokens, record.completion_tokens, record.cached_tokens


async def counted(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
    """Two pieces with counts, and then nothing for ever."""
    del ask
    yield piece("one", 7, 1, 2)
    yield piece(" two", 7, 2, 2)
    await asyncio.Event().wait()


async def uncounted(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
    """The same from an engine that does not count."""
    del ask
    yield ChatEvent([ChatChoice(0, ChatDelta(role="assistant"))])
    for _ in range(3):
        yield piece("word ")
    await asyncio.Event().wait()


async def fails(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
    """Two pieces with counts, and then the engine is gone."""
    del ask
    yield piece("one", 7, 1, 2)
    yield piece(" two", 7, 2, 2)
    raise EngineFailed("The engine broke off while answering.")


async def test_a_client_that_left_is_charged_what_it_used() -> None:
    """The newest counts stand in the record."""
    async with rig(ScriptedEngine(counted)) as running, asking(running, STREAM) as client:
        await read_head(client.reader)
        await client.reader.readuntil(b" two")
        client.leave()
        record = await running.recorded()
    assert (record.finish, record.status) == ("client_left", 200)
    assert counts_of(record) == (7, 2, 2)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_failed_answer_is_recorded_as_far_as_it_came(stream: bool) -> None:
    """Whether or not it was streamed."""
    async with rig(ScriptedEngine(fails)) as running:
        await running.chat(HELLO | {"stream": stream})
        record = await running.recorded()
    assert record.finish == "failed"
    assert counts_of(record) == (7, 2, 2)


async def test_parts_of_the_tokens_are_recorded() -> None:
    """Reasoning and audio, where the engine tells them."""

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        usage = Usage(9, 8, 17, PromptTokensDetails(1, 5), CompletionTokensDetails(3, 4))
        yield ChatEvent([ChatChoice(0, ChatDelta(content="one"), "stop")], usage)

    async with rig(ScriptedEngine(script)) as running:
        await running.chat(HELLO)
        record = await running.recorded()
    assert counts_of(record) == (9, 8, 1)
    parts = (record.reasoning_tokens, record.audio_prompt_tokens, record.audio_completion_tokens)
    assert parts == (3, 5, 4)


async def test_without_counts_pieces_and_characters_are_counted() -> None:
    """A token for each piece of text, and what the prompt was estimated at."""
    body = LONG | {"stream": True}
    async with rig(ScriptedEngine(uncounted)) as running, asking(running, body) as client:
        await read_head(client.reader)
        await client.reader.readuntil(b"word ")
        await client.reader.readuntil(b"word ")
        await client.reader.readuntil(b"word ")
        client.leave()
        record = await running.recorded()
    assert counts_of(record) == (153, 3, 0)


async def test_who_leaves_before_anything_was_told_is_charged_nothing() -> None:
    """Nobody knows how far the prompt was computed."""

    async def silent(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        await asyncio.Event().wait()
        yield ChatEvent()

    async with rig(ScriptedEngine(silent)) as running, asking(running, STREAM) as client:
        async with asyncio.timeout(10):
            while not running.engine.opened:  # noqa: ASYNC110 - the script tells nobody
                await asyncio.sleep(0.01)
        client.leave()
        record = await running.recorded()
    assert counts_of(record) == (0, 0, 0)


async def test_a_completion_without_counts() -> None:
    """Its prompt may be text or token ids."""

    class Uncounted(ScriptedEngine):
        async def complete(self, ask: CompletionAsk) -> AsyncGenerator[CompletionEvent, None]:
            del ask
            for _ in range(3):
                yield CompletionEvent([CompletionChoice("word ")])
            raise EngineFailed("The engine broke off while answering.")

    async with rig(Uncounted()) as running:
        for number, prompt in enumerate(("word " * 8, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), 1):
            await running.send("POST", COMPLETIONS, {"prompt": prompt, "stream": True})
            record = await running.recorded(number)
            assert counts_of(record) == (14, 3, 0)


def usages(body: bytes) -> list[Any]:
    """The usage of each chunk."""
    blocks = body.decode().split("\n\n")[:-2]
    return [json.loads(block.removeprefix("data: "))["usage"] for block in blocks]


@pytest.mark.parametrize("beside_choices", [True, False])
async def test_counts_on_the_way_are_not_shown(beside_choices: bool) -> None:
    """The client is told usage once, at the end, wherever the engine told its last counts."""

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        del ask
        yield piece("one", 7, 1)
        yield piece(" two", 7, 2)
        end = ChatChoice(0, ChatDelta(), "stop")
        if beside_choices:
            yield ChatEvent([end], usage_of(7, 3))
            return
        yield ChatEvent([end], usage_of(7, 2))
        yield ChatEvent([], usage_of(7, 3))

    async with rig(ScriptedEngine(script)) as running:
        shown = usages((await running.chat(WITH_USAGE)).body)
        record = await running.recorded()
    assert shown[:-1] == [None] * 4
    assert (shown[-1]["prompt_tokens"], shown[-1]["completion_tokens"]) == (7, 3)
    assert counts_of(record) == (7, 3, 0)

"""Nothing is used that is not reserved: answers without a bound, and the turns of responses."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.controls.quota import Limiter, MemoryLedger
from linarite.domain.chat import ChatChoice, ChatDelta, ChatEvent
from linarite.domain.ledger import Bucket, Window
from linarite.domain.usage import usage_of
from linarite.vector_stores.keeper import NewStore
from tests.dataplane.rig import ScriptedEngine, rig
from tests.dataplane.test_hosted_calls import SEARCH, Vectors, searches

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.dataplane.call import Call
    from linarite.domain.chat import ChatAsk
    from linarite.domain.facts import Facts
    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

LIMIT = 10_000
PROMPT = 20
HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}


class Limited:
    """A server whose only limit is one of tokens, and what its engine was charged."""

    def __init__(self, limit: int = LIMIT, window: Window = Window.MINUTE) -> None:
        self.bucket = Bucket("all", "all-tokens", "tokens", limit, window)
        self.ledger = MemoryLedger()

    def limiter(self, wait_s: float = 0.0) -> Limiter:
        """It knows no other limit."""
        return Limiter(ledger=self.ledger, wait_s=wait_s)

    def buckets_for(self, call: Call, facts: Facts) -> list[Bucket]:
        """One for all."""
        del call, facts
        return [self.bucket]

    async def left(self) -> int:
        """Below zero, if it was exceeded."""
        return (await self.ledger.left([self.bucket]))[0]


def saying(tokens: int, *, counts: bool = True, word: str = "hey ") -> ScriptedEngine:
    """An engine whose answers have so many tokens, unless they may have less."""

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        most = tokens if ask.completion_tokens_max is None else ask.completion_tokens_max
        for made in range(1, min(tokens, most) + 1):
            await asyncio.sleep(0)
            usage = usage_of(PROMPT, made) if counts else None
            yield ChatEvent([ChatChoice(delta=ChatDelta(content=word))], usage)
        yield ChatEvent([ChatChoice(finish_reason="stop" if most >= tokens else "length")])
        if counts:
            yield ChatEvent(usage=usage_of(PROMPT, min(tokens, most)))

    return ScriptedEngine(script)


@pytest.mark.parametrize("stream", [False, True])
async def test_answers_without_a_bound_exceed_nothing(stream: bool) -> None:
    """Fifty at once, each of which would take more than its share."""
    limited = Limited()
    engine = saying(700)
    async with rig(engine, limiter=limited.limiter(), buckets_for=limited.buckets_for) as running:
        body = HELLO | {"stream": stream}
        answers = await asyncio.gather(*(running.chat(body) for _ in range(50)))
        assert {each.status for each in answers} == {200}
        await running.recorded(50)
        used = sum(each.prompt_tokens + each.completion_tokens for each in running.records)
        assert LIMIT * 0.9 < used <= LIMIT
        assert await limited.left() == LIMIT - used
        cut = [each for each in answers if b'"finish_reason":"length"' in each.body]
        assert len(cut) > 10
        assert sum(each.limited_by == "all-tokens" for each in running.records) == len(cut)
        assert engine.opened == engine.closed


async def test_an_answer_that_is_cut_off_tells_what_it_used() -> None:
    """As one that has reached its `max_tokens`."""
    limited = Limited(400)
    async with rig(
        saying(1000), limiter=limited.limiter(), buckets_for=limited.buckets_for
    ) as running:
        answer = (await running.chat(HELLO)).json()
        assert answer["choices"][0]["finish_reason"] == "length"
        used = answer["usage"]["total_tokens"]
        assert 400 - 64 - 8 <= used <= 400
        assert answer["choices"][0]["message"]["content"] == "hey " * (used - PROMPT)
        said = {"model": "gpt", "input": "hello"}
        assert (await running.send("POST", "/openai/v1/responses", said)).status == 429
        bounded = HELLO | {"max_tokens": 2000}
        assert (await running.chat(bounded)).header("x-should-retry") == "false"


async def test_a_response_that_is_cut_off_is_incomplete() -> None:
    """Whoever reads it sees why."""
    limited = Limited(400)
    async with rig(
        saying(1000), limiter=limited.limiter(), buckets_for=limited.buckets_for
    ) as running:
        said = {"model": "gpt", "input": "hello"}
        made = (await running.send("POST", "/openai/v1/responses", said)).json()
        assert made["status"] == "incomplete"
        assert made["incomplete_details"] == {"reason": "max_output_tokens"}
        assert made["usage"]["total_tokens"] <= 400


async def test_what_nobody_counts_is_counted_by_its_characters() -> None:
    """An upstream that tells no usage: what is delivered was reserved."""
    limited = Limited(400)
    async with rig(
        saying(1000, counts=False, word="four words in one, "),
        limiter=limited.limiter(),
        buckets_for=limited.buckets_for,
    ) as running:
        answer = (await running.chat(HELLO)).json()
        pieces = answer["choices"][0]["message"]["content"].count("four")
        assert 20 < pieces < 400 / 4
        assert 0 <= await limited.left() <= 64 + 8


async def test_an_answer_waits_for_what_others_give_back() -> None:
    """As long as it may; then it goes on."""
    limited = Limited(300, Window.SECOND)
    async with rig(
        saying(500), limiter=limited.limiter(wait_s=9), buckets_for=limited.buckets_for
    ) as running:
        answer = (await running.chat(HELLO)).json()
        assert answer["choices"][0]["finish_reason"] == "stop"
        assert answer["usage"]["completion_tokens"] == 500


async def test_a_bound_is_reserved_at_once_and_never_grows() -> None:
    """What was asked for is there to the end."""
    limited = Limited(1000)
    async with rig(
        saying(300), limiter=limited.limiter(), buckets_for=limited.buckets_for
    ) as running:
        answers = await asyncio.gather(
            *(running.chat(HELLO | {"max_tokens": 300}) for _ in "12345")
        )
        ended = [
            each.json()["choices"][0]["finish_reason"] for each in answers if each.status == 200
        ]
        assert ended == ["stop"] * len(ended)
        assert len(ended) in (2, 3)


def searching(prompt: int, made: int, turns: int = 9) -> ScriptedEngine:
    """A model that searches so often, and uses so much each time."""
    asked = 0

    async def script(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        nonlocal asked
        asked += 1
        last = asked % turns == 0
        told = msgspec.structs.replace(ask, tool_choice="none") if last else ask
        async for event in searches(told):
            yield event
        yield ChatEvent(usage=usage_of(prompt, made))

    return ScriptedEngine(script)


async def body_of(running: Rig, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """A request that searches an empty store."""
    keeper, searcher = running.kit.vector_stores, running.kit.vector_search
    keeper.deployment_of = lambda _: "gpt"
    searcher._embedder = Vectors()
    store = await keeper.create(NewStore(account_id=running.account_id, owner="", name="x"))
    tool = SEARCH | {"vector_store_ids": [store.id]}
    return {"model": "gpt", "input": "hello", "tools": [tool], "max_output_tokens": 64} | more


RESPONSES = "/openai/v1/responses"


async def test_each_turn_is_reserved_and_settled() -> None:
    """The next one has what the last did not use; all together is what they used."""
    limited = Limited(900)
    engine = searching(50, 5, turns=3)
    async with rig(engine, limiter=limited.limiter(), buckets_for=limited.buckets_for) as running:
        made = await running.send("POST", RESPONSES, await body_of(running))
        assert made.status == 200, made.body
        assert made.json()["status"] == "completed"
        assert made.json()["usage"]["total_tokens"] == 165
        assert await limited.left() == 900 - 165


async def test_a_turn_beyond_the_limit_ends_the_response_with_what_it_has() -> None:
    """In one piece it is no refusal: that would be asked again, and its tools called again."""
    limited = Limited(900)
    engine = searching(700, 5)
    async with rig(engine, limiter=limited.limiter(), buckets_for=limited.buckets_for) as running:
        made = await running.send("POST", RESPONSES, await body_of(running))
        assert made.status == 200, made.body
        response = made.json()
        assert response["status"] == "failed"
        assert response["error"]["code"] == "rate_limit_exceeded"
        assert "have exceeded the token rate limit all-tokens" in response["error"]["message"]
        assert [each["type"] for each in response["output"]] == ["file_search_call"]
        assert len(engine.asked) == 1
        assert await limited.left() == 900 - 705
        kept = await running.send("GET", f"{RESPONSES}/{response['id']}")
        assert kept.json()["status"] == "failed"
        record = running.records[0]
        assert (record.limited_by, record.refused_by, record.finish) == (
            "all-tokens",
            "quota",
            "failed",
        )


async def test_a_stream_ends_with_the_services_error() -> None:
    """After everything that was made."""
    limited = Limited(900)
    engine = searching(700, 5)
    async with rig(engine, limiter=limited.limiter(), buckets_for=limited.buckets_for) as running:
        made = await running.send("POST", RESPONSES, await body_of(running, stream=True))
        last = json.loads(made.body.rsplit(b"data: ", 1)[1])
        assert last["type"] == "error"
        assert (last["error"]["type"], last["error"]["code"]) == (
            "too_many_requests",
            "rate_limit_exceeded",
        )
        assert made.body.count(b"event: response.file_search_call.completed") == 1


async def test_turns_wait_for_their_limits_and_give_up_their_place() -> None:
    """Many at once, through one place, with little more than one turn a second."""
    limited = Limited(700, Window.SECOND)
    engine = searching(300, 5, turns=2)
    async with rig(
        engine, limiter=limited.limiter(wait_s=9), buckets_for=limited.buckets_for
    ) as running:
        body = await body_of(running)
        made = await asyncio.gather(*(running.send("POST", RESPONSES, body) for _ in range(2)))
        assert {each.json()["status"] for each in made} == {"completed"}
        assert len(engine.asked) == 4

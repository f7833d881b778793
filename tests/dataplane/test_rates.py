"""Deployments are kept to their rate: reserved before the work, settled after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.controls.quota import Limiter, MemoryLedger
from linarite.domain.chat import ChatChoice, ChatDelta, ChatEvent
from linarite.domain.errors import EngineFailed
from linarite.domain.ledger import Bucket, Window
from linarite.domain.usage import usage_of
from tests.dataplane.rig import EMBEDDINGS, ScriptedEngine, rig

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.dataplane.call import Call
    from linarite.domain.chat import ChatAsk
    from linarite.domain.facts import Facts
    from tests.web.wire import Answer

pytestmark = pytest.mark.anyio

TOKENS, REQUESTS = 1000, 1
"""of capacity 1: in a minute, in ten seconds"""


class Clock:
    """A clock that tests move."""

    now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


ESTIMATED = 45
"""tokens that the prompt is thought to have"""


def limiter_by(clock: Clock) -> Limiter:
    """It counts exactly, by that clock."""
    return Limiter(ledger=MemoryLedger(clock))


def ask(max_tokens: int | None = 100, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """A chat request whose answers may be so long."""
    bound = {} if max_tokens is None else {"max_tokens": max_tokens}
    return {"messages": [{"role": "user", "content": "x" * 40}], **bound, **more}


def left_after(answer: Answer) -> int:
    """The tokens that an answer says are left."""
    return int(str(answer.header("x-ratelimit-remaining-tokens")))


def using(prompt_tokens: int, completion_tokens: int) -> ScriptedEngine:
    """An engine whose answers use so many tokens."""

    async def script(_: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="hi"), index=0)])
        yield ChatEvent(usage=usage_of(prompt_tokens, completion_tokens))

    engine = ScriptedEngine()
    engine.script = script
    return engine


async def test_every_answer_tells_what_is_left() -> None:
    """The limits, what remains after this request, and how long the windows are."""
    async with rig(limiter=limiter_by(Clock()), capacity=10) as running:
        headers = dict((await running.chat(ask())).headers)
        assert headers["x-ratelimit-limit-tokens"] == "10000"
        assert headers["x-ratelimit-limit-requests"] == "10"
        assert headers["x-ratelimit-remaining-tokens"] == str(10_000 - 100 - ESTIMATED)
        assert headers["x-ratelimit-remaining-requests"] == "9"
        assert headers["x-ratelimit-reset-tokens"] == "60"
        assert headers["x-ratelimit-reset-requests"] == "10"


async def test_what_settings_declare_without_a_capacity_has_no_limit() -> None:
    """Neither counted nor told."""
    async with rig(limiter=limiter_by(Clock())) as running:
        answers = [await running.chat(ask(100_000)) for _ in range(30)]
        assert {answer.status for answer in answers} == {200}
        assert "x-ratelimit-limit-tokens" not in dict(answers[0].headers)


async def test_only_what_was_used_counts() -> None:
    """A large reservation is given back when the answer was short."""
    clock = Clock()
    async with rig(using(10, 5), limiter=limiter_by(clock), capacity=1) as running:
        for _ in range(3):
            assert (await running.chat(ask(900))).status == 200
            clock.now += 11
        left = left_after(await running.chat(ask(900)))
        assert left == TOKENS - 3 * 15 - 900 - ESTIMATED


async def test_azures_way_keeps_the_estimate() -> None:
    """Until the minute is over."""
    clock = Clock()
    clock.now = 1020.0  # a minute begins
    limiter = Limiter("azure", MemoryLedger(clock))
    async with rig(using(10, 5), limiter=limiter, capacity=1) as running:
        assert (await running.chat(ask(1000))).status == 200
        clock.now += 11
        refused = await running.chat(ask(1))
        assert (refused.status, refused.header("retry-after")) == (429, "49")
        clock.now += 49
        assert (await running.chat(ask(1))).status == 200


async def test_a_refusal_says_when_and_why() -> None:
    """In seconds and milliseconds; which bucket, what was charged and left; what to change."""
    clock = Clock()
    async with rig(using(600, 300), limiter=limiter_by(clock), capacity=1) as running:
        assert (await running.chat(ask(900))).status == 200
        clock.now += 11
        refused = await running.chat(ask(500))
        assert refused.status == 429
        error = refused.json()["error"]
        assert error["code"] == "429"
        wait = refused.header("retry-after")
        assert wait is not None
        assert error["message"].startswith(
            "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version "
            "2024-10-21 have exceeded token rate limit of your current OpenAI S0 pricing tier. "
            f"Please retry after {wait} seconds."
        )
        assert "sku.capacity" in error["innererror"]["message"]
        milliseconds = int(str(refused.header("retry-after-ms")))
        assert 48_000 < milliseconds <= int(wait) * 1000
        assert refused.header("x-ratelimit-reason") == (
            "deployment-tokens; limit=1000; window=60s; charged=545; left=100"
        )
        assert (await running.recorded(2)).refused_by == "quota"
        clock.now += milliseconds / 1000
        assert (await running.chat(ask(500))).status == 200


async def test_the_newer_dialect_words_it_anew() -> None:
    """On /openai/v1/ with a code in words."""
    async with rig(limiter=limiter_by(Clock()), capacity=1) as running:
        body = ask(1, model="gpt")
        assert (await running.send("POST", "/openai/v1/chat/completions", body)).status == 200
        refused = await running.send("POST", "/openai/v1/chat/completions", body)
        assert refused.status == 429
        error = refused.json()["error"]
        assert error["code"] == "RateLimitReached"
        assert error["message"].startswith("Your requests to gpt for gpt-4o in ")
        assert "exceeded call rate limit" in error["message"]
        assert "deployment-requests; limit=1;" in str(refused.header("x-ratelimit-reason"))


async def test_no_wait_helps_what_never_fits() -> None:
    """The official clients are told not to try again."""
    async with rig(limiter=limiter_by(Clock()), capacity=1) as running:
        refused = await running.chat(ask(2000))
        assert (refused.status, refused.header("x-should-retry")) == (429, "false")
        assert "no wait helps" in refused.json()["error"]["innererror"]["message"]


async def test_a_failure_before_any_work_is_free() -> None:
    """A failure of the engine's in the middle costs what had been made."""
    clock = Clock()
    engine = ScriptedEngine()
    fail_at = 0

    async def script(_: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        for number in range(5):
            if number == fail_at:
                raise EngineFailed("gone")
            said = ChatChoice(delta=ChatDelta(content="hi"), index=0)
            yield ChatEvent([said], usage_of(10, number + 1))

    engine.script = script
    async with rig(engine, limiter=limiter_by(clock), capacity=1) as running:
        assert (await running.chat(ask(900))).status == 500
        clock.now += 11
        fail_at = 3
        assert (await running.chat(ask(900, stream=True))).status == 200
        clock.now += 11
        fail_at = 9
        left = left_after(await running.chat(ask(900)))
        assert left == TOKENS - (10 + 3) - 900 - ESTIMATED


async def test_what_nobody_counts_costs_what_was_reserved() -> None:
    """Not a token for each piece that was heard: a piece may have been a thousand of them."""
    clock = Clock()
    engine = ScriptedEngine()

    async def script(_: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        yield ChatEvent([ChatChoice(delta=ChatDelta(content="word " * 900), index=0)])
        yield ChatEvent([ChatChoice(index=0, finish_reason="stop")])

    engine.script = script
    async with rig(engine, limiter=limiter_by(clock), capacity=1) as running:
        assert (await running.chat(ask(900, stream=True))).status == 200
        record = await running.recorded(1)
        assert (record.prompt_tokens, record.completion_tokens) == (ESTIMATED, 1)
        clock.now += 11
        refused = await running.chat(ask(900))
        assert refused.status == 429
        assert left_after(refused) == TOKENS - 900 - ESTIMATED


async def test_answers_without_a_bound_are_thought_to_be_like_the_last_ones() -> None:
    """At first as long as Azure thinks them."""
    clock = Clock()
    async with rig(using(10, 1016), limiter=limiter_by(clock), capacity=100) as running:
        first = left_after(await running.chat(ask(None)))
        assert first == 100_000 - ESTIMATED - 16
        second = left_after(await running.chat(ask(None)))
        assert second == 100_000 - 1026 - ESTIMATED - 116


async def test_limits_beside_the_rate_refuse_alike() -> None:
    """With the deployment's headers, and the limit's name; the record keeps the name."""
    small = Bucket("k", "key-tokens", "tokens", 150, Window.MINUTE, "raise the limit of the key")

    def buckets_for(call: Call, _: Facts) -> list[Bucket]:
        assert call.principal is not None
        return [small] if call.principal.name == "key1" else []

    limiter = limiter_by(Clock())
    async with rig(limiter=limiter, capacity=10, buckets_for=buckets_for) as running:
        assert (await running.chat(ask(100))).status == 200
        refused = await running.chat(ask(200))
        assert refused.status == 429
        assert "the token rate limit key-tokens" in refused.json()["error"]["message"]
        assert "raise the limit of the key" in refused.json()["error"]["innererror"]["message"]
        assert refused.header("x-ratelimit-limit-tokens") == "10000"
        assert str(refused.header("x-ratelimit-reason")).startswith("key-tokens; limit=150;")
        assert (await running.recorded(2)).limited_by == "key-tokens"
        assert (await running.chat(ask(200), key=running.keys.key2)).status == 200


async def test_inputs_count_for_embeddings() -> None:
    """By their characters, with what a model puts around each."""
    async with rig(limiter=limiter_by(Clock()), capacity=10) as running:
        answer = await running.send("POST", EMBEDDINGS, {"input": ["x" * 40, "y" * 41]})
        assert answer.status == 200
        assert answer.header("x-ratelimit-remaining-tokens") == str(10_000 - 28)


async def test_a_scaled_deployment_has_its_new_rate_at_once() -> None:
    """What was used before still counts."""
    clock = Clock()
    async with rig(using(10, 5), limiter=limiter_by(clock), capacity=1) as running:
        assert (await running.chat(ask(1))).status == 200
        assert (await running.chat(ask(1))).status == 429
        deployment = await running.resources.get(f"{running.account_id}/deployments/gpt")
        assert deployment is not None
        sku = {"name": "Standard", "capacity": 5}
        await running.resources.put(msgspec.structs.replace(deployment, sku=sku))
        await running.facts.refresh()
        answer = await running.chat(ask(1))
        assert answer.status == 200
        assert answer.header("x-ratelimit-limit-tokens") == "5000"
        assert answer.header("x-ratelimit-remaining-requests") == "3"


async def test_idle_capacity_is_lent_to_a_deployment_that_may_borrow() -> None:
    """Of one with the same model and SKU, once the property says so; its headers tell it."""
    counted = MemoryLedger(Clock())
    async with rig(lending=counted, capacity=1, deployments=("gpt", "mini")) as running:
        assert [(await running.chat(ask())).status for _ in range(2)] == [200, 429]
        gpt = await running.resources.get(f"{running.account_id}/deployments/gpt")
        assert gpt is not None
        dynamic = gpt.properties | {"dynamicThrottlingEnabled": True}
        await running.resources.put(msgspec.structs.replace(gpt, properties=dynamic))
        await running.facts.read_anew(running.account_id)
        answers = [await running.chat(ask()) for _ in range(2)]
        assert [each.status for each in answers] == [200, 429]
        mini = "/openai/deployments/mini/chat/completions?api-version=2024-10-21"
        refused = await running.chat_at(mini, ask())
        assert refused.status == 429
        assert b"comes back within a minute" in refused.body

"""Service tiers: what is asked, what serves, and what the answer says."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.dataplane.direct import DirectCalls, DirectRequest
from linarite.domain.chat import ChatChoice, ChatDelta, ChatEvent
from linarite.domain.engine import Capabilities
from linarite.domain.price_book import NO_PRICES
from linarite.domain.principal import Principal
from linarite.domain.service_tier import LONG_CONTEXT_TOKENS
from linarite.domain.usage_journal import NO_JOURNAL
from linarite.hosting.options import InstanceSettings
from tests.dataplane.rig import COMPLETIONS, HELLO, ScriptedEngine, rig, until
from tests.dataplane.tiers import chat_on, deploy

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatAsk

pytestmark = pytest.mark.anyio
MAKER = Principal(kind="Key", name="key1")


def asking(tier: str | None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """A chat in a tier."""
    return {**HELLO, **({} if tier is None else {"service_tier": tier}), **more}


MATRIX = [
    ("GlobalStandard", "Default", "auto", "default"),
    ("GlobalStandard", "Default", "default", "default"),
    ("GlobalStandard", "Default", "priority", "priority"),
    ("GlobalStandard", "Default", "flex", "flex"),
    ("GlobalStandard", "Priority", None, "priority"),
    ("GlobalStandard", "Priority", "auto", "priority"),
    ("GlobalStandard", "Priority", "default", "default"),
    ("GlobalStandard", "Priority", "priority", "priority"),
    ("DataZoneStandard", "Default", "priority", "priority"),
    ("Standard", "Default", "priority", "default"),
    ("GlobalProvisionedManaged", "Default", "priority", "default"),
]


@pytest.mark.parametrize("stream", [False, True])
async def test_the_matrix(stream: bool) -> None:
    """Each of them, and the record of it; in a stream every chunk says it."""
    async with rig() as running:
        for number, (sku, property_, asked, served) in enumerate(MATRIX):
            await deploy(running, f"d{number}", sku, serviceTier=property_, reserved=10.0)
            answer = await running.chat_at(chat_on(f"d{number}"), asking(asked, stream=stream))
            assert answer.status == 200
            told = (
                {json.loads(event)["service_tier"] for event in answer.events[:-1]}
                if stream
                else {answer.json()["service_tier"]}
            )
            assert told == {served}, (sku, property_, asked)
            assert answer.header("azureai-processed-tier") == served
            assert answer.header("azureai-requested-tier") == asked
            record = await running.recorded(number + 1)
            assert (record.service_tier_asked, record.service_tier) == (asked or "", served)


async def test_who_asks_for_nothing_is_told_nothing() -> None:
    """As the service's older api-versions have it."""
    async with rig() as running:
        assert "service_tier" not in (await running.chat(HELLO)).json()
        assert (await running.recorded()).service_tier == "default"


@pytest.mark.parametrize("sku", ["DataZoneStandard", "Standard", "GlobalProvisionedManaged"])
async def test_flex_is_for_global_standard_alone(sku: str) -> None:
    """Elsewhere it is refused, and not served as something else."""
    async with rig() as running:
        await deploy(running, "elsewhere", sku, reserved=10.0)
        refused = await running.chat_at(chat_on("elsewhere"), asking("flex"))
        assert refused.status == 400
        error = refused.error
        assert (error["type"], error["param"]) == ("invalid_request_error", "service_tier")
        assert sku in error["message"]
        record = await running.recorded()
        assert (record.service_tier_asked, record.service_tier) == ("flex", "")


async def test_a_tier_that_there_is_not() -> None:
    """The service's words."""
    async with rig() as running:
        refused = await running.chat(asking("fast"))
        assert (refused.status, refused.error) == (
            400,
            {
                "message": "Invalid value: 'fast'. Supported values are: 'auto', 'default', "
                "'flex', and 'priority'.",
                "type": "invalid_request_error",
                "param": "service_tier",
                "code": "invalid_value",
            },
        )


async def test_completions_know_no_tier() -> None:
    """As in the service's reference; a deployment's priority holds for them all the same."""
    async with rig() as running:
        refused = await running.send("POST", COMPLETIONS, {"prompt": "x", "service_tier": "flex"})
        assert refused.status == 400
        await deploy(running, "fast", serviceTier="Priority")
        path = COMPLETIONS.replace("/gpt/", "/fast/")
        answer = await running.send("POST", path, {"prompt": "x"})
        assert "service_tier" not in answer.json()
        assert (await running.recorded(2)).service_tier == "priority"


async def test_a_long_prompt_loses_its_priority() -> None:
    """And the answer says so."""
    async with rig() as running:
        long = {"role": "user", "content": "long" * (LONG_CONTEXT_TOKENS + 1)}
        long["content"] = long["content"][:1_048_576]
        body = asking("priority", messages=[long, long])
        answer = await running.chat(body)
        assert (answer.status, answer.json()["service_tier"]) == (200, "default")


class Turnstile:
    """An engine of one place, whose requests end one by one."""

    def __init__(self) -> None:
        self.engine = ScriptedEngine(
            self.answer, Capabilities(chat_completion=True, parallel_requests=1)
        )
        self.order: list[str] = []
        self._go = asyncio.Semaphore(0)

    async def answer(self, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        """Say who came, and wait to be let go."""
        self.order.append(str(ask.messages[0].content))
        await self._go.acquire()
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="done"), finish_reason="stop")])

    def let_go(self, count: int) -> None:
        """So many may end."""
        for _ in range(count):
            self._go.release()


async def test_the_queue_serves_tiers_in_their_order() -> None:
    """Provisioned, priority, default, flex, batch: whoever came first."""
    turnstile = Turnstile()
    async with rig(turnstile.engine) as running:
        await deploy(running, "ptu", "GlobalProvisionedManaged", reserved=10.0)
        await deploy(running, "batch", "GlobalBatch")
        gate, plane = running.instance.gate, running.dataplane
        lines = DirectCalls(
            plane._router, plane.surface, running.records.append, NO_PRICES, NO_JOURNAL
        )

        async def come(who: str, where: str, tier: str | None) -> None:
            messages = [{"role": "user", "content": who}]
            if where == "batch":
                body = msgspec.json.encode({"model": "batch", "messages": messages})
                line = DirectRequest(
                    running.account_id, MAKER, "/chat/completions", body, in_batch=True
                )
                assert (await lines.answer(line)).status == 200
                return
            answer = await running.chat_at(chat_on(where), asking(tier, messages=messages))
            assert answer.status == 200

        tasks = [asyncio.create_task(come("first", "gpt", None))]
        await until(lambda: turnstile.order == ["first"])
        for count, (who, where, tier) in enumerate(
            (
                ("batch", "batch", None),
                ("flex", "gpt", "flex"),
                ("default", "gpt", None),
                ("priority", "gpt", "priority"),
                ("provisioned", "ptu", None),
            ),
            1,
        ):
            tasks.append(asyncio.create_task(come(who, where, tier)))
            await until(lambda count=count: gate.waiting == count)
        turnstile.let_go(6)
        await asyncio.gather(*tasks)
        assert turnstile.order == [
            "first",
            "provisioned",
            "priority",
            "default",
            "flex",
            "batch",
        ]


async def test_accounts_of_a_class_take_turns() -> None:
    """One that came late with two requests does not wait for all six of the other."""
    turnstile = Turnstile()
    async with rig(turnstile.engine, accounts=2) as running:
        gate = running.instance.gate

        async def come(who: str, path: str, key: str) -> None:
            body = {"messages": [{"role": "user", "content": who}], "max_tokens": 10}
            assert (await running.chat_at(path, body, key=key)).status == 200

        mine, theirs = f"/linarite{chat_on('gpt')}", f"/other{chat_on('theirs')}"
        tasks = [asyncio.create_task(come("m0", mine, running.keys.key1))]
        await until(lambda: turnstile.order == ["m0"])
        waiting = [*((f"m{n}", mine, running.keys.key1) for n in range(1, 7))]
        waiting += [*((f"t{n}", theirs, running.other_keys.key1) for n in (1, 2))]
        for count, (who, path, key) in enumerate(waiting, 1):
            tasks.append(asyncio.create_task(come(who, path, key)))
            await until(lambda count=count: gate.waiting == count)
        turnstile.let_go(len(tasks))
        await asyncio.gather(*tasks)
        assert turnstile.order == ["m0", "m1", "t1", "m2", "t2", "m3", "m4", "m5", "m6"]


async def test_flex_without_room_is_refused_and_not_charged() -> None:
    """429 where no more may wait, 408 where it waited too long; neither has any tokens."""
    turnstile = Turnstile()
    policy = InstanceSettings(queue_max=0)
    async with rig(turnstile.engine, policy=policy) as running:
        holding = asyncio.create_task(running.chat(HELLO))
        await until(lambda: len(turnstile.order) == 1)
        refused = await running.chat(asking("flex"))
        assert (refused.status, refused.error["code"]) == (429, "no_capacity")
        assert refused.header("retry-after-ms") is not None
        record = await running.recorded()
        assert (record.service_tier, record.prompt_tokens, record.status) == ("flex", 0, 429)
        turnstile.let_go(1)
        await holding


async def test_flex_that_waits_too_long() -> None:
    """Azure's 408."""
    turnstile = Turnstile()
    policy = InstanceSettings(queue_wait_s=0.05)
    async with rig(turnstile.engine, policy=policy) as running:
        holding = asyncio.create_task(running.chat(HELLO))
        await until(lambda: len(turnstile.order) == 1)
        refused = await running.chat(asking("flex"))
        assert (refused.status, refused.error["code"]) == (408, "Timeout")
        assert refused.error["message"] == "The operation was timeout."
        turnstile.let_go(1)
        await holding


async def test_a_deployment_for_batches_answers_nobody_else() -> None:
    """As on Azure, in the words of each operation, and with a hint."""
    async with rig() as running:
        await deploy(running, "batch", "DataZoneBatch")
        for path, verb, body in (
            (chat_on("batch"), "chatCompletion", HELLO),
            ("/openai/v1/chat/completions", "chatCompletion", {**HELLO, "model": "batch"}),
            ("/openai/v1/responses", "responses", {"model": "batch", "input": "hello"}),
            ("/openai/v1/embeddings", "embeddings", {"model": "batch", "input": "hello"}),
        ):
            answer = await running.chat_at(path, body)
            error = answer.json()["error"]
            assert (answer.status, error["code"]) == (400, "OperationNotSupported")
            assert error["message"].startswith(f"The {verb} operation does not work with the")
            assert error["innererror"]["code"] == "BatchDeployment"
        assert not running.engine.asked

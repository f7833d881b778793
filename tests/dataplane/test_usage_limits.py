"""Usage limits hold for the calls that they are about, and say so."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.controls.quota import Limiter, MemoryLedger
from linarite.dataplane.call import Call
from linarite.dataplane.subjects import usage_buckets
from linarite.domain.chat import ChatChoice, ChatDelta, ChatEvent
from linarite.domain.resource import Resource
from linarite.domain.usage import usage_of
from linarite.domain.usage_limits import PROJECT_TYPE, USAGE_LIMIT_TYPE, usage_limit
from tests.dataplane.rig import COMPLETIONS, EMBEDDINGS, GA, ScriptedEngine, rig, until

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.controls.usage_limits import Crossing
    from linarite.domain.chat import ChatAsk
    from linarite.domain.facts import Deployment, Facts
    from linarite.domain.ledger import Bucket
    from linarite.domain.usage import Usage
    from tests.dataplane.rig import Rig
    from tests.web.wire import Answer

pytestmark = pytest.mark.anyio

SAID: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 10}
USED = 7
"""tokens of an answer of the scripted engine"""
ESTIMATED = 44
"""tokens that it is thought to take at most: three times as much do not fit where two have"""


def reason(answer: Answer) -> str:
    """Which limit refused."""
    return str(answer.header("x-ratelimit-reason")).partition(";")[0]


async def chat(running: Rig, **more: Any) -> Answer:  # noqa: ANN401 - as `Rig.chat`
    """A short one."""
    return await running.chat(SAID | more.pop("body", {}), **more)


async def test_each_end_user_has_tokens_of_their_own() -> None:
    """As `safety_identifier` or `user` names them; records keep the name and who refused."""
    async with rig(limiter=Limiter()) as running:
        await running.limit("users", "endUser", tokensPerMinute=ESTIMATED + USED)
        ann = {"body": {"user": "ann"}}
        assert [(await chat(running, **ann)).status for _ in range(3)] == [200, 200, 429]
        assert (await chat(running, body={"user": "bob"})).status == 200
        assert (await chat(running)).status == 200
        refused = await chat(running, body={"user": "bob", "safety_identifier": "ann"})
        assert (refused.status, reason(refused)) == (429, "usageLimits/users/tokensPerMinute")
        assert b"raise tokensPerMinute of the usage limit 'users'" in refused.body
        kept = await running.recorded(6)
        assert (kept.end_user, kept.limited_by) == ("ann", "usageLimits/users/tokensPerMinute")


async def test_a_long_name_of_an_end_user_is_cut() -> None:
    """Before limits are looked for."""
    seen: list[str] = []

    def buckets_for(call: Call, facts: Facts) -> tuple[Bucket, ...]:
        seen.append(call.end_user)
        return usage_buckets(call, facts)

    async with rig(buckets_for=buckets_for) as running:
        long = "u" * 100_000
        await chat(running, body={"safety_identifier": long})
        for target, field in ((COMPLETIONS, "prompt"), (EMBEDDINGS, "input")):
            await running.send("POST", target, {field: "x", "user": long})
    assert seen == ["u" * 256] * 3


@pytest.mark.parametrize("target", [COMPLETIONS, EMBEDDINGS])
async def test_end_users_are_known_to_every_operation(target: str) -> None:
    """Completions and embeddings name them too."""
    async with rig(limiter=Limiter()) as running:
        await running.limit("users", "endUser", requestsPerMinute=1)
        field = "input" if "embeddings" in target else "prompt"

        async def ask(user: str) -> int:
            body = {field: "x", "user": user}
            return (await running.send("POST", target, body)).status

        assert [await ask(user) for user in ("ann", "ann", "bob")] == [200, 429, 200]


async def test_limits_stack_and_the_refusal_names_the_one_that_has_no_room() -> None:
    """None stands in for another; what is refused is charged to none of them."""
    async with rig(limiter=Limiter(), deployments=("gpt", "mini")) as running:
        await running.limit("whole", "account", requestsPerMinute=3)
        await running.limit("gpt", "deployment", "gpt", requestsPerMinute=2)
        mini = f"/openai/deployments/mini/chat/completions?api-version={GA}"
        answers = [await chat(running) for _ in range(3)]
        assert [each.status for each in answers] == [200, 200, 429]
        assert reason(answers[2]) == "usageLimits/gpt/requestsPerMinute"
        assert (await running.chat_at(mini, SAID)).status == 200
        assert reason(await running.chat_at(mini, SAID)) == "usageLimits/whole/requestsPerMinute"


async def test_an_application_keys_quota_acts() -> None:
    """Its own, and limits on each key; Azure's two keys are none."""
    async with rig(limiter=Limiter()) as running:
        web = await running.give_key("web", quota={"requestsPerMinute": 1})
        api = await running.give_key("api")
        await running.limit("keys", "applicationKey", requestsPerMinute=2)
        assert [(await chat(running, key=web)).status for _ in range(2)] == [200, 429]
        assert [(await chat(running, key=api)).status for _ in range(3)] == [200, 200, 429]
        assert [(await chat(running)).status for _ in range(3)] == [200, 200, 200]


async def test_a_limit_that_changes_keeps_what_was_counted() -> None:
    """And one that is deleted limits no longer; the next request knows."""
    async with rig(limiter=Limiter()) as running:
        await running.limit("whole", "account", requestsPerMinute=1)
        assert [(await chat(running)).status for _ in range(2)] == [200, 429]
        await running.limit("whole", "account", requestsPerMinute=2)
        assert [(await chat(running)).status for _ in range(2)] == [200, 429]
        account = running.account_id
        await running.resources.delete(f"{account}/providers/Linarite.Quota/usageLimits/whole")
        await running.facts.read_anew(account)
        assert (await chat(running)).status == 200


async def test_a_subscriptions_limit_holds_for_all_accounts_at_once() -> None:
    """As soon as it is written, and until it is removed; then nobody is remembered."""
    async with rig(limiter=Limiter()) as running:
        running.resources.subscribe(running.facts.follow)
        subscription = running.account_id.partition("/resourceGroups/")[0]
        stored = Resource(
            id=f"{subscription}/providers/{USAGE_LIMIT_TYPE}/all",
            type=USAGE_LIMIT_TYPE,
            name="all",
            properties={"appliesTo": {"kind": "account"}, "requestsPerMinute": 1},
        )
        await running.resources.put(stored)
        assert [(await chat(running)).status for _ in range(2)] == [200, 429]
        assert running.facts.limit_desk.subjects.known(usage_limit(stored))
        await running.resources.delete(stored.id)
        assert (await chat(running)).status == 200
        assert running.facts.limit_desk.subjects.known(usage_limit(stored)) == []


async def test_places_at_the_same_time_come_back() -> None:
    """As requests end, however they end."""
    leave = asyncio.Event()

    async def script(_: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="hi"), index=0)])
        await leave.wait()
        yield ChatEvent(usage=usage_of(3, 4))

    engine = ScriptedEngine(script)
    async with rig(engine, limiter=Limiter()) as running:
        await running.limit("whole", "account", concurrentRequests=2)
        both = [asyncio.create_task(chat(running)) for _ in range(2)]
        await until(lambda: engine.opened == 2)
        refused = await chat(running)
        assert (refused.status, reason(refused)) == (429, "usageLimits/whole/concurrentRequests")
        leave.set()
        assert [(await each).status for each in both] == [200, 200]
        assert (await chat(running)).status == 200


async def test_a_project_is_one_of_the_accounts() -> None:
    """Another is refused with those that there are; an account without any takes no notice."""
    async with rig(limiter=Limiter()) as running:
        said = {"headers": [("OpenAI-Project", "proj_x")]}
        assert (await chat(running, **said)).status == 200
        assert (await running.recorded(1)).project == ""
        project = f"{running.account_id}/projects/Search"
        await running.resources.put(Resource(id=project, type=PROJECT_TYPE, name="Search"))
        await running.limit("projects", "project", requestsPerMinute=1)
        refused = await chat(running, **said)
        error = msgspec.json.decode(refused.body)["error"]
        assert (refused.status, error["code"]) == (400, "invalid_project")
        assert "It has: search." in error["message"]
        known = {"headers": [("OpenAI-Project", "SEARCH")]}
        assert [(await chat(running, **known)).status for _ in range(2)] == [200, 429]
        assert (await running.recorded(3)).project == "search"
        assert (await chat(running)).status == 200


async def test_tags_are_told_and_limited() -> None:
    """Those of the deployment and its account; an application's key adds its own."""
    async with rig(limiter=Limiter()) as running:
        account = await running.resources.get(running.account_id)
        assert account is not None
        tagged = msgspec.structs.replace(account, tags={"stage": "test", "team": "all"})
        await running.resources.put(tagged)
        gpt = await running.resources.get(f"{running.account_id}/deployments/gpt")
        assert gpt is not None
        await running.resources.put(msgspec.structs.replace(gpt, tags={"Team": "search"}))
        await running.limit("team", "tag", "team=search", requestsPerMinute=1)
        assert [(await chat(running)).status for _ in range(2)] == [200, 429]
        assert (await running.recorded(2)).tags == '{"Team":"search","stage":"test"}'


def ten_a_token(where: Deployment | None, tier: str, usage: Usage) -> int:
    """A tenth of the currency for each."""
    del where, tier
    return usage.total_tokens * 10**8


async def test_a_governed_call_is_no_cycle() -> None:
    """What it held is gone with it; the collector, which comes seldom, has nothing to find."""
    async with rig(limiter=Limiter(), cost_of=ten_a_token) as running:
        await running.limit("whole", "account", tokensPerDay=10**6, costPerDay=10**6)
        assert (await chat(running)).status == 200
        gc.collect()
        gc.disable()
        try:
            before = calls_alive()
            assert [(await chat(running)).status for _ in range(5)] == [200] * 5
            assert calls_alive() <= before
        finally:
            gc.enable()


def calls_alive() -> int:
    """How many there are."""
    return sum(type(each) is Call for each in gc.get_objects())


async def test_money_is_reserved_and_settled_at_what_was_spent() -> None:
    """A tenth of the currency for a token: 7 tokens are used, 44 were reserved."""
    async with rig(limiter=Limiter(), cost_of=ten_a_token) as it:
        await it.limit("money", "account", costPerDay=5.2)
        assert [(await chat(it)).status for _ in range(3)] == [200, 200, 429]
        refused = await chat(it)
        assert reason(refused) == "usageLimits/money/costPerDay"
        assert "left=3800000000" in str(refused.header("x-ratelimit-reason"))
        assert refused.header("x-should-retry") == "false"


async def test_thresholds_are_told_by_what_requests_used() -> None:
    """And a day's limit that begins to refuse says so once."""
    told: list[Crossing] = []
    async with rig(ledger=MemoryLedger()) as running:
        running.facts.limit_desk.watch.tell = told.append
        await running.limit("whole", "account", tokensPerDay=ESTIMATED + USED, warnAt=[20, 100])
        assert (await chat(running)).status == 200
        assert (await chat(running, body={"max_tokens": 900})).status == 429  # it never fits
        assert told == []
        assert (await chat(running)).status == 200
        assert [(each.percent, each.used) for each in told] == [(20, 2 * USED)]
        assert [(await chat(running)).status for _ in range(2)] == [429, 429]
        assert [each.percent for each in told] == [20, 0]

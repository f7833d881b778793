"""Calls without HTTP: the same rights, limits and records as over a connection."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.controls.quota import Limiter
from linarite.dataplane.direct import Busy, DirectAnswer, DirectCalls, DirectRequest, wait_of
from linarite.domain.batch_errors import AccountGone
from linarite.domain.customer_keys import CustomerKeyUnavailable
from linarite.domain.errors import InvalidRequest, RequestTimedOut, UpstreamRefused
from linarite.domain.price_book import NO_PRICES
from linarite.domain.principal import Principal
from linarite.domain.usage_journal import NO_JOURNAL
from linarite.storage.usage_journal import FileUsageJournal
from tests.dataplane.rig import CHAT, HELLO, ScriptedEngine, greeting, rig

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from linarite.domain.chat import ChatAsk, ChatEvent
    from linarite.domain.usage_journal import UsageJournal
    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

KEY_HOLDER = Principal(kind="Key", name="key1")
USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
ROLES = "/providers/Microsoft.Authorization/roleDefinitions"


async def ask(
    running: Rig,
    maker: Principal = KEY_HOLDER,
    journal: UsageJournal = NO_JOURNAL,
    **body: Any,  # noqa: ANN401 - JSON
) -> DirectAnswer:
    """A call for somebody."""
    plane = running.dataplane
    calls = DirectCalls(plane._router, plane.surface, running.records.append, NO_PRICES, journal)
    said = msgspec.json.encode(HELLO | {"model": "gpt"} | body)
    account = running.facts.for_account("linarite").account.id
    return await calls.answer(DirectRequest(account, maker, "/chat/completions", said))


async def test_the_answer_is_that_of_a_call_over_a_connection() -> None:
    """Body and record alike, but for what a connection tells."""
    async with rig() as running:
        direct = await ask(running)
        over_http = await running.send(
            "POST", "/openai/v1/chat/completions", HELLO | {"model": "gpt"}
        )
        assert direct.status == over_http.status == 200
        mine, theirs = json.loads(direct.body), json.loads(over_http.body)
        for each in (mine, theirs):
            del each["id"], each["created"]
        assert mine == theirs
        one, other = running.records
        assert direct.request_id == one.request_id
        same = ("account", "deployment", "operation", "path", "status", "completion_tokens", "sku")
        assert [getattr(one, name) for name in same] == [getattr(other, name) for name in same]
        assert direct.usage is not None
        assert direct.usage.completion_tokens == one.completion_tokens


async def test_refusals_are_answers() -> None:
    """With their record; so are routes that there are not."""
    async with rig() as running:
        refused = await ask(running, temperature=9)
        assert refused.status == 400
        assert json.loads(refused.body)["error"]["param"] == "temperature"
        absent = await ask(running, model="absent")
        assert (absent.status, running.records[-1].error_code) == (404, "DeploymentNotFound")


async def test_limits_count_and_are_waited_for() -> None:
    """A call over a connection counts too; a wait leaves no record, and never is an answer."""
    async with rig(limiter=Limiter()) as running:
        await running.limit("all", "account", requestsPerMinute=2, tokensPerMinute=1000)
        await ask(running)
        assert (await running.send("POST", CHAT, HELLO)).status == 200
        with pytest.raises(Busy) as busy:
            await ask(running)
        assert 0 < busy.value.wait_s < 70
        assert len(running.records) == 2
        await running.limit("all", "account", tokensPerMinute=10)
        never = await ask(running, max_tokens=5000)
        assert (never.status, running.records[-1].limited_by) == (
            429,
            "usageLimits/all/tokensPerMinute",
        )


async def test_what_had_begun_is_recorded(tmp_path: Path) -> None:
    """Though the engine then takes too long, and the line comes again: nothing stays noted."""

    async def stall(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        async for event in greeting(ask):
            yield event
            raise RequestTimedOut("The model did not answer in time.")

    journal = FileUsageJournal(tmp_path)
    journal.start()
    async with rig(ScriptedEngine(stall)) as running:
        with pytest.raises(Busy):
            await ask(running, journal=journal)
        (record,) = running.records
        assert (record.status, record.finish) == (408, "refused")
        journal.kept([record.request_id])
    journal.close()
    assert FileUsageJournal(tmp_path).left_over == []


async def test_a_key_is_asked_for_its_rights_with_each_call() -> None:
    """What it had when it began is not what counts."""
    async with rig(deployments=("gpt", "other")) as running:
        role = {"roleDefinitionId": f"{ROLES}/{USER}"}
        await running.give_key("web", **role, deployments=["other"])
        maker = next(iter(running.facts.for_account("").account.application_keys.values()))
        assert (await ask(running, maker)).status == 401
        assert (await ask(running, maker, model="other")).status == 200
        await running.give_key("web", **role)
        assert (await ask(running, maker)).status == 200
        await running.give_key("web", **role, enabled=False)
        assert (await ask(running, maker)).status == 401
        await running.resources.delete(maker.resource_id)
        await running.facts.read_anew(running.account_id)
        gone = await ask(running, maker)
        assert (gone.status, b"was deleted" in gone.body) == (401, True)


async def test_an_account_that_is_gone() -> None:
    """Is told to whoever asks, for it may come back."""
    async with rig() as running:
        plane = running.dataplane
        calls = DirectCalls(
            plane._router, plane.surface, running.records.append, NO_PRICES, NO_JOURNAL
        )
        with pytest.raises(AccountGone):
            await calls.answer(DirectRequest("/absent", KEY_HOLDER, "/chat/completions", b"{}"))
        assert running.records == []


@pytest.mark.parametrize(
    ("refusal", "wait_s"),
    [
        (InvalidRequest("no"), None),
        (RequestTimedOut(), 5.0),
        (CustomerKeyUnavailable("k"), 5.0),
        (UpstreamRefused(429, {}, {"retry-after": "7"}), 7.0),
        (UpstreamRefused(503, {}, {"retry-after-ms": "250"}), 0.25),
        (UpstreamRefused(429, {}, {"retry-after": "Wed, 21 Oct"}), 5.0),
        (UpstreamRefused(400, {}, {"retry-after": "7"}), None),
    ],
)
def test_what_is_waited_for(refusal: Any, wait_s: float | None) -> None:  # noqa: ANN401 - any refusal
    """And how long."""
    assert wait_of(refusal) == wait_s

"""Spillover: a standard deployment serves what a provisioned one refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.controls.quota import Limiter
from linarite.domain.chat import ChatChoice, ChatDelta, ChatEvent
from linarite.domain.errors import (
    ContextLengthExceeded,
    EngineFailed,
    InvalidRequest,
    LinariteError,
    ServiceUnavailable,
)
from linarite.domain.usage import usage_of
from tests.dataplane.rig import HELLO, ScriptedEngine, rig
from tests.dataplane.tiers import chat_on, deploy

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from linarite.domain.chat import ChatAsk
    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

PTU = "GlobalProvisionedManaged"
OURS = {"team": "ours"}
HEADER = "x-ms-spillover-deployment"


class Scripted:
    """An engine that fails with these, one a request, and answers then."""

    def __init__(self, *problems: LinariteError, late: bool = False) -> None:
        self.engine = ScriptedEngine(self.answer)
        self._problems = list(problems)
        self._late = late

    async def answer(self, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        """Fail or answer."""
        del ask
        if self._late:
            yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content="well"))])
        if self._problems:
            raise self._problems.pop(0)
        yield ChatEvent(
            choices=[ChatChoice(delta=ChatDelta(content="hi"), finish_reason="stop")],
            usage=usage_of(10, 5),
        )


async def both(running: Rig, *, spillover: str = "std", standard: str = "GlobalStandard") -> None:
    """A provisioned deployment `ptu` of 60 tokens a minute, and a standard one `std`."""
    await deploy(running, "ptu", PTU, reserved=1.0, spilloverDeploymentName=spillover)
    await deploy(running, "std", standard)


async def exhaust(running: Rig) -> None:
    """Fill the bucket to beyond its rim."""
    for _ in range(5):
        body = {**HELLO, "max_tokens": 50}
        assert (await running.chat_at(chat_on("ptu"), body)).status == 200


async def ask(
    running: Rig,
    where: str = "ptu",
    headers: Sequence[tuple[str, str]] = (),
    **more: Any,  # noqa: ANN401 - any JSON
) -> Any:  # noqa: ANN401 - as `chat_at`
    """A chat."""
    return await running.chat_at(chat_on(where), {**HELLO, **more}, headers=headers)


@pytest.mark.parametrize("stream", [False, True])
async def test_what_is_beyond_the_throughput_spills_over(stream: bool) -> None:
    """The answer says who served, and instead of whom; so does the record."""
    async with rig(Scripted().engine, limiter=Limiter()) as running:
        await both(running)
        await exhaust(running)
        answer = await ask(running, stream=stream)
        assert answer.status == 200
        assert answer.header("x-ms-spillover-from-deployment") == "ptu"
        assert answer.header("x-ms-deployment-name") == "std"
        assert answer.header("x-ms-is-spilled-over") == "true"
        assert answer.header("azure-openai-deployment-utilization") is None
        assert answer.header("x-ratelimit-limit-tokens") == "100000"
        record = running.records[-1]
        assert (record.deployment, record.spilled_from, record.sku) == (
            "std",
            "ptu",
            "GlobalStandard",
        )
        assert (record.status, record.error_code, record.refused_by) == (200, "", "")
        assert record.limited_by == "deployment-tokens"


async def test_without_a_deployment_to_spill_to_it_is_refused() -> None:
    """As ever."""
    async with rig(Scripted().engine, limiter=Limiter()) as running:
        await both(running, spillover="")
        await exhaust(running)
        answer = await ask(running)
        assert answer.status == 429
        assert answer.header("x-ms-spillover-error") is None


@pytest.mark.parametrize(
    "problem",
    [
        EngineFailed("broken"),
        ServiceUnavailable("gone"),
        ContextLengthExceeded(128_000, 130_000),
    ],
)
async def test_the_header_names_one_for_a_single_request(problem: LinariteError) -> None:
    """For each of the reasons."""
    async with rig(Scripted(problem).engine) as running:
        await both(running, spillover="")
        answer = await ask(running, headers=[(HEADER, "STD")])
        assert (answer.status, answer.header("x-ms-deployment-name")) == (200, "std")
        record = await running.recorded()
        assert (record.spilled_from, record.limited_by, record.error_code) == ("ptu", "", "")


async def test_the_property_wins_over_the_header() -> None:
    """As documented."""
    async with rig(Scripted(EngineFailed("broken")).engine) as running:
        await both(running)
        answer = await ask(running, headers=[(HEADER, "another")])
        assert (answer.status, answer.header("x-ms-deployment-name")) == (200, "std")


@pytest.mark.parametrize(
    ("standard", "wanted", "error"),
    [
        ("GlobalStandard", "absent", "404"),
        ("DataZoneStandard", "std", "503"),
        (PTU, "std", "503"),
        ("GlobalStandard", "ptu", "503"),
    ],
)
async def test_one_that_can_not_take_it(standard: str, wanted: str, error: str) -> None:
    """Absent, of another reach, provisioned too, or itself: the first answer stays."""
    async with rig(Scripted(ServiceUnavailable("gone", 7)).engine) as running:
        await both(running, spillover="", standard=standard)
        answer = await ask(running, headers=[(HEADER, wanted)])
        assert (answer.status, answer.header("retry-after")) == (503, "7")
        assert answer.header("x-ms-spillover-error") == error
        assert answer.header("x-ms-deployment-name") == "ptu"
        assert answer.header("x-ms-spillover-from-deployment") is None


async def test_where_the_other_fails_too_the_first_answer_is_given() -> None:
    """With the status of the second; the record is of the first."""
    failing = Scripted(ServiceUnavailable("gone", 7), EngineFailed("broken"))
    async with rig(failing.engine) as running:
        await both(running)
        answer = await ask(running)
        assert (answer.status, answer.header("retry-after")) == (503, "7")
        assert answer.header("x-ms-spillover-error") == "500"
        assert answer.header("x-ms-deployment-name") == "ptu"
        record = await running.recorded()
        assert (record.deployment, record.spilled_from, record.status) == ("ptu", "", 503)
        assert record.limited_by == ""


async def test_one_that_spills_over_is_one_request() -> None:
    """For the limits that hold for both deployments, whether the other one serves it or fails."""
    failing = Scripted(*(ServiceUnavailable("gone") for _ in range(3)))
    async with rig(failing.engine, limiter=Limiter()) as running:
        await running.limit("whole", "account", requestsPerMinute=2, tokensPerMinute=1000)
        await both(running)
        answer = await ask(running, max_tokens=5)
        assert (answer.status, answer.header("x-ms-spillover-error")) == (503, "503")
        assert (await ask(running, max_tokens=5)).header("x-ms-deployment-name") == "std"
        refused = await ask(running, "std", max_tokens=5)
        assert str(refused.header("x-ratelimit-reason")).startswith("usageLimits/whole/")


async def test_the_first_answer_has_its_own_tags_and_tier() -> None:
    """In its record too."""
    failing = Scripted(ServiceUnavailable("gone"), EngineFailed("broken"))
    async with rig(failing.engine) as running:
        await deploy(running, "ptu", PTU, reserved=1.0, spilloverDeploymentName="std", tags=OURS)
        await deploy(running, "std", tags={"team": "theirs"})
        await ask(running, service_tier="priority")
        record = await running.recorded()
        assert (record.tags, record.service_tier) == ('{"team":"ours"}', "default")


async def test_other_refusals_stay() -> None:
    """A request that is wrong is wrong everywhere."""
    async with rig(Scripted(InvalidRequest("no")).engine) as running:
        await both(running)
        answer = await ask(running)
        assert (answer.status, answer.header("x-ms-spillover-error")) == (400, None)


async def test_what_has_begun_does_not_spill() -> None:
    """The client has seen a part of the answer."""
    scripted = Scripted(EngineFailed("broken"), late=True)
    async with rig(scripted.engine) as running:
        await both(running)
        answer = await ask(running, stream=True)
        assert answer.header("x-ms-deployment-name") == "ptu"
        assert b"broken" in answer.body
        assert scripted.engine.opened == 1


async def test_the_tier_is_chosen_anew() -> None:
    """A provisioned deployment has none; who stands in for it may have, and says it once."""
    async with rig(Scripted(EngineFailed("broken")).engine) as running:
        await both(running)
        answer = await ask(running, service_tier="priority")
        assert answer.header("x-ms-deployment-name") == "std"
        assert answer.body.count(b'"service_tier"') == 1
        assert answer.json()["service_tier"] == "priority"
        record = await running.recorded()
        assert (record.service_tier_asked, record.service_tier) == ("priority", "priority")


async def test_a_standard_deployment_does_not_spill() -> None:
    """Only what is reserved does."""
    async with rig(Scripted(EngineFailed("broken")).engine) as running:
        await both(running, spillover="")
        answer = await ask(running, "std", headers=[(HEADER, "gpt")])
        assert (answer.status, answer.header("x-ms-spillover-error")) == (500, None)


async def test_a_key_does_not_reach_further_by_the_header() -> None:
    """Whoever deploys may choose for it, its holder may not."""
    async with rig(
        Scripted(ServiceUnavailable("gone"), ServiceUnavailable("gone")).engine
    ) as running:
        await both(running, spillover="")
        key = await running.give_key(
            "app", role="Cognitive Services OpenAI User", deployments=["ptu"]
        )
        refused = await running.chat_at(chat_on("ptu"), headers=[(HEADER, "std")], key=key)
        assert (refused.status, refused.header("x-ms-spillover-error")) == (503, "401")
        await both(running)
        answer = await running.chat_at(chat_on("ptu"), key=key)
        assert (answer.status, answer.header("x-ms-deployment-name")) == (200, "std")


async def test_on_v1_the_model_names_the_provisioned_one() -> None:
    """The body's `model` is the deployment that is called."""
    async with rig(Scripted(EngineFailed("broken")).engine) as running:
        await both(running)
        answer = await running.chat_at("/openai/v1/chat/completions", {**HELLO, "model": "ptu"})
        assert (answer.status, answer.header("x-ms-spillover-from-deployment")) == (200, "ptu")

"""Usage limits, set by management and met by both official clients."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest
from openai import AsyncAzureOpenAI, AzureOpenAI, OpenAI

from linarite.domain.application_key import APPLICATION_KEY_TYPE
from linarite.domain.usage_limits import USAGE_LIMIT_TYPE
from tests.cli.terminal import linarite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.sdk.conftest import Target
    from tests.serving import Server

HELLO: Any = [{"role": "user", "content": "Say hello."}]
ASKED: Any = {"model": "gpt-4o", "messages": HELLO, "max_tokens": 5}
VERSION = {"api-version": "2025-09-01"}


class Management:
    """A server, as its management sees it."""

    def __init__(self, target: Target) -> None:
        self.server = target.server
        self.account = str(target.server.ready["account_id"])
        self._bearer = {"authorization": f"Bearer {target.server.ready['management_key']}"}

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """What it answers."""
        answer = httpx.request(
            method,
            f"{self.server.endpoint}{self.account}{path}",
            params=VERSION,
            headers=self._bearer,
            json=body,
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def limit(self, name: str, kind: str, **said: Any) -> str:  # noqa: ANN401 - any JSON
        """Set one on each of a kind; its path."""
        path = f"/providers/{USAGE_LIMIT_TYPE}/{name}"
        applies = {"kind": kind} | ({"name": said.pop("subject")} if "subject" in said else {})
        self.ask("PUT", path, {"properties": {"appliesTo": applies, **said}})
        return path


@pytest.fixture
def management(simulated: Target) -> Iterator[Management]:
    """It takes every limit away again."""
    one = Management(simulated)
    yield one
    for limit in one.ask("GET", f"/providers/{USAGE_LIMIT_TYPE}")["value"]:
        one.ask("DELETE", f"/providers/{USAGE_LIMIT_TYPE}/{limit['name']}")


@contextmanager
def clients(target: Target, **more: Any) -> Iterator[list[OpenAI]]:  # noqa: ANN401 - as theirs
    """Both, without retries."""
    server = target.server
    both = [
        AzureOpenAI(
            azure_endpoint=server.endpoint,
            api_key=server.key,
            api_version="2024-10-21",
            max_retries=0,
            **more,
        ),
        OpenAI(base_url=f"{server.endpoint}/openai/v1/", api_key=server.key, max_retries=0, **more),
    ]
    yield both
    for each in both:
        each.close()


def refused(client: OpenAI, **said: Any) -> openai.RateLimitError:  # noqa: ANN401 - as `create`
    """What a client is told that has used its limit up."""
    with pytest.raises(openai.RateLimitError) as problem:
        client.chat.completions.create(**ASKED, **said)
    return problem.value


def test_an_end_user_is_limited_and_the_refusal_explains_itself(
    simulated: Target, management: Management
) -> None:
    """Over both dialects together; `explain` names the limit, and its usage who used it."""
    path = management.limit("users", "endUser", requestsPerMinute=2)
    with clients(simulated) as both:
        for client in both:
            client.chat.completions.create(**ASKED, user="ann")
        told = [refused(client, user="ann") for client in both]
        for each in told:
            reason = each.response.headers["x-ratelimit-reason"]
            assert reason.startswith("usageLimits/users/requestsPerMinute; limit=2; window=60s")
            assert "usageLimits/users/requestsPerMinute" in each.message
            assert int(each.response.headers["retry-after-ms"]) > 0
        both[0].chat.completions.create(**ASKED, user="bob")
    used = management.ask("GET", f"{path}/usage")["value"]
    assert [(each["subject"], each["used"], each["left"]) for each in used] == [
        ("ann", 2, 0),
        ("bob", 1, 1),
    ]
    request_id = told[0].response.headers["apim-request-id"]
    explained = linarite(simulated.server.home, "explain", request_id, "-o", "json")
    steps = {each["control"]: each for each in json.loads(explained.stdout)["steps"]}
    assert steps["quota"]["decidedBy"] == "usageLimits/users/requestsPerMinute"
    assert "linarite limit show users" in explained.stdout


def test_a_stream_is_counted_by_what_it_used(simulated: Target, management: Management) -> None:
    """Not by what was reserved for it."""
    path = management.limit("whole", "account", tokensPerDay=100_000)
    with clients(simulated) as (client, _):
        stream = client.chat.completions.create(
            model="gpt-4o",
            messages=HELLO,
            max_tokens=50_000,
            stream=True,
            stream_options={"include_usage": True},
        )
        usage = [each.usage for each in stream if each.usage is not None][-1]
    told = management.ask("GET", f"{path}/usage")["value"][0]
    assert (told["measure"], told["used"]) == ("tokensPerDay", usage.total_tokens)
    assert told["resetsAt"].endswith("T00:00:00Z")


def test_a_project_is_sent_as_the_client_sends_it(
    simulated: Target, management: Management
) -> None:
    """`project=` of the client; an unknown one is refused only where there are projects."""
    with clients(simulated, project="proj_nobody") as (_, stranger):
        stranger.chat.completions.create(**ASKED)
    account = management.ask("GET", "")
    allowed = {"properties": {"allowProjectManagement": True}}
    management.ask("PATCH", "", allowed)
    project = {"location": account["location"], "properties": {}}
    management.ask("PUT", "/projects/search", project)
    try:
        management.limit("search", "project", subject="search", requestsPerMinute=1)
        with clients(simulated, project="search") as (_, client):
            client.chat.completions.create(**ASKED)
            assert "usageLimits/search" in refused(client).response.headers["x-ratelimit-reason"]
        with (
            clients(simulated, project="proj_nobody") as (_, stranger),
            pytest.raises(openai.BadRequestError) as unknown,
        ):
            stranger.chat.completions.create(**ASKED)
        assert unknown.value.code == "invalid_project"
    finally:
        management.ask("DELETE", "/projects/search")
        management.ask("PATCH", "", {"properties": {"allowProjectManagement": False}})


def test_a_template_declares_a_limit(simulated: Target, management: Management) -> None:
    """As an extension of the account, with `scope`."""
    template = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [
            {
                "type": USAGE_LIMIT_TYPE,
                "apiVersion": "2025-09-01",
                "scope": management.account,
                "name": "declared",
                "properties": {"appliesTo": {"kind": "principal"}, "tokensPerDay": 5},
            }
        ],
    }
    file = simulated.server.home / "limits.json"
    file.write_text(json.dumps(template))
    done = linarite(simulated.server.home, "template", "deploy", str(file))
    assert done.returncode == 0, done.stderr
    found = management.ask("GET", f"/providers/{USAGE_LIMIT_TYPE}/declared")
    assert found["properties"]["tokensPerDay"] == 5


SHARES = {"small": 1000, "middle": 2000, "large": 4000}
"""tokens a minute of three applications"""


async def spend(server: Server, key: str) -> int:
    """All that an application gets, asking with all its might; in tokens."""
    used, refusals = 0, 0
    async with AsyncAzureOpenAI(
        azure_endpoint=server.endpoint, api_key=key, api_version="2024-10-21", max_retries=0
    ) as client:

        async def work() -> None:
            nonlocal used, refusals
            while refusals < 8:
                try:
                    answer = await client.chat.completions.create(**ASKED | {"max_tokens": 12})
                except openai.RateLimitError:
                    refusals += 1
                else:
                    assert answer.usage is not None
                    used += answer.usage.total_tokens

        await asyncio.gather(*(work() for _ in range(4)))
    return used


@pytest.mark.anyio
async def test_mixed_tenants_each_get_their_share(
    simulated: Target, management: Management
) -> None:
    """Within a twentieth, and never more, though all press at the same time."""
    keys: dict[str, str] = {}
    for name, tokens in SHARES.items():
        path = f"/providers/{APPLICATION_KEY_TYPE}/{name}"
        body = {"properties": {"quota": {"tokensPerMinute": tokens}}}
        keys[name] = management.ask("PUT", path, body)["properties"]["key"]
    try:
        used = await asyncio.gather(*(spend(simulated.server, key) for key in keys.values()))
    finally:
        for name in SHARES:
            management.ask("DELETE", f"/providers/{APPLICATION_KEY_TYPE}/{name}")
    for (name, share), got in zip(SHARES.items(), used, strict=True):
        assert 0.95 * share <= got <= share, (name, got)

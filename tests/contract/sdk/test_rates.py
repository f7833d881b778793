"""The official client and a deployment's rate."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest
from openai import AzureOpenAI, OpenAI, RateLimitError

from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Server

GA = "2024-10-21"
SETTINGS = (
    SIMULATED.replace('model_version = "2024-11-20"', "capacity = 1")
    + """
[[deployments]]
name = "minute"
model = "gpt-4o"
instance = "simulated"

[[usage_limits]]
name = "minute"
kind = "account"
deployments = ["minute"]
tokens_per_minute = 610
"""
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One request in ten seconds."""
    yield from serving(tmp_path_factory.mktemp("rates"), SETTINGS)


def test_the_client_waits_as_long_as_it_is_told(server: Server) -> None:
    """By its own retry: no longer, and no shorter than it must."""
    client = AzureOpenAI(
        azure_endpoint=server.endpoint, api_key=server.key, api_version="2024-10-21", max_retries=0
    )

    def ask(client: AzureOpenAI) -> None:
        client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "hi"}], max_tokens=2
        )

    ask(client)
    with pytest.raises(RateLimitError) as refused:
        ask(client)
    told_s = int(refused.value.response.headers["retry-after-ms"]) / 1000
    assert 8 < told_s <= 10
    began = time.monotonic()
    ask(client.with_options(max_retries=1))  # a single retry: were it too early, it would fail
    assert told_s - 0.5 < time.monotonic() - began < told_s + 2


def test_a_minute_is_told_as_a_minute(server: Server) -> None:
    """Not a little more: the client would not come again by itself."""
    client = AzureOpenAI(
        azure_endpoint=server.endpoint, api_key=server.key, api_version="2024-10-21", max_retries=0
    )
    client.completions.create(model="minute", prompt="x", max_tokens=600)
    with pytest.raises(RateLimitError) as refused:
        client.completions.create(model="minute", prompt="x", max_tokens=600)
    headers = refused.value.response.headers
    assert 55_000 < int(headers["retry-after-ms"]) <= 60_000
    assert headers["x-ratelimit-reason"].startswith("usageLimits/minute/tokensPerMinute")
    assert "x-should-retry" not in headers


def test_requests_may_be_counted_by_the_second(tmp_path: Path) -> None:
    """Told by management, headers and both families of refusals; the client waits a second."""
    settings = (
        SIMULATED.replace('model_version = "2024-11-20"', "capacity = 10")
        + '\n[quota]\nrequests_window = "1s"\n'
    )
    for server in serving(tmp_path, settings):
        client = AzureOpenAI(
            azure_endpoint=server.endpoint, api_key=server.key, api_version=GA, max_retries=0
        )
        v1 = OpenAI(base_url=f"{server.endpoint}/openai/v1/", api_key=server.key, max_retries=0)
        raw = client.completions.with_raw_response.create(model="gpt-4o", prompt="x", max_tokens=1)
        assert raw.headers["x-ratelimit-limit-requests"] == "1"
        assert raw.headers["x-ratelimit-reset-requests"] == "1"
        for each in (client, v1):
            with pytest.raises(
                RateLimitError, match=r"call rate limit.* after 1 second"
            ) as refused:
                each.completions.create(model="gpt-4o", prompt="x", max_tokens=1)
            headers = refused.value.response.headers
            assert 0 < int(headers["retry-after-ms"]) <= 1000
            assert headers["x-ratelimit-reason"] == (
                "deployment-requests; limit=1; window=1s; charged=1; left=0"
            )
        began = time.monotonic()
        client.with_options(max_retries=1).completions.create(
            model="gpt-4o", prompt="x", max_tokens=1
        )
        assert time.monotonic() - began < 3
        shown = httpx.get(
            f"{server.endpoint}{server.ready['account_id']}/deployments/gpt-4o",
            params={"api-version": "2025-09-01"},
            headers={"authorization": f"Bearer {server.ready['management_key']}"},
        ).json()
        assert shown["properties"]["rateLimits"] == [
            {"key": "request", "renewalPeriod": 1, "count": 1},
            {"key": "token", "renewalPeriod": 60, "count": 10_000},
        ]


LIMITED = (
    SIMULATED.replace("seed = 1", "seed = 1, time_to_first_token_ms = 1500, tokens_per_second = 99")
    + """
[[usage_limits]]
name = "one"
kind = "endUser"
subject = "slow"
concurrent_requests = 1

[[usage_limits]]
name = "few"
kind = "endUser"
subject = "poor"
tokens_per_day = 55
"""
)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureOpenAI]:
    """A server with limits beside its deployment's rate, which takes its time."""
    for server in serving(tmp_path_factory.mktemp("limits"), LIMITED):
        yield AzureOpenAI(
            azure_endpoint=server.endpoint,
            api_key=server.key,
            api_version="2024-10-21",
            max_retries=5,
        )


def ask_as(client: AzureOpenAI, user: str, max_tokens: int = 2) -> float:
    """A small request for an end user; how long it took in the end."""
    began = time.monotonic()
    client.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "user", "content": "hi"}],
        max_tokens=max_tokens,
        user=user,
    )
    return time.monotonic() - began


def test_who_waits_for_a_place_comes_again_each_second(limited: AzureOpenAI) -> None:
    """Nobody knows when one is free: the client's own retry finds it within a second."""
    with ThreadPoolExecutor() as pool:
        first = pool.submit(ask_as, limited, "slow")
        time.sleep(0.3)
        second = pool.submit(ask_as, limited, "slow")
        assert first.result() < 2.5
        assert 1.5 + 1 < second.result() < 1.5 + 2.7  # it came again once or twice


def test_nobody_waits_for_tomorrow(limited: AzureOpenAI) -> None:
    """The client is told when it fits, and that trying before is in vain."""
    ask_as(limited, "poor", 15)
    began = time.monotonic()
    with pytest.raises(RateLimitError) as refused:
        ask_as(limited, "poor", 15)
    assert time.monotonic() - began < 1  # of five retries none was made
    headers = refused.value.response.headers
    midnight_s = 86_400 - time.time() % 86_400
    assert abs(int(headers["retry-after"]) - midnight_s) < 5
    assert headers["x-ratelimit-reason"].startswith("usageLimits/few/tokensPerDay; limit=55; ")

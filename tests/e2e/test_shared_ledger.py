"""Servers that share a ledger: real ones, on a real store."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest
from openai import APIStatusError, AzureOpenAI, RateLimitError

from tests.serving import SIMULATED, start_server
from tests.store import needs_store, running_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Server
    from tests.store import Store

pytestmark = needs_store

RECOVERY_S = 30.0
FREE_AGAIN_S = 6.0
SETTINGS = (
    SIMULATED.replace('model_version = "2024-11-20"', "capacity = 2")
    + """
[quota]
ledger = "{url}"
ledger_deadline_s = 0.3
begun_wait_s = 0.2

[[deployments]]
name = "slow"
model = "gpt-4o"
instance = "slow"

[instances.verbose]
engine = "simulator"
model = "gpt-4o"
options = {seed = 1, reply_tokens = 300}

[instances.slow]
engine = "simulator"
model = "gpt-4o"
options = {seed = 1, tokens_per_second = 1}

[[deployments]]
name = "free"
model = "gpt-4o"
instance = "verbose"

[[usage_limits]]
name = "teller"
kind = "endUser"
tokens_per_minute = 2000

[[usage_limits]]
name = "one"
kind = "deployment"
subject = "slow"
concurrent_requests = 1
"""
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """What they share."""
    with running_store(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, store: Store) -> Iterator[list[Server]]:
    """Two, with the same deployment: 2,000 tokens a minute and two requests in ten seconds."""
    homes: list[Path] = [tmp_path_factory.mktemp(name) for name in ("one", "other")]
    settings = SETTINGS.replace("{url}", store.url)
    with ThreadPoolExecutor() as pool:
        started = list(pool.map(lambda home: start_server(home, settings), homes))
    yield started
    for server in started:
        server.stop()


def client_of(server: Server, max_retries: int = 0) -> AzureOpenAI:
    """The official client."""
    return AzureOpenAI(
        azure_endpoint=server.endpoint,
        api_key=server.key,
        api_version="2024-10-21",
        max_retries=max_retries,
    )


def ask(server: Server, max_retries: int = 0) -> None:
    """One small request."""
    with client_of(server, max_retries) as client:
        client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "hi"}], max_tokens=2
        )


@contextmanager
def streaming(server: Server) -> Iterator[None]:
    """A long answer, of which something has come; it is left with the block."""
    with (
        client_of(server) as client,
        client.chat.completions.create(
            model="slow",
            messages=[{"role": "user", "content": "hi"}],
            max_tokens=100,
            stream=True,
        ) as chunks,
    ):
        next(chunks)
        yield


def refusal(server: Server) -> dict[str, str]:
    """The headers of the 429 that a request is answered with."""
    with pytest.raises(RateLimitError) as refused:
        ask(server)
    return dict(refused.value.response.headers)


def test_they_keep_a_deployment_to_its_rate_together(servers: list[Server]) -> None:
    """Whichever a request comes to; the official client waits until it fits."""
    one, other = servers
    ask(one)
    ask(other)
    began = time.monotonic()
    reasons = [refusal(server)["x-ratelimit-reason"] for server in servers]
    assert all("deployment-requests; limit=2;" in reason for reason in reasons)
    told_s = int(refusal(other)["retry-after-ms"]) / 1000
    assert told_s <= 10
    waiting = time.monotonic()
    ask(other, max_retries=1)  # admitted at its second try: it was told no less than it takes
    assert told_s - 0.5 < time.monotonic() - waiting
    assert time.monotonic() - began > 9


def test_answers_without_a_bound_stay_within_a_limit_together(servers: list[Server]) -> None:
    """Thirty at once, on either; each would take more than its share."""

    def tell(number: int) -> int:
        with client_of(servers[number % 2]) as client:
            try:
                made = client.chat.completions.create(
                    model="free",
                    messages=[{"role": "user", "content": f"Tell a long story of {number}."}],
                    user="teller",
                )
            except RateLimitError:
                return 0
        assert made.usage is not None
        return made.usage.total_tokens

    with ThreadPoolExecutor(30) as pool:
        used = sum(pool.map(tell, range(30)))
    assert 1000 < used <= 2000


def test_the_places_of_a_stream_that_is_left_and_of_a_killed_server_are_free_again(
    servers: list[Server],
) -> None:
    """At once of the one, and soon of the other; until then nobody has them."""
    one, other = servers
    with streaming(one), pytest.raises(RateLimitError, match="concurrent request limit"):
        stream_once(other)
    with streaming_soon(other, RECOVERY_S):
        pass
    with streaming_soon(one, RECOVERY_S):  # the other one may not have seen yet that we left
        one.kill()
        with pytest.raises(RateLimitError):
            stream_once(other)
    with streaming_soon(other, FREE_AGAIN_S + RECOVERY_S):
        pass


def stream_once(server: Server) -> None:
    """One that is left at once."""
    with streaming(server):
        pass


@contextmanager
def streaming_soon(server: Server, longest_s: float) -> Iterator[None]:
    """The same as `streaming`, once there is a place."""
    began = time.monotonic()
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(streaming(server))
            except RateLimitError:
                assert time.monotonic() - began < longest_s
                time.sleep(0.1)
            else:
                break
        yield


def test_without_the_store_they_refuse_and_teach(servers: list[Server], store: Store) -> None:
    """And go on soon after it is there again."""
    store.kill()
    with pytest.raises(APIStatusError) as refused:
        ask(servers[1])
    assert refused.value.status_code == 503
    assert "on_ledger_failure" in refused.value.response.text
    assert refused.value.response.headers["retry-after"] == "1"
    store.start()
    began = time.monotonic()
    while True:
        try:
            ask(servers[1])
            break
        except APIStatusError:
            assert time.monotonic() - began < RECOVERY_S
            time.sleep(0.05)

"""The official client and a deployment's rate."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from openai import AzureOpenAI, RateLimitError

from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

SETTINGS = SIMULATED.replace('model_version = "2024-11-20"', "capacity = 1")


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
    assert 8 < told_s <= 10.2
    began = time.monotonic()
    ask(client.with_options(max_retries=1))  # a single retry: were it too early, it would fail
    assert told_s - 0.5 < time.monotonic() - began < told_s + 2

"""The official client, service tiers, provisioned throughput and spillover, on a real server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from openai import AzureOpenAI, BadRequestError, RateLimitError

from tests.cli.terminal import linarite
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.types.chat import ChatCompletionMessageParam

    from tests.serving import Server

PACED = SIMULATED.replace(
    "options = { seed = 1 }",
    "options = { seed = 1, time_to_first_token_ms = 20, tokens_per_second = 200 }",
)
HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With a provisioned deployment `ptu` of one token a second."""
    for running in serving(tmp_path_factory.mktemp("tiers"), PACED):
        manage(
            running,
            *("create", "ptu", "--model", "gpt-4o", "--model-version", "2024-11-20"),
            *("--sku", "GlobalProvisionedManaged", "--capacity", "1", "--watch"),
        )
        yield running


def manage(server: Server, *arguments: str) -> str:
    """One `linarite deployment` command; what it printed."""
    done = linarite(server.home, "deployment", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def client(server: Server) -> AzureOpenAI:
    """It does not try again by itself."""
    return AzureOpenAI(
        azure_endpoint=server.endpoint, api_key=server.key, api_version="2024-10-21", max_retries=0
    )


def test_the_tier_that_served_is_told(client: AzureOpenAI) -> None:
    """In whole answers and in streams; what is not there is refused."""
    for tier in ("auto", "default", "flex", "priority"):
        answer = client.chat.completions.create(
            model="gpt-4o", messages=HI, max_tokens=2, service_tier=tier
        )
        assert answer.service_tier == ("default" if tier == "auto" else tier)
    stream = client.chat.completions.create(
        model="gpt-4o", messages=HI, max_tokens=2, service_tier="priority", stream=True
    )
    assert {chunk.service_tier for chunk in stream} == {"priority"}
    with pytest.raises(BadRequestError) as refused:
        client.chat.completions.create(model="ptu", messages=HI, service_tier="flex")
    assert (refused.value.type, refused.value.param) == ("invalid_request_error", "service_tier")


def test_a_full_bucket_spills_over_or_waits_exactly(server: Server, client: AzureOpenAI) -> None:
    """The client's own retry succeeds at the first attempt; with the header nothing waits."""
    chat = client.chat.completions.with_raw_response
    for _ in range(40):
        try:
            raw = chat.create(model="ptu", messages=HI, max_tokens=8)
            assert raw.headers["azure-openai-deployment-utilization"].endswith("%")
        except RateLimitError:
            break
    with pytest.raises(RateLimitError) as full:
        chat.create(model="ptu", messages=HI, max_tokens=1)
    told_s = int(full.value.response.headers["retry-after-ms"]) / 1000
    elsewhere = chat.create(
        model="ptu",
        messages=HI,
        max_tokens=1,
        extra_headers={"x-ms-spillover-deployment": "gpt-4o"},
    )
    assert elsewhere.headers["x-ms-spillover-from-deployment"] == "ptu"
    assert elsewhere.headers["x-ms-deployment-name"] == "gpt-4o"
    began = time.monotonic()
    again = client.with_options(max_retries=1).chat.completions
    again.create(model="ptu", messages=HI, max_tokens=1)
    assert told_s - 1 < time.monotonic() - began < told_s + 2
    manage(server, "update", "ptu", "--set", "properties.spilloverDeploymentName=gpt-4o")
    for _ in range(40):
        raw = chat.create(model="ptu", messages=HI, max_tokens=8)
        if raw.headers["x-ms-deployment-name"] == "gpt-4o":
            return
    pytest.fail("it never spilled over")


def test_a_unit_means_what_was_measured(server: Server) -> None:
    """`calibrate` tells it, `show` and the list of models tell it afterwards."""
    printed = manage(server, "calibrate", "ptu", "--seconds", "2")
    assert "tokens/min per unit" in printed
    assert "output weight" in printed
    assert "tokens a minute per unit" in " ".join(manage(server, "show", "ptu").split())
    listed = linarite(server.home, "model", "list", "--deployable").stdout
    assert "TOKENS/MIN PER UNIT" in listed

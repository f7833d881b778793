"""Real servers, and the official clients pointed at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI

from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.serving import Server

API_VERSIONS = ("2024-10-21", "2025-04-01-preview")

REAL = """
[[deployments]]
name = "chat"
model = "smollm2-135m-instruct"

[[deployments]]
name = "vectors"
model = "multilingual-e5-small"

[instances."smollm2-135m-instruct"]
options = { parallel_requests = 2, context_tokens = 2048, wait_policy = "passive" }

[instances."multilingual-e5-small"]
options = { wait_policy = "passive" }
"""


class Target(NamedTuple):
    """A server and the deployments on it."""

    server: Server
    chat: str
    vectors: str
    real: bool


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server whose deployments are simulated."""
    for server in serving(tmp_path_factory.mktemp("simulated"), SIMULATED):
        yield Target(server, "gpt-4o", "text-embedding-3-small", real=False)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory, model_home: Path) -> Iterator[Target]:
    """A server with the real small models."""
    home = tmp_path_factory.mktemp("real")
    (home / "models").symlink_to(model_home / "models")
    for server in serving(home, REAL):
        yield Target(server, "chat", "vectors", real=True)


@pytest.fixture(
    scope="session", params=["simulated", pytest.param("real", marks=pytest.mark.real_model)]
)
def target(request: pytest.FixtureRequest) -> Target:
    """Each kind of server in turn."""
    chosen: Target = request.getfixturevalue(request.param)
    return chosen


def client_of(server: Server, dialect: str) -> OpenAI:
    """The official client of a dialect, made to check every answer against its types."""
    if dialect == "dated":
        return AzureOpenAI(
            azure_endpoint=server.endpoint,
            api_key=server.key,
            api_version="2024-10-21",
            max_retries=0,
            _strict_response_validation=True,
        )
    return OpenAI(
        base_url=f"{server.endpoint}/openai/v1/",
        api_key=server.key,
        max_retries=0,
        _strict_response_validation=True,
    )


@pytest.fixture(scope="session", params=["dated", "v1"])
def client(request: pytest.FixtureRequest, target: Target) -> Iterator[OpenAI]:
    """The official synchronous clients."""
    with client_of(target.server, request.param) as made:
        yield made


@pytest.fixture(params=["dated", "v1"])
async def async_client(
    request: pytest.FixtureRequest, target: Target
) -> AsyncIterator[AsyncOpenAI]:
    """The official asynchronous clients, likewise."""
    server = target.server
    made: AsyncOpenAI
    if request.param == "dated":
        made = AsyncAzureOpenAI(
            azure_endpoint=server.endpoint,
            api_key=server.key,
            api_version="2025-04-01-preview",
            max_retries=0,
            _strict_response_validation=True,
        )
    else:
        made = AsyncOpenAI(
            base_url=f"{server.endpoint}/openai/v1/",
            api_key=server.key,
            max_retries=0,
            _strict_response_validation=True,
        )
    async with made:
        yield made

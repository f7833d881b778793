from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from openai import APIError, AzureOpenAI, BadRequestError

from tests.faults.processes import children_of, until
from tests.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Server

pytestmark = pytest.mark.real_model

SETTINGS = """
[[deployments]]
name = "chat"
model = "smollm2-135m-instruct"
instance = "dense"

[instances.dense]
engine = "openvino"
model = "smollm2-135m-instruct"
options = { parallel_requests = 4, context_tokens = 1024 }
"""


@pytest.fixture
def server(tmp_path: Path, model_home: Path) -> Iterator[Server]:
    """A server whose one deployment runs on this engine."""
    (tmp_path / "models").symlink_to(model_home / "models")
    yield from serving(tmp_path, SETTINGS)


def engine_process(server: Server) -> int | None:
    """The process id of the engine, None while there is none."""
    found = [pid for pid, line in children_of(server.process.pid).items() if "dense" in line]
    return found[0] if found else None


def test_the_official_client_is_served_and_a_dead_engine_comes_back(server: Server) -> None:
    """Streams, refusals in Azure's shape, and the supervisor's restart after kill -9."""
    client = AzureOpenAI(
        azure_endpoint=server.endpoint,
        api_key=server.key,
        api_version="2024-10-21",
        max_retries=0,
    )

    def ask(tokens: int = 900) -> list[str]:
        stream = client.chat.completions.create(
            model="chat",
            messages=[{"role": "user", "content": "Count to a thousand."}],
            max_tokens=tokens,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
        texts: list[str] = []
        for chunk in stream:
            texts += [choice.delta.content or "" for choice in chunk.choices]
            if tokens > 100 and len(texts) == 4:
                os.kill(engine_process(server) or 0, signal.SIGKILL)
        return texts

    def serves() -> bool:
        try:
            return bool(ask(8))
        except APIError:
            return False

    assert any(ask(8))
    with pytest.raises(BadRequestError) as refused:
        client.chat.completions.create(
            model="chat",
            messages=[{"role": "user", "content": "Hello"}],
            logit_bias={"10": 5},
        )
    assert refused.value.code == "unsupported_parameter"
    assert refused.value.param == "logit_bias"
    process = engine_process(server)
    with pytest.raises(APIError):
        ask()
    until(serves)
    assert engine_process(server) not in {None, process}

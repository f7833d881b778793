"""A deployment says which engine must run it, on a running server with a real model."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.serving import clean_environment, start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server

pytestmark = pytest.mark.real_model

MODEL = "smollm2-135m-instruct"
SETTINGS = f"""
[[deployments]]
name = "declared"
model = "{MODEL}"

[instances.{MODEL}]
engine = "llamacpp"
model = "{MODEL}"
start = "first_use"
options = {{ wait_policy = "passive" }}

[hosting]
slots = 1
options = {{ context_tokens = 512 }}
"""


def linarite(server: Server, *words: str) -> dict[str, Any]:
    """What a command answers that must go well."""
    done = subprocess.run(
        [sys.executable, "-m", "linarite.main", *words, "--output", "json"],
        env=clean_environment() | {"LINARITE_HOME": str(server.home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def biased(server: Server, deployment: str) -> tuple[int, Any]:
    """Status and parameter at fault of a chat that only llama.cpp can do."""
    answer = httpx.post(
        f"{server.endpoint}/openai/deployments/{deployment}/chat/completions",
        params={"api-version": "2024-10-21"},
        headers={"api-key": server.key},
        json={
            "messages": [{"role": "user", "content": "Hi"}],
            "max_tokens": 2,
            "logit_bias": {"1": -100},
        },
        timeout=120,
    )
    return answer.status_code, answer.json().get("error", {}).get("param")


def test_deployments_choose_their_engine(tmp_path: Path, model_home: Path) -> None:
    """Two of one model, each on its own; whoever changes the mind moves to the other engine."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(model_home / "models")
    with stopped(start_server(home, SETTINGS)) as server:
        capacity = ("--capacity", "20")  # calls in ten seconds
        create = ("deployment", "create", "fast", "--model", MODEL, *capacity, "--watch")
        made = linarite(server, *create, "--runtime", "openvino")
        assert made["properties"]["provisioningState"] == "Succeeded"
        assert made["properties"]["runtime"] == "openvino"
        assert biased(server, "declared")[0] == 200
        assert biased(server, "fast") == (400, "logit_bias")
        changed = ("deployment", "update", "fast", "--set", "properties.runtime=llamacpp")
        linarite(server, *changed, "--watch")
        assert biased(server, "fast")[0] == 200

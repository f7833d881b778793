"""`kill -9` while a deployment is being created: after a restart it serves, or says why not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.serving import SIMULATED, start_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server

SETTINGS = (
    SIMULATED
    + """
[hosting]
engine = "simulator"
options = { load_s = 1.5, tokens_per_second = 15, reply_tokens = 60 }
"""
)
"""new instances take a while to load and to measure"""
DEPLOYMENT = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/linarite"
    "/providers/Microsoft.CognitiveServices/accounts/linarite/deployments/made"
)
BODY = {
    "sku": {"name": "GlobalStandard", "capacity": 1},
    "properties": {"model": {"format": "OpenAI", "name": "o-new", "version": "1"}},
}
PATIENCE_S = 40.0


def arm(
    server: Server,
    method: str,
    path: str,
    body: Any = None,  # noqa: ANN401 - any JSON
    *,
    version: str = "2024-10-01",
) -> httpx.Response:
    """A request to the control plane."""
    return httpx.request(
        method,
        server.endpoint + path,
        params={"api-version": version},
        headers={"authorization": f"Bearer {server.ready['management_key']}"},
        json=body,
        timeout=PATIENCE_S,
    )


def chat(server: Server) -> httpx.Response:
    """A request to the deployment."""
    return httpx.post(
        f"{server.endpoint}/openai/deployments/made/chat/completions",
        params={"api-version": "2024-10-21"},
        headers={"api-key": server.key},
        json={"messages": [{"role": "user", "content": "hi"}], "max_tokens": 2},
    )


def state_of(server: Server) -> str:
    """The deployment's provisioningState."""
    return str(arm(server, "GET", DEPLOYMENT).json()["properties"]["provisioningState"])


def until_doing(server: Server, operation: str, doing: str) -> None:
    """Return once the operation does something."""
    deadline = time.monotonic() + PATIENCE_S
    while doing not in (told := arm(server, "GET", operation).text):
        assert time.monotonic() < deadline, told
        assert '"InProgress"' in told, told
        time.sleep(0.02)


def ended(server: Server, operation: str) -> dict[str, Any]:
    """The operation once it has ended."""
    deadline = time.monotonic() + PATIENCE_S
    while (told := arm(server, "GET", operation).json())["status"] == "InProgress":
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
    return told


@pytest.mark.slow
def test_a_deployment_is_never_creating_for_ever(tmp_path: Path) -> None:
    """Killed just after the answer, while it loads, and while it is measured.

    Once it is made, a killed server's successor has it at once.
    """
    server = start_server(tmp_path, SETTINGS)
    try:
        answer = arm(server, "PUT", DEPLOYMENT, BODY)
        assert answer.status_code == 201, answer.text
        assert answer.json()["properties"]["provisioningState"] == "Creating"
        operation = httpx.URL(answer.headers["azure-asyncoperation"]).path
        for doing in ("loading o-new", "measuring"):
            server = killed_and_started(server)
            assert state_of(server) == "Creating"
            assert chat(server).json()["error"]["code"] == "DeploymentNotFound"
            until_doing(server, operation, doing)
        server = killed_and_started(server)
        assert ended(server, operation)["status"] == "Succeeded"
        assert state_of(server) == "Succeeded"
        assert chat(server).status_code == 200
        server = killed_and_started(server)
        assert chat(server).status_code == 200
    finally:
        server.kill()


def killed_and_started(server: Server) -> Server:
    """The server's successor in the same home."""
    server.kill()
    return start_server(server.home, SETTINGS)

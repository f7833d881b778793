"""The server is killed while it deploys a template: the next one carries the deployment on."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.serving import SIMULATED, start_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/linarite/providers"
DEPLOYMENT = f"{GROUP}/Microsoft.Resources/deployments/many?api-version=2025-04-01"
OPERATIONS = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/linarite/deployments"
    "/many/operations?api-version=2025-04-01"
)
ACCOUNTS = f"{GROUP}/Microsoft.CognitiveServices/accounts?api-version=2025-06-01"
COUNT = 24
SECRET = "correct-horse-battery-staple"
BODY: dict[str, Any] = {
    "properties": {
        "mode": "Incremental",
        "parameters": {"secret": {"value": SECRET}},
        "template": {
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/"
            "deploymentTemplate.json#",
            "contentVersion": "1.0.0.0",
            "parameters": {"secret": {"type": "secureString"}},
            "resources": [
                {
                    "type": "Microsoft.CognitiveServices/accounts",
                    "apiVersion": "2025-06-01",
                    "name": "[format('made-{0}', padLeft(copyIndex(), 3, '0'))]",
                    "copy": {"name": "each", "count": COUNT},
                    "location": "[resourceGroup().location]",
                    "kind": "OpenAI",
                    "sku": {"name": "S0"},
                    "tags": {"length": "[string(length(parameters('secret')))]"},
                    "properties": {},
                }
            ],
        },
    }
}


def client_of(server: Server) -> httpx.Client:
    """A client of the control plane."""
    return httpx.Client(
        base_url=server.endpoint,
        headers={"authorization": f"Bearer {server.ready['management_key']}"},
        timeout=30,
    )


def ask(server: Server) -> None:
    """Ask for the deployment; the server may die before it answers."""
    with client_of(server) as client:
        try:
            client.put(DEPLOYMENT, json=BODY)
        except httpx.HTTPError:
            return


def wait_for_operations(client: httpx.Client, at_least: int) -> None:
    """Return once so many resources are written."""
    for _ in range(2000):
        answer = client.get(OPERATIONS)
        if answer.status_code == httpx.codes.OK and len(answer.json()["value"]) >= at_least:
            return
        time.sleep(0.005)
    pytest.fail("the deployment did not begin")


@pytest.mark.slow
def test_deployment_goes_on_after_a_kill(tmp_path: Path) -> None:
    """Killed in the middle, it ends in Succeeded with everything there; its secrets are safe."""
    first = start_server(tmp_path, SIMULATED)
    asking = threading.Thread(target=ask, args=(first,))
    asking.start()
    with client_of(first) as client:
        wait_for_operations(client, COUNT // 3)
        first.kill()
    asking.join()
    files = [file.read_bytes() for file in tmp_path.rglob("linarite.db*")]
    assert files
    assert not any(SECRET.encode() in content for content in files)

    second = start_server(tmp_path, SIMULATED)
    try:
        with client_of(second) as client:
            deadline = time.monotonic() + 60
            kept = client.get(DEPLOYMENT).json()["properties"]
            while kept["provisioningState"] == "Running" and time.monotonic() < deadline:
                time.sleep(0.05)
                kept = client.get(DEPLOYMENT).json()["properties"]
            assert kept["provisioningState"] == "Succeeded", kept
            made = [
                one
                for one in client.get(ACCOUNTS).json()["value"]
                if one["name"].startswith("made-")
            ]
            assert len(made) == COUNT
            assert {one["tags"]["length"] for one in made} == {str(len(SECRET))}
            # One for each account and one for the outputs, however often it began.
            operations = client.get(OPERATIONS.replace("?", "?$top=200&")).json()["value"]
            assert len(operations) == COUNT + 1
    finally:
        assert second.stop() == 0

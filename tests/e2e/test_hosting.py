"""Deployments that come, change and go on a running server, seen by clients alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.faults.test_provisioning_killed import arm, ended
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

SETTINGS = (
    SIMULATED
    + """
[quota]
rates = "off"  # what is tried here asks as fast as it can

[account]
location = "swedencentral"
region_title = "Sweden Central"

[regions.swedencentral]
title = "Sweden Central"
data_zone = "eu"

[regions.germanywestcentral]
title = "Germany West Central"
data_zone = "eu"

[regions.eastus]
title = "East US"
data_zone = "us"

[instances.german]
engine = "simulator"
model = "o-german"
region = "germanywestcentral"

[instances.american]
engine = "simulator"
model = "o-american"
region = "eastus"

[hosting]
engine = "simulator"
slots = 2
units_per_slot = 1
tokens_per_second_per_ptu = 1000000.0
options = { load_s = 0.3 }
"""
)
ACCOUNT = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/linarite"
    "/providers/Microsoft.CognitiveServices/accounts/linarite"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Three regions in two data zones, simulated instances."""
    yield from serving(tmp_path_factory.mktemp("regions"), SETTINGS)


def deploy(
    server: Server, name: str, model: str, sku: str = "GlobalStandard", capacity: int = 1
) -> dict[str, Any]:
    """Create or change a deployment; the operation as it ended."""
    body = {
        "sku": {"name": sku, "capacity": capacity},
        "properties": {"model": {"format": "OpenAI", "name": model, "version": "1"}},
    }
    answer = arm(server, "PUT", f"{ACCOUNT}/deployments/{name}", body)
    assert answer.status_code in {200, 201}, answer.text
    return ended(server, httpx.URL(answer.headers["azure-asyncoperation"]).path)


def chat(server: Server, deployment: str, client: httpx.Client | None = None) -> httpx.Response:
    """A short chat."""
    return (client or httpx).post(
        f"{server.endpoint}/openai/deployments/{deployment}/chat/completions",
        params={"api-version": "2024-10-21"},
        headers={"api-key": server.key},
        json={"messages": [{"role": "user", "content": "hi"}], "max_tokens": 2},
    )


@pytest.mark.parametrize(
    ("name", "model", "sku", "region"),
    [
        ("near", "o-new", "Standard", "Sweden Central"),
        ("in-zone", "o-german", "DataZoneStandard", "Germany West Central"),
        ("kept", "o-german", "Standard", "Sweden Central"),
        ("anywhere", "o-american", "GlobalStandard", "East US"),
        ("not-there", "o-american", "DataZoneStandard", "Sweden Central"),
    ],
)
def test_answers_say_where_they_came_from(
    server: Server, name: str, model: str, sku: str, region: str
) -> None:
    """A deployment runs where its SKU lets it, and `x-ms-region` names that region."""
    assert deploy(server, name, model, sku)["status"] == "Succeeded"
    answer = chat(server, name)
    assert answer.status_code == 200
    assert answer.headers["x-ms-region"] == region


def test_a_life_under_load(server: Server) -> None:
    """Scaled up and given another model while clients ask without a pause: none is refused."""
    assert deploy(server, "busy", "o-busy")["status"] == "Succeeded"
    done = threading.Event()
    statuses: list[int] = []

    def keep_asking() -> None:
        with httpx.Client(timeout=30) as client:
            while not done.is_set():
                statuses.append(chat(server, "busy", client).status_code)

    with ThreadPoolExecutor(6) as pool:
        asking = [pool.submit(keep_asking) for _ in range(6)]
        try:
            assert deploy(server, "busy", "o-busy", capacity=6)["status"] == "Succeeded"
            assert deploy(server, "busy", "o-busier", capacity=6)["status"] == "Succeeded"
            assert chat(server, "busy").headers["x-ms-served-model"] == "o-busier"
        finally:
            done.set()
        for each in asking:
            each.result()
    assert set(statuses) == {200}
    assert arm(server, "DELETE", f"{ACCOUNT}/deployments/busy").status_code in {200, 202, 204}
    assert chat(server, "busy").json()["error"]["code"] == "DeploymentNotFound"


def test_a_refusal_says_why(server: Server) -> None:
    """More provisioned throughput than an instance does: the operation and the state say so."""
    told = deploy(server, "greedy", "o-greedy", "GlobalProvisionedManaged", 1)
    assert told["status"] == "Failed"
    assert told["error"]["code"] == "InsufficientResources"
    assert "tokens per second" in told["error"]["message"]
    shown = arm(server, "GET", f"{ACCOUNT}/deployments/greedy").json()
    assert shown["properties"]["provisioningState"] == "Failed"

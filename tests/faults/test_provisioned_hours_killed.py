"""`kill -9` amid an hour of provisioned throughput: it is charged once, whatever comes."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server

SETTINGS = (
    SIMULATED
    + """
[[deployments]]
name = "ptu"
model = "gpt-4o"
model_version = "2024-11-20"
instance = "simulated"
sku = "GlobalProvisionedManaged"
capacity = 15

[[prices.provisioned]]
hour = 0.5
"""
)
QUERY = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.CostManagement/query"
)
PATIENCE_S = 60.0


def charged(server: Server) -> list[Any]:
    """Cost and hours of units of provisioned throughput, this month."""
    body = {
        "type": "ActualCost",
        "timeframe": "MonthToDate",
        "dataset": {
            "aggregation": {
                "cost": {"name": "Cost", "function": "Sum"},
                "hours": {"name": "ProvisionedUnitHours", "function": "Sum"},
            },
            "grouping": [{"type": "Dimension", "name": "Deployment"}],
        },
    }
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = httpx.post(
            server.endpoint + QUERY,
            params={"api-version": "2025-03-01"},
            headers={"authorization": f"Bearer {server.ready['management_key']}"},
            json=body,
        )
        assert answer.status_code == 200, answer.text
        rows = answer.json()["properties"]["rows"]
        if rows or time.monotonic() > deadline:
            return rows
        time.sleep(0.05)


def test_an_hour_is_charged_once(tmp_path: Path) -> None:
    """By two servers after another, the first of them killed."""
    began = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    server = start_server(tmp_path, SETTINGS)
    assert charged(server)
    server.kill()
    with stopped(start_server(tmp_path, SETTINGS)) as server:
        ((cost, hours, deployment, currency),) = charged(server)
    passed = (datetime.now(UTC) - began).total_seconds() // 3600  # an hour may have struck
    assert (deployment, currency) == ("ptu", "USD")
    assert 15 <= hours <= 15 * (1 + passed)
    assert cost == hours * 0.5

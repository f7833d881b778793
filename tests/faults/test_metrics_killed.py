"""The server is killed: its metrics go on where they were, but for the last seconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx

from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server

ACCOUNT = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/linarite"
    "/providers/Microsoft.CognitiveServices/accounts/linarite"
)
KEPT_S = 30.0
"""the bound is 5 seconds; a busy machine gets more"""


def call(server: Server, times: int) -> None:
    """Ask for something that is refused at once."""
    for _ in range(times):
        httpx.post(f"{server.endpoint}/openai/v1/chat/completions", json={})


def total(server: Server) -> float:
    """How many calls the metrics of the last hour tell."""
    answer: Any = httpx.get(
        f"{server.endpoint}{ACCOUNT}/providers/Microsoft.Insights/metrics",
        params={"api-version": "2023-10-01", "metricnames": "TotalCalls", "interval": "PT1H"},
        headers={"authorization": f"Bearer {server.ready['management_key']}"},
    ).json()
    return sum(point["total"] for point in answer["value"][0]["timeseries"][0]["data"])


def written(home: Path) -> int:
    """How much has been written to the file, or its log."""
    return sum(
        each.stat().st_size for each in home.glob("metrics.db*") if not each.name.endswith("-shm")
    )


def test_metrics_survive_a_kill_and_a_stop(tmp_path: Path) -> None:
    """What was counted 5 seconds before a kill is there, and all of it after a stop; once."""
    first = start_server(tmp_path, SIMULATED)
    empty = written(tmp_path)
    call(first, 7)
    deadline = time.monotonic() + KEPT_S
    while written(tmp_path) == empty:
        assert time.monotonic() < deadline, "nothing was written"
        time.sleep(0.05)
    time.sleep(0.2)  # the transaction's end
    first.kill()
    second = start_server(tmp_path, SIMULATED)
    with stopped(second):
        assert total(second) == 7
        call(second, 5)
    with stopped(start_server(tmp_path, SIMULATED)) as third:
        assert total(third) == 12

"""Metrics of a minute leave once it has ended, in Azure's shape and place."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from linarite.diagnostics.export import Export, Logs
from linarite.diagnostics.sinks.folder import FolderSink
from linarite.domain.azure_metrics.grains import Grain, Series, Tally
from linarite.domain.diagnostics import DIAGNOSTIC_SETTING_TYPE, Destination
from linarite.domain.resource import ACCOUNT_TYPE, Resource
from linarite.storage.memory.cursors import MemoryCursorStore
from linarite.storage.memory.metrics import MemoryMetricStore
from linarite.storage.memory.requests import MemoryRequestLedger
from tests.controlplane.rig import HandedIn

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

GROUP = "/subscriptions/s/resourceGroups/g"
ID = f"{GROUP}/providers/{ACCOUNT_TYPE}/Contoso"
MADE = datetime(2026, 3, 1, 10, 0, 30, tzinfo=UTC)
MINUTE_S = int(MADE.timestamp()) // 60 * 60
ACCOUNT = Resource(id=ID, type=ACCOUNT_TYPE, name="Contoso", location="eastus")
SETTING = Resource(
    id=f"{ID}/providers/{DIAGNOSTIC_SETTING_TYPE}/metrics",
    type=DIAGNOSTIC_SETTING_TYPE,
    name="metrics",
    system_data={"createdAt": MADE.isoformat()},
    properties={"metrics": [{"category": "AllMetrics", "enabled": True}], "logs": []},
)


class Scene:
    """An export to a folder, over a store that a test fills, with a clock that it sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.metrics = MemoryMetricStore()
        self.cursors = MemoryCursorStore()
        self.now = MINUTE_S + 60.0

    async def ask(self, minute: int, deployment: str, requests: int, tokens: int) -> None:
        """Count requests of a minute after the setting's own."""
        series = Series(ID.lower(), "East US", deployment, "gpt-4o", "1", "Chat", status=200)
        tally = Tally(requests=requests, prompt_tokens=tokens)
        await self.metrics.add([Grain(MINUTE_S + minute * 60, series, tally)])

    async def run(self) -> list[dict[str, Any]]:
        """What is in the folder once a server has looked."""
        logs = Logs(
            MemoryRequestLedger(), HandedIn(), self.metrics, self.cursors, "t", lambda: self.now
        )
        destination = Destination("storageAccountId", "ops")
        export = Export(SETTING, ACCOUNT, destination, logs, FolderSink(self.folder))
        await export.start({each.key: each for each in await self.cursors.all()})
        ended = int(self.now - 5) // 60
        async with asyncio.timeout(10):
            while export.cursors[0].position < ended:
                assert export.trouble == ""
                await asyncio.sleep(0.01)
        await export.stop()
        return self.lines()

    def lines(self) -> list[dict[str, Any]]:
        """Every record."""
        files = sorted(self.folder.rglob("PT1H.json"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def named(lines: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Those of one metric."""
    return [each for each in lines if each["metricName"] == name]


async def test_a_minute_is_told_once_it_has_ended(tmp_path: Path) -> None:
    """Over all dimensions, once, whatever server comes next; nothing of minutes before."""
    scene = Scene(tmp_path)
    await scene.ask(-1, "chat", 9, 9)
    await scene.ask(0, "chat", 2, 30)
    await scene.ask(0, "search", 1, 12)
    scene.now = MINUTE_S + 64  # its requests may still be on their way to being counted
    assert await scene.run() == []
    scene.now = MINUTE_S + 66
    lines = await scene.run()
    (requests,) = named(lines, "AzureOpenAIRequests")
    assert requests == {
        "count": 3,
        "total": 3.0,
        "minimum": 1.0,
        "maximum": 1.0,
        "average": 1.0,
        "resourceId": ID.upper(),
        "time": "2026-03-01T10:00:00.0000000Z",
        "metricName": "AzureOpenAIRequests",
        "timeGrain": "PT1M",
        "linariteRecordId": f"metric/{MINUTE_S}/AzureOpenAIRequests",
    }
    (tokens,) = named(lines, "ProcessedPromptTokens")
    assert tokens["total"] == 42.0
    assert named(lines, "AzureOpenAIAvailabilityRate") == []
    (place,) = scene.folder.rglob("PT1H.json")
    assert str(place.relative_to(scene.folder)) == (
        f"insights-metrics-pt1m/resourceId={ID.upper()}/y=2026/m=03/d=01/h=10/m=00/PT1H.json"
    )
    assert await scene.run() == lines


async def test_what_was_missed_is_told_later(tmp_path: Path) -> None:
    """By a server that starts hours later; minutes without anything are passed over."""
    scene = Scene(tmp_path)
    await scene.ask(3, "chat", 1, 1)
    await scene.ask(200, "chat", 1, 1)
    scene.now = MINUTE_S + 86_400
    times = {each["time"] for each in named(await scene.run(), "AzureOpenAIRequests")}
    assert times == {"2026-03-01T10:03:00.0000000Z", "2026-03-01T13:20:00.0000000Z"}

"""Linarite with everything on that may govern a call, none of which ever refuses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.rows.linarite_token import SUBSCRIPTION, LinariteTokenRow, put

if TYPE_CHECKING:
    from pathlib import Path

ENOUGH = 1_000_000_000
VERSION = "?api-version=2021-05-01-preview"
STORE = f"{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/archive"
LIMITS = f"""
[prices]
[[prices.models]]
model = "*"
input = 0.01
output = 0.01

[[usage_limits]]
name = "people"
kind = "principal"
tokens_per_minute = {ENOUGH}
tokens_per_day = {ENOUGH}

[[usage_limits]]
name = "everything"
kind = "account"
requests_per_minute = {ENOUGH}
concurrent_requests = 100_000
cost_per_month = {ENOUGH}.0
"""
SINK = """
[diagnostic_sinks.archive]
kind = "folder"
path = "{path}"
"""


class LinariteGovernedRow(LinariteTokenRow):
    """A token and its role, a rate, limits of tokens, requests and money, records that leave."""

    def __init__(self) -> None:
        super().__init__("a governed call on Linarite")

    def prepare(self) -> None:
        """As its base does, then let its records leave."""
        super().prepare()
        account = self.serving["account_id"]
        path = f"{account}/providers/Microsoft.Insights/diagnosticSettings/all{VERSION}"
        logs = [{"categoryGroup": "allLogs", "enabled": True}]
        put(self.serving, path, {"storageAccountId": STORE, "logs": logs})

    def configured(self, config: str, folder: Path) -> str:
        """With a rate, limits, prices and a place for records."""
        with_rate = config.replace("[[deployments]]\n", f"[[deployments]]\ncapacity = {ENOUGH}\n")
        return with_rate + LIMITS + SINK.format(path=folder / "archive")

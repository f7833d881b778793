"""`az monitor diagnostic-settings` against a sink that settings declare."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.contract.az.conftest import SUBSCRIPTION, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.az.conftest import Az, Cloud

GROUP = "az-diagnosed"
SETTINGS = ("monitor", "diagnostic-settings")
STORAGE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/any/providers/Microsoft.Storage"
    "/storageAccounts/archive"
)
ALL_LOGS = json.dumps([{"categoryGroup": "allLogs", "enabled": True}])


@pytest.fixture(scope="module")
def account(az: Az) -> Iterator[str]:
    """The id of an account in a group of its own."""
    az("group", "create", "--name", GROUP, "--location", "local")
    made = az(
        *("cognitiveservices", "account", "create", "--name", "az-diagnosed", "--yes"),
        *("--resource-group", GROUP, "--kind", "OpenAI", "--sku", "S0", "--location", "local"),
    )
    yield made["id"]
    az("group", "delete", "--name", GROUP, "--yes")


def test_a_setting_is_made_shown_and_deleted(az: Az, cloud: Cloud, account: str) -> None:
    """And the account's records lie in the folder within moments."""
    categories = az(*SETTINGS, "categories", "list", "--resource", account)["value"]
    assert {each["name"] for each in categories} >= {"Audit", "RequestResponse", "Trace"}
    az(
        *(*SETTINGS, "create", "--name", "all", "--resource", account),
        *("--storage-account", STORAGE, "--logs", ALL_LOGS),
    )
    shown = az(*SETTINGS, "show", "--name", "all", "--resource", account)
    assert shown["storageAccountId"] == STORAGE
    assert [each["name"] for each in az(*SETTINGS, "list", "--resource", account)] == ["all"]
    az(
        *("cognitiveservices", "account", "keys", "list"),
        *("--name", "az-diagnosed", "--resource-group", GROUP),
    )
    folder = cloud.server.home / "archive" / "insights-logs-audit"
    until = time.monotonic() + 60
    while "ListKey" not in "".join(file.read_text() for file in folder.rglob("PT1H.json")):
        assert time.monotonic() < until, "no audit record came"
        time.sleep(0.1)
    az(*SETTINGS, "delete", "--name", "all", "--resource", account)
    with pytest.raises(Refused, match="not found"):
        az(*SETTINGS, "show", "--name", "all", "--resource", account)


def test_a_sink_that_is_not_declared_is_refused(az: Az, account: str) -> None:
    """By the table that would declare it."""
    with pytest.raises(Refused, match="diagnostic_sinks"):
        az(
            *(*SETTINGS, "create", "--name", "all", "--resource", account),
            *("--storage-account", f"{STORAGE}2", "--logs", ALL_LOGS),
        )

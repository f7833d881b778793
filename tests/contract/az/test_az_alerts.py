"""`az monitor action-group` and `az monitor metrics alert`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.az.conftest import Az

GROUP = "az-alerted"
IN_GROUP = ("--resource-group", GROUP)
ALERT = ("monitor", "metrics", "alert")


@pytest.fixture(scope="module")
def account(az: Az) -> Iterator[str]:
    """The id of an account in a group of its own."""
    az("group", "create", "--name", GROUP, "--location", "local")
    made = az(
        *("cognitiveservices", "account", "create", "--name", "az-alerted", "--yes"),
        *(*IN_GROUP, "--kind", "OpenAI", "--sku", "S0", "--location", "local"),
    )
    yield made["id"]
    az("group", "delete", "--name", GROUP, "--yes")


def test_an_alert_is_made_shown_changed_and_deleted(az: Az, account: str) -> None:
    """With az's own language of conditions."""
    team = az(
        *("monitor", "action-group", "create", "--name", "team", *IN_GROUP),
        *("--action", "webhook", "ops", "https://hooks.example.com/x", "usecommonalertschema"),
    )
    condition = "total AzureOpenAIRequests > 10 where StatusCode includes 429"
    az(
        *(*ALERT, "create", "--name", "throttled", *IN_GROUP, "--scopes", account),
        *("--condition", condition, "--action", team["id"], "--severity", "1"),
        *("--window-size", "5m", "--evaluation-frequency", "1m"),
    )
    shown = az(*ALERT, "show", "--name", "throttled", *IN_GROUP)
    assert (shown["severity"], shown["windowSize"]) == (1, "PT5M")
    assert shown["criteria"]["allOf"][0]["dimensions"][0]["values"] == ["429"]
    assert [each["name"] for each in az(*ALERT, "list", *IN_GROUP)] == ["throttled"]
    az(*ALERT, "update", "--name", "throttled", *IN_GROUP, "--enabled", "false")
    assert az(*ALERT, "show", "--name", "throttled", *IN_GROUP)["enabled"] is False
    az(*ALERT, "delete", "--name", "throttled", *IN_GROUP)
    assert [g["name"] for g in az("monitor", "action-group", "list", *IN_GROUP)] == ["team"]

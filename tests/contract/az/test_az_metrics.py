"""`az monitor metrics` reads our metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.contract.az.conftest import SUBSCRIPTION, Refused

if TYPE_CHECKING:
    from tests.contract.az.conftest import Az, Cloud

ACCOUNT = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/linarite"
    "/providers/Microsoft.CognitiveServices/accounts/linarite"
)


def test_metrics_are_listed(az: Az, cloud: Cloud) -> None:
    """With a time of its own, which az encodes twice, a filter and a split."""
    url = f"{cloud.server.endpoint}/openai/v1/chat/completions"
    httpx.post(url, json={}, verify=False)  # noqa: S501 - a refusal is all that is wanted
    metrics = ("monitor", "metrics", "list", "--resource", ACCOUNT)
    names = ("--metrics", "AzureOpenAIRequests", "TotalCalls")
    answer = az(*metrics, *names, "--interval", "PT1M", "--offset", "1h")
    requests, calls = answer["value"]
    assert requests["name"]["value"] == "AzureOpenAIRequests"
    assert sum(point.get("total") or 0 for point in calls["timeseries"][0]["data"]) >= 1
    split = az(*metrics, *names[:2], "--filter", "StatusCode eq '*'", "--aggregation", "Total")
    values = split["value"][0]["timeseries"]
    assert "401" in {each["metadatavalues"][0]["value"] for each in values}
    with pytest.raises(Refused, match="Valid metrics"):
        az(*metrics, "--metrics", "Nonsense")


def test_definitions_and_namespaces_are_listed(az: Az) -> None:
    """Names, units, dimensions."""
    definitions = az("monitor", "metrics", "list-definitions", "--resource", ACCOUNT)
    by_name = {each["name"]["value"]: each for each in definitions}
    assert by_name["AzureOpenAITimeToResponse"]["unit"] == "MilliSeconds"
    names = az("monitor", "metrics", "list-namespaces", "--resource", ACCOUNT)
    assert names[0]["properties"]["metricNamespaceName"] == "Microsoft.CognitiveServices/accounts"

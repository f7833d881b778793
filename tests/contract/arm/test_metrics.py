"""Azure Monitor's own clients read our metrics."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.monitor import MonitorManagementClient
from azure.monitor.querymetrics import MetricAggregationType, MetricsClient

from tests.contract.arm.conftest import SUBSCRIPTION, KeyCredential

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.arm.conftest import Managed, Sdk

NAMESPACE = "Microsoft.CognitiveServices/accounts"
ACCOUNT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/linarite/providers/{NAMESPACE}/linarite"
CALLS = 3


@pytest.fixture(scope="module")
def used(managed: Managed) -> datetime:
    """When calls were made to the server: three that went well, and one that did not."""
    started = datetime.now(UTC)
    trust = ssl.create_default_context(cafile=managed.authority)
    url = f"{managed.server.endpoint}/openai/deployments/{{}}/chat/completions"
    for deployment in (*["gpt-4o"] * CALLS, "nobody"):
        httpx.post(
            url.format(deployment) + "?api-version=2024-10-21",
            headers={"api-key": managed.server.key},
            json={"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5},
            verify=trust,
            timeout=30,
        )
    return started


@pytest.fixture(scope="module")
def monitor(managed: Managed) -> Iterator[Sdk]:
    """azure-mgmt-monitor."""
    with managed.client(MonitorManagementClient) as client:
        yield client


def test_the_management_client_reads_metrics(monitor: Sdk, used: datetime) -> None:
    """Each value with its dimensions, as its types have it."""
    span = f"{used:%Y-%m-%dT%H:%M:%SZ}/{used + timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ}"
    answer = monitor.metrics.list(
        ACCOUNT,
        timespan=span,
        interval="PT1M",
        metricnames="AzureOpenAIRequests,GeneratedTokens,AzureOpenAITimeToResponse",
        aggregation="Total,Average",
        filter="ModelDeploymentName eq '*'",
        top=5,
    )
    requests, tokens, latency = answer.value
    sums = {
        series.metadatavalues[0].value: sum(point.total or 0 for point in series.data)
        for series in requests.timeseries
    }
    assert sums["gpt-4o"] >= CALLS
    assert sums[""] >= 1
    assert tokens.name.value == "GeneratedTokens"
    assert sum(point.total or 0 for point in tokens.timeseries[0].data) >= CALLS
    assert any((point.average or 0) > 0 for point in latency.timeseries[0].data)
    assert (answer.namespace, answer.resourceregion) == (NAMESPACE, "local")


def test_the_management_client_reads_definitions_and_namespaces(monitor: Sdk) -> None:
    """Of an account, and of a subscription's region."""
    definitions = {each.name.value: each for each in monitor.metric_definitions.list(ACCOUNT)}
    requests = definitions["AzureOpenAIRequests"]
    assert requests.primary_aggregation_type == "Total"
    assert "StatusCode" in {each.value for each in requests.dimensions}
    assert requests.metric_availabilities[0].time_grain == timedelta(minutes=1)
    everywhere = monitor.metric_definitions.list_at_subscription_scope(region="local")
    assert {each.name.value for each in everywhere} == set(definitions)
    (namespace,) = monitor.metric_namespaces.list(ACCOUNT)
    assert namespace.properties.metric_namespace_name == NAMESPACE


def test_the_management_client_asks_a_subscription(monitor: Sdk, used: datetime) -> None:
    """By parameters, and by a body."""
    del used
    options = {"metricnames": "ModelRequests", "metricnamespace": NAMESPACE, "interval": "PT1H"}
    answer = monitor.metrics.list_at_subscription_scope(
        region="local", filter="Microsoft.ResourceId eq '*'", **options
    )
    series = answer.value[0].timeseries
    assert ACCOUNT.lower() in {each.metadatavalues[0].value.lower() for each in series}
    posted = monitor.metrics.list_at_subscription_scope_post(
        region="local", body={"metricNames": "ModelRequests", "interval": "PT1H"}
    )
    assert sum(point.total or 0 for point in posted.value[0].timeseries[0].data) >= CALLS


def test_the_query_client_asks_about_several_resources(managed: Managed, used: datetime) -> None:
    """`MetricsClient`, at our host in the place of Azure's regional one."""
    with MetricsClient(
        managed.server.endpoint,
        KeyCredential(managed.key),  # type: ignore[arg-type] - Azure's own credential fits
        connection_verify=managed.authority,
        retry_total=0,
    ) as client:
        (answer,) = client.query_resources(
            resource_ids=[ACCOUNT],
            metric_namespace=NAMESPACE,
            metric_names=["ModelRequests", "AzureOpenAIAvailabilityRate"],
            timespan=(used, timedelta(minutes=10)),
            granularity=timedelta(minutes=1),
            aggregations=[MetricAggregationType.TOTAL, MetricAggregationType.AVERAGE],
            filter="ModelName eq 'gpt-4o'",
        )
        assert answer.granularity == timedelta(minutes=1)
        requests, availability = answer.metrics
        series = requests.timeseries[0]
        assert series.metadata_values == {"modelname": "gpt-4o"}
        assert sum(point.total or 0 for point in series.data) >= CALLS
        rates = [point.average for point in availability.timeseries[0].data if point.average]
        assert rates
        assert set(rates) == {100.0}
        with pytest.raises(HttpResponseError, match="Valid metrics"):
            client.query_resources(
                resource_ids=[ACCOUNT], metric_namespace=NAMESPACE, metric_names=["Nonsense"]
            )

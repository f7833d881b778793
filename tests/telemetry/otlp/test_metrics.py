"""Metrics over OTLP: the same counts as Prometheus reads, with the conventions' own names."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from structlog.testing import capture_logs

from linarite.domain.engine import EngineUse
from linarite.telemetry.metrics import RequestMetrics
from linarite.telemetry.otlp import Delivery, OtlpSender, enveloped
from linarite.telemetry.otlp.export import MetricExport
from linarite.telemetry.otlp.metrics import metric_messages
from linarite.telemetry.standing import InstanceStanding
from tests.storage.builders import make_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.telemetry.families import Family
    from linarite.telemetry.otlp import SignalPath

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "azure.ai.openai",
    "gen_ai.request.model": "chat",
    "gen_ai.response.model": "smollm2-135m-instruct",
}


def read(body: bytes) -> dict[str, Any]:
    """Each metric of an export by its name, as a collector has it."""
    (resource,) = ExportMetricsServiceRequest.FromString(body).resource_metrics
    (scope,) = resource.scope_metrics
    return {metric.name: metric for metric in scope.metrics}


def labels(point: Any) -> dict[str, str]:  # noqa: ANN401 - either kind of point
    """A point's attributes."""
    return {each.key: each.value.string_value for each in point.attributes}


def exported(metrics: RequestMetrics) -> dict[str, Any]:
    """What a collector reads of them."""
    messages = metric_messages(metrics.families(), started_at_ns=1_000, now_ns=2_000)
    return read(enveloped(messages, {"service.name": "linarite"}))


def test_histograms_arrive_with_their_buckets() -> None:
    """Seconds, cumulative since the start; the last bucket is what lies beyond the bounds."""
    metrics = RequestMetrics()
    metrics.observe(make_record(total_us=500_000))
    metrics.observe(make_record(total_us=100_000_000))
    duration = exported(metrics)["gen_ai.server.request.duration"]
    assert duration.unit == "s"
    assert duration.histogram.aggregation_temporality == 2
    (point,) = duration.histogram.data_points
    assert labels(point) == CHAT
    assert (point.count, point.sum) == (2, pytest.approx(100.5))
    assert (point.start_time_unix_nano, point.time_unix_nano) == (1_000, 2_000)
    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
    assert list(point.bucket_counts)[-1] == 1
    within = [
        bound
        for bound, count in zip(point.explicit_bounds, point.bucket_counts, strict=False)
        if count
    ]
    assert within == [0.64]


def test_counters_and_gauges_arrive() -> None:
    """Counters only grow, and say so; a gauge that is no whole number stays one."""
    metrics = RequestMetrics()
    metrics.observe(make_record())
    use = EngineUse(slots=2, kv_cache_share=0.5)
    metrics.standing.set_instances(
        {"a": InstanceStanding(state="Ready", running=0, waiting={}, use=use)}
    )
    found = exported(metrics)
    requests = found["linarite.requests"].sum
    assert (requests.is_monotonic, requests.aggregation_temporality) == (True, 2)
    (point,) = requests.data_points
    assert (point.as_int, labels(point)["status"]) == (1, "200")
    (share,) = found["linarite.engine.kv_cache.usage"].gauge.data_points
    assert (share.as_double, labels(share)) == (0.5, {"model_instance": "a"})
    usage = found["gen_ai.client.token.usage"]
    assert usage.unit == "{token}"
    kinds = {labels(each)["gen_ai.token.type"]: each.sum for each in usage.histogram.data_points}
    assert kinds == {"input": 12, "output": 34}


def test_what_prometheus_reads_a_collector_reads_too() -> None:
    """Every family under its two names, so that no dashboard is left behind."""
    metrics = RequestMetrics()
    metrics.observe(make_record(caller_key="app:web", limited_by="x", spilled_from="y"))
    text = metrics.render().decode()
    for family in metrics.families():
        assert f"# TYPE {family.prometheus_name} {family.kind}" in text
    told = {family.name for family in metrics.families() if family.points}
    assert set(exported(metrics)) == told


class Desk:
    """A collector that takes everything."""

    def __init__(self) -> None:
        self.came: list[bytes] = []

    async def deliver(self, path: SignalPath, body: bytes) -> Delivery:
        """Keep it."""
        assert path == "/v1/metrics"
        self.came.append(body)
        return Delivery(taken=True)

    async def close(self) -> None:
        """Nothing is held."""


def totals(bodies: Sequence[bytes]) -> list[int]:
    """The requests that each export tells of."""
    return [
        sum(point.as_int for point in read(body)["linarite.requests"].sum.data_points)
        for body in bodies
        if "linarite.requests" in read(body)
    ]


@pytest.mark.anyio
async def test_exports_follow_one_another_and_the_last_comes_at_the_end() -> None:
    """What was counted before a stop is told, whatever the interval."""
    desk, metrics, refreshed = Desk(), RequestMetrics(), []
    export = MetricExport(
        OtlpSender(desk),
        metrics.families,
        lambda: refreshed.append(1),
        interval_s=0.02,
        version="1",
    )
    metrics.observe(make_record())
    export.start()
    while len(desk.came) < 3:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)
    metrics.observe(make_record())
    await export.stop()
    told = totals(desk.came)
    assert told[0] == 1
    assert told[-1] == 2
    assert told == sorted(told)
    assert len(refreshed) == len(desk.came)


@pytest.mark.anyio
async def test_a_fault_of_ours_ends_no_export() -> None:
    """It is logged; the next export comes, and the end does not fail by it."""
    desk, metrics = Desk(), RequestMetrics()
    faults = [OverflowError("too large")]

    def families() -> list[Family]:
        if faults:
            raise faults.pop()
        return metrics.families()

    sender = OtlpSender(desk)
    export = MetricExport(sender, families, lambda: None, interval_s=0.01, version="1")
    metrics.observe(make_record())
    with capture_logs() as logs:
        export.start()
        async with asyncio.timeout(5):
            while not desk.came:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        faults.append(OverflowError("too large"))
        await export.stop()
    assert len(logs) == 2
    assert sender.sent == len(desk.came)

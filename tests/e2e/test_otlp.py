"""A server tells a collector what goes on, also after the collector was away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from tests.collector import Collector
from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server


def ask(server: Server) -> None:
    """A chat that goes well."""
    httpx.post(
        f"{server.endpoint}/openai/v1/chat/completions",
        headers={"api-key": server.key},
        json={"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 2},
    ).raise_for_status()


def chats(export: Any) -> int:  # noqa: ANN401 - protobuf's
    """How many chats an export tells of."""
    (resource,) = export.resource_metrics
    (scope,) = resource.scope_metrics
    return sum(
        point.count
        for metric in scope.metrics
        if metric.name == "gen_ai.server.request.duration"
        for point in metric.histogram.data_points
    )


def until_told(collector: Collector, count: int) -> None:
    """Wait for an export that tells of so many chats."""
    while not any(chats(each) == count for each in collector.taken):
        collector.wait_for(len(collector.taken) + 1)


def test_metrics_reach_a_collector_that_comes_and_goes(tmp_path: Path) -> None:
    """Who is away for a while has everything later, and the end is told too."""
    first = Collector()
    settings = f"""{SIMULATED}
[otlp]
endpoint = "{first.url}"
metrics_interval_s = 1
traces = false
"""
    with stopped(start_server(tmp_path, settings)) as server:
        with first:
            ask(server)
            until_told(first, 1)
            (resource,) = first.taken[0].resource_metrics
            attributes = {
                each.key: each.value.string_value for each in resource.resource.attributes
            }
            assert attributes["service.name"] == "linarite"
        ask(server)
        with Collector(first.port) as second:
            until_told(second, 2)
            ask(server)
            assert server.stop() == 0
            assert chats(second.taken[-1]) == 3

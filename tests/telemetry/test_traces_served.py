"""Traces of a real server: a collector gets a tree for each request, an upstream the context."""

from __future__ import annotations

import re
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.collector import Collector
from tests.serving import SIMULATED, Server, start_server, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CHAT = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
PROMPT = "a prompt that is nobody's business"
SETTINGS = (
    SIMULATED
    + """
[[deployments]]
name = "far"
model = "gpt-4o"
instance = "far"
[instances.far]
engine = "upstream"
model = "gpt-4o"
options = { base_url = "URL/openai/v1", api_key = "KEY", model = "gpt-4o" }
"""
)


class Traced:
    """Two servers, the one an upstream of the other, and their collector."""

    def __init__(self, front: Server, back: Server, collector: Collector) -> None:
        self.front = front
        self.back = back
        self._collector = collector

    def chat(self, headers: dict[str, str] | None = None, path: str = CHAT) -> httpx.Response:
        """One call to the front."""
        return httpx.post(
            f"{self.front.endpoint}{path}",
            headers={"api-key": self.front.key, **(headers or {})},
            json={"messages": [{"role": "user", "content": PROMPT}], "max_tokens": 4},
            timeout=30,
        )

    def spans(self, trace_id: str, count: int) -> list[Any]:
        """Those of a trace, once there are so many."""
        until = time.monotonic() + 60
        while True:
            found = [
                span
                for export in list(self._collector.taken)
                for resource in export.resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
                if span.trace_id.hex() == trace_id
            ]
            if len(found) >= count:
                return found
            assert time.monotonic() < until, [each.name for each in found]
            time.sleep(0.05)


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """Both export to one collector."""
    folder = tmp_path_factory.mktemp("traced")
    with Collector() as collector:
        otlp = f'[otlp]\nendpoint = "{collector.url}"\nmetrics = false\n'
        with stopped(start_server(folder / "back", SIMULATED + otlp)) as back:
            settings = SETTINGS.replace("URL", back.endpoint).replace("KEY", back.key)
            with stopped(start_server(folder / "front", settings + otlp)) as front:
                yield Traced(front, back, collector)


def test_a_request_is_a_tree(traced: Traced) -> None:
    """Continued from its client, in parts that follow one another, without the prompt."""
    answer = traced.chat({"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=1"})
    assert answer.status_code == 200
    spans = traced.spans(TRACE, 8)
    [root] = [each for each in spans if each.parent_span_id.hex() == SPAN]
    assert (root.name, root.kind, root.trace_state) == ("chat gpt-4o", 2, "a=1")
    parts = [each for each in spans if each.parent_span_id == root.span_id]
    parts.sort(key=lambda each: (each.start_time_unix_nano, each.end_time_unix_nano))
    assert [p.name for p in parts] == ["authorize", "parse", "reserve quota", "queue", "generate"]
    inner = [each for each in spans if each.parent_span_id == parts[-1].span_id]
    assert {each.name for each in inner} == {"first token", "last token"}
    for one, following in pairwise(parts):
        assert one.end_time_unix_nano == following.start_time_unix_nano
    assert root.start_time_unix_nano == parts[0].start_time_unix_nano
    assert root.end_time_unix_nano == parts[-1].end_time_unix_nano
    assert abs(root.start_time_unix_nano / 1e9 - time.time()) < 60
    said = {each.key: each.value for each in root.attributes}
    assert said["gen_ai.operation.name"].string_value == "chat"
    assert said["gen_ai.usage.output_tokens"].int_value == 4
    assert said["http.response.status_code"].int_value == 200
    request_id = said["azure.service.request.id"].string_value
    assert request_id == answer.headers["apim-request-id"]
    assert PROMPT not in str(spans)


def test_an_upstream_goes_on_with_it(traced: Traced) -> None:
    """Its tree hangs on the part in which it was asked."""
    trace = "11112222333344445555666677778888"
    answer = traced.chat({"traceparent": f"00-{trace}-{SPAN}-01"}, CHAT.replace("gpt-4o", "far"))
    assert answer.status_code == 200
    spans = traced.spans(trace, 16)
    servers = {each.name: each for each in spans if each.kind == 2}
    [asked] = [each for each in spans if each.kind == 3]
    assert set(servers) == {"chat far", "chat gpt-4o"}
    assert asked.name == "generate"
    assert servers["chat gpt-4o"].parent_span_id == asked.span_id


def test_who_is_not_sampled_is_not_exported(traced: Traced) -> None:
    """Here nor at the upstream."""
    quiet, loud = "a" * 32, "b" * 32
    traced.chat({"traceparent": f"00-{quiet}-{SPAN}-00"}, CHAT.replace("gpt-4o", "far"))
    traced.chat({"traceparent": f"00-{loud}-{SPAN}-01"})
    traced.spans(loud, 8)
    assert traced.spans(quiet, 0) == []


def test_a_refusal_is_a_tree_too(traced: Traced) -> None:
    """As far as it came; it is no error of the server's."""
    trace = "c" * 32
    traced.chat({"traceparent": f"00-{trace}-{SPAN}-01", "api-key": "wrong"})
    [root] = traced.spans(trace, 1)
    said = {each.key: each.value.string_value for each in root.attributes}
    assert said["error.type"] == "401"
    assert said["linarite.refused_by"] == "authentication"
    assert root.status.code == 0


def test_exports_of_traces_are_counted(traced: Traced) -> None:
    """Where no metrics are exported as well."""
    trace = "c" * 32
    traced.chat({"traceparent": f"00-{trace}-{SPAN}-01"})
    traced.spans(trace, 8)
    until = time.monotonic() + 60
    while True:  # the answer that the collector has given is on its way
        told = httpx.get(f"{traced.front.endpoint}/metrics").raise_for_status().text
        [taken] = re.findall(r"^linarite_otlp_exports_total (\d+)$", told, re.MULTILINE)
        if int(taken):
            return
        assert time.monotonic() < until
        time.sleep(0.05)

"""Spans of more requests than there is room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from structlog.testing import capture_logs

from linarite.telemetry import traces
from linarite.telemetry.otlp import Delivery, OtlpSender
from linarite.telemetry.traces import Tracer
from tests.storage.builders import make_record

if TYPE_CHECKING:
    from linarite.telemetry.otlp import SignalPath

pytestmark = pytest.mark.anyio


class Taking:
    """A collector that takes everything."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def deliver(self, path: SignalPath, body: bytes) -> Delivery:
        """Keep it."""
        assert path == "/v1/traces"
        self.bodies.append(body)
        return Delivery(taken=True)

    async def close(self) -> None:
        """Return."""


async def test_how_many_were_not_traced_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are."""
    monkeypatch.setattr(traces, "WAITING_MAX", 2)
    collector = Taking()
    tracer = Tracer(OtlpSender(collector), ratio=1, version="1")
    tracer.start()
    for number in range(5):
        tracer.begin(f"r{number}", {}, started_at=0.0)
        tracer.observe(make_record(request_id=f"r{number}"))
    with capture_logs() as logs:
        await tracer.stop()
    assert [(each["log_level"], each["count"]) for each in logs] == [("warning", 3)]
    [export] = map(ExportTraceServiceRequest.FromString, collector.bodies)
    spans = export.resource_spans[0].scope_spans[0].spans
    assert len({each.trace_id for each in spans}) == 2

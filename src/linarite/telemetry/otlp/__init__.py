"""OTLP: what goes to a collector of OpenTelemetry, over HTTP in protobuf's binary form.

One place for metrics, logs and traces. To send something:

    body = enveloped(messages, {"service.name": "linarite"})  # messages are written by `wire`
    delivery = await endpoint.deliver("/v1/logs", body)

`wire` writes protobuf; `envelope` has what all three signals share, resource and scope.
`Endpoint` is the port: it delivers one body and says whether it was taken, may be sent again or
is refused for good. Whoever keeps a buffer of its own, on disk, calls it directly.
`OtlpSender` is a bounded buffer in memory over it, for what may be lost: it sends in order, tries
again while the collector is down and drops the oldest when it is full.
`linarite.otlp_endpoint` has the endpoint itself, by the settings under `[otlp]`, through the
egress rules (purpose `telemetry`).

Specification: https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

from linarite.telemetry.otlp.delivery import Delivery, Endpoint, SignalPath
from linarite.telemetry.otlp.envelope import enveloped
from linarite.telemetry.otlp.sender import OtlpSender

__all__ = ["Delivery", "Endpoint", "OtlpSender", "SignalPath", "enveloped"]

"""What settings say about logs and what is told to collectors."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Logs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is logged, and how."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The least level shown.")
    ] = "info"
    format: Annotated[
        Literal["auto", "console", "json"],
        Meta(description="auto means console on a terminal and JSON elsewhere."),
    ] = "auto"
    access: Annotated[
        Literal["off", "errors", "all"],
        Meta(
            description="A line for no request, for refusals and failures, or for every request. "
            "Every request leaves a record anyway."
        ),
    ] = "errors"


class Otlp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The collector of OpenTelemetry that is told what goes on here."""

    endpoint: Annotated[
        str,
        Meta(
            description="Where it takes OTLP over HTTP, such as https://otel.example.com:4318; "
            "`/v1/metrics` and the like are added. Empty: nothing is exported.",
        ),
    ] = ""
    headers: Annotated[
        dict[str, str],
        Meta(description="Headers to send, such as a key; values best as `env:NAME`."),
    ] = {}
    ca_file: Annotated[
        str, Meta(description="PEM file with the one authority to trust; empty: the system's.")
    ] = ""
    allow_plain_http: Annotated[
        bool, Meta(description="Allow http to another machine; to this one it always is.")
    ] = False
    compression: Annotated[
        Literal["gzip", "none"], Meta(description="How bodies are compressed.")
    ] = "gzip"
    timeout_s: Annotated[
        float, Meta(gt=0, le=300, description="Seconds until an export counts as failed.")
    ] = 10.0
    metrics: Annotated[bool, Meta(description="Whether metrics are exported.")] = True
    metrics_interval_s: Annotated[
        float, Meta(ge=1, le=3600, description="Seconds from one export of metrics to the next.")
    ] = 60.0

    traces: Annotated[bool, Meta(description="Whether traces are exported.")] = True
    traces_ratio: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="Share of the traces that begin here which are exported; whoever continues "
            "one says whether it is.",
        ),
    ] = 1.0

    def __repr__(self) -> str:
        """Hide the headers: they may hold a key."""
        return f"Otlp(endpoint={self.endpoint!r})"

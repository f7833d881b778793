"""What settings say about sinks of diagnostic settings."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class SinkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One place that diagnostic settings may send records to."""

    kind: Annotated[
        Literal["folder", "syslog", "otlp"],
        Meta(description="What it is. `otlp` is the collector of `[otlp]`."),
    ]
    path: Annotated[
        str,
        Meta(description="Of a folder: where it is. Relative ones lie in the data folder."),
    ] = ""
    address: Annotated[
        str,
        Meta(
            description="Of syslog: `udp://HOST:PORT`, `tcp://…`, `tls://…` or `unix:///dev/log`. "
            "Naming a host here opens it, a private one too, for this purpose alone."
        ),
    ] = ""
    ca_file: Annotated[
        str,
        Meta(description="PEM file with the authority of a `tls` address, if it is no public one."),
    ] = ""
    facility: Annotated[
        int, Meta(ge=0, le=23, description="Of syslog: the facility's number; 16 is `local0`.")
    ] = 16

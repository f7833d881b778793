"""What settings say about requests."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds on requests."""

    body_bytes_max: Annotated[
        int, Meta(description="Largest request body in bytes; beyond it 413.", ge=1024)
    ] = 32 * 1024 * 1024
    body_read_s: Annotated[
        float, Meta(description="Seconds a request body may take to arrive; beyond it 408.", gt=0)
    ] = 60.0
    custom_headers_max: Annotated[
        int, Meta(description="Custom request headers, as Azure counts them; beyond it 431.", ge=0)
    ] = 10
    priority_growth_max: Annotated[
        int,
        Meta(
            description="Percent by which a deployment's tokens per minute of the service tier "
            "priority may grow within 15 minutes; what is more is served as default. Azure: 50; 0: "
            "nothing is taken back.",
            ge=0,
        ),
    ] = 0
    priority_growth_floor: Annotated[
        int,
        Meta(
            description="Tokens per minute of priority that are never too many, where "
            "priority_growth_max is set.",
            ge=0,
        ),
    ] = 100_000
    accept_unknown_arguments: Annotated[
        bool,
        Meta(
            description="Ignore request arguments that Azure would refuse. "
            "Some benchmarks send ignore_eos."
        ),
    ] = False

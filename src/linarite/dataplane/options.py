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
    accept_unknown_arguments: Annotated[
        bool,
        Meta(
            description="Ignore request arguments that Azure would refuse. "
            "Some benchmarks send ignore_eos."
        ),
    ] = False

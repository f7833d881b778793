"""What settings say about outgoing connections."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Egress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where Linarite may connect to, beyond the upstreams that instances name."""

    allowed_hosts: Annotated[
        list[str], Meta(description="Host names, exact or `*.suffix`; empty means none.")
    ] = []

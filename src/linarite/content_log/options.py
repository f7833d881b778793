"""What settings say about logging content."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

MEGABYTE = 1024 * 1024


class ContentLogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds on the content that accounts have kept; each account says itself whether it is."""

    allowed: Annotated[
        bool,
        Meta(
            description="Whether accounts may have prompts and completions kept, sealed under "
            "their key. False: a switch that is on is refused, and does nothing."
        ),
    ] = True
    retention_days_max: Annotated[
        int, Meta(description="Most days for which an account may have them kept.", ge=1)
    ] = 365
    record_bytes_max: Annotated[
        int,
        Meta(
            description="Most bytes of a prompt, and of a completion, that are kept; what is "
            "longer is cut and says so.",
            ge=1024,
        ),
    ] = MEGABYTE
    bytes_max: Annotated[
        int,
        Meta(
            description="Most bytes of all that is kept; beyond it the oldest go first. 0 means no "
            "bound.",
            ge=0,
        ),
    ] = 10 * 1024 * MEGABYTE
    backlog_bytes_max: Annotated[
        int,
        Meta(
            description="Most bytes in memory that are not yet on disk; what comes beyond it is "
            "not kept, counted and told.",
            ge=MEGABYTE,
        ),
    ] = 64 * MEGABYTE

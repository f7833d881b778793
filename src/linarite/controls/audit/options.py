"""What settings say about the audit log."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Audit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the audit log is kept."""

    required: Annotated[
        bool,
        Meta(
            description="Refuse changes and sign-ins (503) that can't be written to the audit log. "
            "Inference goes on in any case."
        ),
    ] = True
    checkpoint_events: Annotated[
        int, Meta(description="Sign the log after this many events.", ge=1)
    ] = 1_000
    checkpoint_s: Annotated[
        float, Meta(description="Sign the log this long after an event.", gt=0)
    ] = 60.0
    key_use_s: Annotated[
        float,
        Meta(
            description="Seconds until the use of the same key from the same address is written "
            "again; 0 writes none.",
            ge=0,
        ),
    ] = 3_600.0
    refusals_per_minute: Annotated[
        int,
        Meta(
            description="Refused requests of the data plane that are written singly in a minute; "
            "further ones are counted in a summary.",
            ge=1,
        ),
    ] = 600
    keep_days: Annotated[
        float,
        Meta(description="Days after which events are removed; 0 keeps all.", ge=0),
    ] = 0.0

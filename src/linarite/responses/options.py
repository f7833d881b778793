"""What settings say about responses that are stored."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Responses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long responses are kept. Who sees them: `files.visible_to`."""

    retention_days: Annotated[
        int, Meta(description="Days that a stored response is kept; Azure's 30.", ge=1, le=3650)
    ] = 30
    background_max: Annotated[
        int,
        Meta(
            description="Responses of an account that may be made in the background, or wait for "
            "it, at a time; beyond it 429.",
            ge=1,
        ),
    ] = 1000
    background_wait_s: Annotated[
        float,
        Meta(
            description="Seconds that one in the background waits for a rate or a place before it "
            "fails.",
            gt=0,
        ),
    ] = 3600.0

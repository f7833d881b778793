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

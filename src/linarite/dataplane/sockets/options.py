"""What settings say about WebSockets."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class WebSockets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds on WebSockets. A message may have `limits.body_bytes_max`."""

    open_max: Annotated[
        int, Meta(description="WebSockets open at once; more are refused with 503.", ge=0)
    ] = 2000
    account_open_max: Annotated[
        int, Meta(description="The same, of one account; more are refused with 429.", ge=0)
    ] = 500
    idle_s: Annotated[
        float,
        Meta(description="Seconds without a turn after which a WebSocket is closed.", gt=0),
    ] = 900.0
    lifetime_s: Annotated[
        float,
        Meta(
            description="Seconds after which no further turn begins on a WebSocket; Azure's hour.",
            gt=0,
        ),
    ] = 3600.0
    recheck_s: Annotated[
        float,
        Meta(
            description="How often, in seconds, it is looked whether the client of a WebSocket "
            "that waits for its next turn may still be there.",
            gt=0,
        ),
    ] = 15.0
    memory_bytes_max: Annotated[
        int,
        Meta(
            description="Bytes that one WebSocket remembers of responses with `store` false, to go "
            "on from the last of them.",
            ge=0,
        ),
    ] = 4 * 1024 * 1024

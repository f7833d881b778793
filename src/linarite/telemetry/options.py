"""What settings say about logs."""

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

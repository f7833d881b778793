"""What settings say about batches."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Batches(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How batches run. Defaults are Azure's ("Azure OpenAI batch")."""

    requests_max: Annotated[
        int, Meta(description="Requests that a batch's file may have.", ge=1, le=10_000_000)
    ] = 100_000
    deployments: Annotated[
        Literal["batch", "any"],
        Meta(
            description="Which deployments take batches: those of the SKUs GlobalBatch and "
            "DataZoneBatch, as on Azure, or any."
        ),
    ] = "batch"
    overdue: Annotated[
        Literal["continue", "expire"],
        Meta(
            description="What becomes of a batch whose completion window is over: it goes on, as "
            "on Azure, or it expires with the results that it has, as with OpenAI."
        ),
    ] = "continue"
    window_s: Annotated[
        float, Meta(description='Seconds that the completion window "24h" has.', gt=0)
    ] = 86_400.0
    lines_at_once_max: Annotated[
        int,
        Meta(
            description="Requests of batches that one instance answers or has waiting at the same "
            "time; fewer where its engine takes fewer.",
            ge=1,
            le=1024,
        ),
    ] = 64

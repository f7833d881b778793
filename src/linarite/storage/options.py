"""What settings say about keeping records, and about keys that customers keep."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Records(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long request records are kept."""

    keep_days: Annotated[
        float, Meta(description="Days after which request records are removed; 0 keeps all.", ge=0)
    ] = 90.0
    keep_usage_days: Annotated[
        int,
        Meta(
            description="Days after which the daily sums of usage are removed; 0 keeps all.", ge=0
        ),
    ] = 1100
    rows_max: Annotated[
        int, Meta(description="Most request records kept; 0 means no bound.", ge=0)
    ] = 10_000_000


class KeptMetrics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the metrics of Azure Monitor are kept."""

    keep_days: Annotated[
        float, Meta(description="Days after which metrics are removed; 0 keeps all.", ge=0)
    ] = 93.0
    minutes_max: Annotated[
        int,
        Meta(
            description="Most minutes kept, each series of each minute being one; the oldest go "
            "first, and their hours stay. 0 means no bound.",
            ge=0,
        ),
    ] = 2_000_000


class Storage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much accounts may store: files, responses, conversations, completions, vector stores."""

    account_bytes_max: Annotated[
        int,
        Meta(
            description="Bytes that an account may store, all kinds together; beyond them 400 "
            "`quotaExceeded`. 0: no bound.",
            ge=0,
        ),
    ] = 250_000_000_000
    accounts: Annotated[
        dict[str, Annotated[int, Meta(ge=0)]],
        Meta(description="The same for single accounts, by their names."),
    ] = {}
    free_bytes_min: Annotated[
        int,
        Meta(
            description="Bytes that stay free on the disk of the data folder: below them nothing "
            "new is stored (503), and running batches wait. 0: no bound.",
            ge=0,
        ),
    ] = 1024**3


class KeyVaultSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key vault: keys that accounts can be sealed with, beside the master key."""

    uri: Annotated[
        str,
        Meta(
            description="Its address, as accounts name it in "
            "`properties.encryption.keyVaultProperties.keyVaultUri`; nothing is asked there.",
            pattern="^https://[^/]+/?$",
        ),
    ]
    folder: Annotated[
        str,
        Meta(
            description="Where its keys lie, as files `NAME/VERSION` of 64 hexadecimal digits. A "
            "file that is taken away revokes its key within a minute.",
            min_length=1,
        ),
    ]

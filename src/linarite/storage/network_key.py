"""How entries of the network log are found and ordered."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from linarite.storage.resource_id import id_key

if TYPE_CHECKING:
    from linarite.domain.network_log import Occurrence

ENTRIES_MAX = 2_000
"""entries of one account and category that are kept; each further one takes the place of the one
seen longest ago, so that whoever floods one account's log pushes out nothing of another's"""


def network_key(key: tuple[str, Occurrence]) -> str:
    """A short form of what tells entries apart, whatever the case of ids."""
    day, what = key
    folded = msgspec.structs.replace(
        what, account_id=id_key(what.account_id), perimeter_id=id_key(what.perimeter_id)
    )
    return hashlib.sha256(msgspec.json.encode((day, folded))).hexdigest()[:32]


def place_of(last_at: str, key: str) -> str:
    """Where an entry stands: later ones have higher places."""
    return f"{last_at}|{key}"

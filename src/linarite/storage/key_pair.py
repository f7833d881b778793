"""An account's two keys: making, replacing and naming them, the same for every adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.errors import InvalidRequest
from linarite.domain.resource import AccountKeys
from linarite.storage.sealing import new_key

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_NAMES = ("key1", "key2")


def new_pair() -> AccountKeys:
    """Two fresh keys."""
    return AccountKeys(key1=new_key(), key2=new_key())


def with_new(pair: AccountKeys, key_name: str) -> AccountKeys:
    """The pair with the named key replaced. Raises InvalidRequest for a name there is not."""
    if key_name not in KEY_NAMES:
        raise InvalidRequest(
            f"'{key_name[:100]}' is not the name of a key; use key1 or key2.", param="keyName"
        )
    return msgspec.structs.replace(pair, **{key_name: new_key()})


def as_names(pair: AccountKeys, digest: Callable[[str], bytes]) -> dict[bytes, str]:
    """Digest of each key → its name."""
    return {digest(pair.key1): "key1", digest(pair.key2): "key2"}

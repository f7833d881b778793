"""Application keys in a dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.storage.resource_id import id_key
from linarite.storage.sealing import new_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class MemoryApplicationKeys:
    """`ApplicationKeyStore` without a file: gone with the process."""

    def __init__(self, digest: Callable[[str], bytes]) -> None:
        self._digest = digest
        self._digests: dict[str, dict[str, bytes]] = {}
        """by account and by the id it was made under"""
        self._used: dict[str, int] = {}

    async def make(self, account_id: str, key_id: str) -> str:
        """A new key under an id, in the place of one made before."""
        key = new_key()
        self._digests.setdefault(id_key(account_id), {})[key_id] = self._digest(key)
        return key

    async def digests(self, account_id: str) -> dict[bytes, str]:
        """Digest of each key of the account → the id it was made under."""
        found = self._digests.get(id_key(account_id), {})
        return {digest: key_id for key_id, digest in found.items()}

    async def drop(self, account_id: str, key_id: str) -> None:
        """Forget a key."""
        if self._digests.get(id_key(account_id), {}).pop(key_id, None) is not None:
            self._used.pop(key_id, None)

    async def note_used(self, used: Mapping[str, int]) -> None:
        """Keep when keys were used last."""
        known = {key_id for held in self._digests.values() for key_id in held}
        self._used |= {key_id: at for key_id, at in used.items() if key_id in known}

    def last_used(self, key_id: str) -> int:
        """Seconds since the epoch; 0 for never."""
        return self._used.get(key_id, 0)

    async def forget(self, account_id: str) -> None:
        """Drop all keys of an account."""
        for key_id in self._digests.pop(id_key(account_id), {}):
            self._used.pop(key_id, None)

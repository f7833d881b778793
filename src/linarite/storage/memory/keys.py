"""Account keys in a dictionary."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from linarite.storage.key_pair import as_names, new_pair, with_new
from linarite.storage.memory.application_keys import MemoryApplicationKeys
from linarite.storage.resource_id import id_key

if TYPE_CHECKING:
    from linarite.domain.resource import AccountKeys


class MemoryKeyStore:
    """`KeyStore` without a file: gone with the process, and sealed by nothing but it."""

    def __init__(self) -> None:
        self._pairs: dict[str, AccountKeys] = {}
        self._pepper = secrets.token_bytes(32)
        self.applications = MemoryApplicationKeys(self.digest)

    async def ensure(self, account_id: str) -> AccountKeys:
        """The account's keys, made if there are none yet."""
        return self._pairs.setdefault(id_key(account_id), new_pair())

    async def regenerate(self, account_id: str, key_name: str) -> AccountKeys:
        """Replace `key1` or `key2` and return both. Raises InvalidRequest for another name."""
        changed = with_new(await self.ensure(account_id), key_name)
        self._pairs[id_key(account_id)] = changed
        return changed

    async def digests(self, account_id: str) -> dict[bytes, str]:
        """HMAC-SHA256 digest of each key → its name; empty when the account has none."""
        pair = self._pairs.get(id_key(account_id))
        return {} if pair is None else as_names(pair, self.digest)

    def digest(self, presented: str) -> bytes:
        """The digest a presented key would have."""
        return hmac.digest(self._pepper, presented.encode("utf-8", "surrogatepass"), "sha256")

    async def forget(self, account_id: str) -> None:
        """Drop the account's keys and those of its applications."""
        await self.applications.forget(account_id)
        self._pairs.pop(id_key(account_id), None)

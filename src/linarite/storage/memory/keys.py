"""Account keys in a dictionary."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from linarite.domain.customer_keys import CustomerKeyUnavailable, NoCustomerKeys
from linarite.storage.key_pair import as_names, new_pair, with_new
from linarite.storage.memory.application_keys import MemoryApplicationKeys
from linarite.storage.resource_id import id_key
from linarite.storage.sealing import KeyBox

if TYPE_CHECKING:
    from linarite.domain.customer_keys import CustomerKeys
    from linarite.domain.resource import AccountKeys
    from linarite.domain.secret_box import SecretBox


class MemoryKeyStore:
    """`KeyStore` without a file: gone with the process, and sealed by nothing but it."""

    def __init__(self, customer_keys: CustomerKeys | None = None) -> None:
        self.customer_keys = customer_keys or NoCustomerKeys()
        self._sealed_with: dict[str, tuple[str, bytes]] = {}
        """account → the customer's key without which its own are not told"""
        self._pairs: dict[str, AccountKeys] = {}
        self._boxes: dict[str, KeyBox] = {}
        self._pepper = secrets.token_bytes(32)
        self.applications = MemoryApplicationKeys(self.digest)

    async def ensure(self, account_id: str) -> AccountKeys:
        """The account's keys, made if there are none yet."""
        self._require_key(account_id)
        return self._pairs.setdefault(id_key(account_id), new_pair())

    async def regenerate(self, account_id: str, key_name: str) -> AccountKeys:
        """Replace `key1` or `key2` and return both. Raises InvalidRequest for another name."""
        changed = with_new(await self.ensure(account_id), key_name)
        self._pairs[id_key(account_id)] = changed
        return changed

    async def encrypt(self, account_id: str, key_id: str) -> None:
        """Tell the account's keys only while that key is there; "" tells them always again."""
        account = id_key(account_id)
        await self.ensure(account_id)
        if not key_id:
            self._sealed_with.pop(account, None)
            return
        key = self.customer_keys.find(key_id)
        if key is None:
            raise CustomerKeyUnavailable(key_id)
        self._sealed_with[account] = (key_id, key)

    async def box_of(self, account_id: str) -> SecretBox | None:
        """What seals for the account; None while it has no keys."""
        self._require_key(account_id)
        account = id_key(account_id)
        if account not in self._pairs:
            return None
        return self._boxes.setdefault(account, KeyBox(secrets.token_bytes(32), account))

    async def digests(self, account_id: str) -> dict[bytes, str]:
        """HMAC-SHA256 digest of each key → its name; empty when the account has none."""
        self._require_key(account_id)
        pair = self._pairs.get(id_key(account_id))
        return {} if pair is None else as_names(pair, self.digest)

    def digest(self, presented: str) -> bytes:
        """The digest a presented key would have."""
        return hmac.digest(self._pepper, presented.encode("utf-8", "surrogatepass"), "sha256")

    async def forget(self, account_id: str) -> None:
        """Drop the account's keys and those of its applications."""
        await self.applications.forget(account_id)
        self._pairs.pop(id_key(account_id), None)
        self._sealed_with.pop(id_key(account_id), None)
        self._boxes.pop(id_key(account_id), None)

    def _require_key(self, account_id: str) -> None:
        key_id, key = self._sealed_with.get(id_key(account_id), ("", None))
        if key_id and self.customer_keys.find(key_id) != key:
            raise CustomerKeyUnavailable(key_id)

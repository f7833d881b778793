"""Secrets at rest: AES-256-GCM under a key per account, each wrapped by the master key.

An account whose owner keeps a key has its own wrapped by that one too: both are needed to open it.
Destroying an account's wrapped key makes everything sealed under it unreadable, also in backups
of the sealed rows that lack it. What is sealed is bound to its account and name, so a row that
is copied to another account or another name does not open there.
"""

from __future__ import annotations

import base64
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from linarite.domain.errors import SetupError

VERSION = b"\x01"
WRAPPED_TWICE = b"\x02"
"""begins an account's key that is wrapped by a customer's key as well"""
NONCE_BYTES = 12
KEY_BYTES = 32

KEY_LENGTH = 64
KEY_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""letters and digits without those that people mix up (0 O, 1 l I): safe in URLs and shells"""


class KeyBox:
    """`SecretBox` with one key: an account's own, or one for what belongs to no account."""

    def __init__(self, key: bytes, account_key: str = "") -> None:
        self._cipher = AESGCM(key)
        self._account_key = account_key

    def __repr__(self) -> str:
        """Hide the key."""
        return "KeyBox(…)"

    def seal(self, name: str, plain: bytes) -> str:
        """The sealed bytes in base64."""
        sealed = _seal(self._cipher, plain, _bound(self._account_key, name))
        return base64.b64encode(sealed).decode()

    def unseal(self, name: str, sealed: str) -> bytes:
        """Undo `seal`. Raises SetupError for another name or key, and for any other text."""
        try:
            opened = base64.b64decode(sealed, validate=True)
        except ValueError:
            opened = b""  # which opens as little
        return _unseal(self._cipher, opened, _bound(self._account_key, name))


class Sealing:
    """What the master key can do. Holds only keys derived from it, each for one purpose."""

    def __init__(self, master_key: bytes) -> None:
        self._wrapping = AESGCM(_derived(master_key, b"account key wrapping"))
        # A copy of a keyed state costs 1.7 µs a digest; keying it anew each time, twice that.
        self._digest = hmac.new(_derived(master_key, b"presented key digest"), digestmod="sha256")
        self.box = KeyBox(_derived(master_key, b"secret box"))
        self.authority_secret = _derived(master_key, b"local authority").hex().encode()
        """what the key of the local certificate authority is sealed with"""
        self.fingerprint = _derived(master_key, b"master key check")
        """tells whether this is the master key that sealed a database; gives nothing away"""

    def __repr__(self) -> str:
        """Hide the keys."""
        return "Sealing(…)"

    def digest(self, presented: str) -> bytes:
        """HMAC-SHA256 of a presented key, under a pepper that is in no database."""
        digest = self._digest.copy()
        digest.update(presented.encode("utf-8", "surrogatepass"))
        return digest.digest()

    def new_account_key(self, account_key: str) -> bytes:
        """A fresh key for an account, wrapped: what may be stored."""
        return _seal(self._wrapping, secrets.token_bytes(KEY_BYTES), _bound(account_key, ""))

    def seal(self, wrapped: bytes, account_key: str, name: str, plain: bytes) -> bytes:
        """Seal `plain` under an account's wrapped key, bound to the account and the name."""
        return _seal(self._account_cipher(wrapped, account_key), plain, _bound(account_key, name))

    def unseal(self, wrapped: bytes, account_key: str, name: str, sealed: bytes) -> bytes:
        """Undo `seal`. Raises SetupError when anything but the right row, key and name is given."""
        cipher = self._account_cipher(wrapped, account_key)
        return _unseal(cipher, sealed, _bound(account_key, name))

    def box_of(self, wrapped: bytes, account_key: str) -> KeyBox:
        """What seals under an account's wrapped key."""
        return KeyBox(self._account_key(wrapped, account_key), account_key)

    @staticmethod
    def wrapped_twice(wrapped: bytes, account_key: str, key_id: str, key: bytes) -> bytes:
        """An account's wrapped key, wrapped by a customer's key as well: what may be stored."""
        sealed = _seal(_customer_cipher(key), wrapped, _bound(account_key, key_id))
        return b"\0".join((WRAPPED_TWICE + key_id.encode(), sealed))

    @staticmethod
    def wrapped_once(stored: bytes, account_key: str, key: bytes) -> bytes:
        """Undo `wrapped_twice`. Raises SetupError for another key or account."""
        sealed = stored.partition(b"\0")[2]
        bound = _bound(account_key, customer_key_in(stored))
        return _unseal(_customer_cipher(key), sealed, bound)

    def _account_cipher(self, wrapped: bytes, account_key: str) -> AESGCM:
        return AESGCM(self._account_key(wrapped, account_key))

    def _account_key(self, wrapped: bytes, account_key: str) -> bytes:
        return _unseal(self._wrapping, wrapped, _bound(account_key, ""))


def new_key() -> str:
    """An account key: 64 characters, 373 random bits, with a digit and both cases of letters.

    The mix is what the log's mask recognises a key by.
    """
    while True:
        key = "".join(secrets.choice(KEY_ALPHABET) for _ in range(KEY_LENGTH))
        kinds = (str.isdigit, str.isupper, str.islower)
        if all(any(kind(character) for character in key) for kind in kinds):
            return key


def customer_key_in(stored: bytes) -> str:
    """The id of the customer's key without which an account's key opens for nobody; "" for none."""
    if not stored.startswith(WRAPPED_TWICE):
        return ""
    return stored[len(WRAPPED_TWICE) :].partition(b"\0")[0].decode()


def _customer_cipher(key: bytes) -> AESGCM:
    return AESGCM(_derived(key, b"account key wrapping by a customer"))


def _derived(master_key: bytes, purpose: bytes) -> bytes:
    hkdf = HKDF(hashes.SHA256(), KEY_BYTES, salt=b"linarite", info=purpose)
    return hkdf.derive(master_key)


def _bound(account_key: str, name: str) -> bytes:
    """The associated data, its parts kept apart by a zero byte, which no name holds."""
    return b"\0".join((account_key.encode(), name.encode()))


def _seal(cipher: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return VERSION + nonce + cipher.encrypt(nonce, plain, VERSION + bound)


def _unseal(cipher: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    version, nonce, rest = sealed[:1], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        # The version needs no check of its own: bound like the rest, another one does not open.
        return cipher.decrypt(nonce, rest, version + bound)
    except (InvalidTag, ValueError):
        raise SetupError(
            "A sealed secret does not open: its row in linarite.db was changed or copied from "
            "elsewhere. Restore linarite.db from a backup, or regenerate the account's keys."
        ) from None

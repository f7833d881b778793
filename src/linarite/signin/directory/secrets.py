"""Secrets and passwords: made, hashed and compared; never kept in the clear.

A client secret has 240 random bits, so a keyed digest is as good as a slow hash; a password is
what a person thought of, so it is hashed by scrypt, slowly, in a thread.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET_BYTES = 30
PASSWORD_CHARACTERS_MIN = 8
PASSWORD_CHARACTERS_MAX = 256
SCRYPT_COST, SCRYPT_BLOCK = 2**15, 8
SCRYPT_MEMORY_BYTES = 64 * 1024 * 1024
SALT_BYTES = 16
GATE_PLACES = 2

NOBODY = "scrypt$32768$8$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
"""the hash of nothing: compared with for names that nobody has, so that it takes as long"""


def new_secret() -> str:
    """A client secret: 40 characters that need no quoting in a shell or a form."""
    return base64.urlsafe_b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def secret_digest(digest: Callable[[str], bytes], app_id: str, secret: str) -> str:
    """What is kept of a client secret: bound to its application, under the server's pepper."""
    return digest(f"client secret\0{app_id}\0{secret}").hex()


def same(known: str, presented: str) -> bool:
    """Whether two digests are equal; how long it takes tells nothing."""
    return hmac.compare_digest(known.encode(), presented.encode())


class Passwords:
    """Hashes passwords in threads, a few at a time: each takes 32 MiB and much of a core."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(GATE_PLACES)
        self.waiting = 0
        """how many are being hashed, or wait for a place"""

    async def hashed(self, password: str) -> str:
        """The hash to keep, with a salt of its own."""
        salt = secrets.token_bytes(SALT_BYTES)
        key = await self._key(password, salt, SCRYPT_COST, SCRYPT_BLOCK)
        told = (base64.b64encode(each).decode() for each in (salt, key))
        return f"scrypt${SCRYPT_COST}${SCRYPT_BLOCK}${'$'.join(told)}"

    async def matches(self, known: str, password: str) -> bool:
        """Whether a password is the one whose hash is kept; "" matches nothing, as slowly."""
        _, cost, block, salt, key = (known or NOBODY).split("$")
        made = await self._key(
            password[:PASSWORD_CHARACTERS_MAX], base64.b64decode(salt), int(cost), int(block)
        )
        return hmac.compare_digest(made, base64.b64decode(key)) and bool(known)

    async def _key(self, password: str, salt: bytes, cost: int, block: int) -> bytes:
        self.waiting += 1
        try:
            async with self._places:
                return await asyncio.to_thread(
                    hashlib.scrypt,
                    password.encode("utf-8", "surrogatepass"),
                    salt=salt,
                    n=cost,
                    r=block,
                    p=1,
                    maxmem=SCRYPT_MEMORY_BYTES,
                    dklen=32,
                )
        finally:
            self.waiting -= 1

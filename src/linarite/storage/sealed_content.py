"""Bytes sealed in pieces that are proved one by one, in their order, to the last.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway and Vizar, 2015), as age and Tink have it:
AES-256-GCM with a fresh key for each blob, and a nonce that counts the pieces and marks the last.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from linarite.domain.content_seals import ContentDamaged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY_BYTES = 32
PIECE_BYTES = 64 * 1024
"""of what is sealed; each piece grows by its tag"""
TAG_BYTES = 16
_BOUND = b"linarite content 1"


class SealedContent:
    """`ContentKey` of one blob."""

    def __init__(self, key: bytes, sealed: str) -> None:
        self.sealed = sealed
        self._cipher = AESGCM(key)

    def __repr__(self) -> str:
        """Hide the key."""
        return "SealedContent(…)"

    async def seal(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """See ContentKey."""
        count = 0
        async for plain, last in _cut(pieces, PIECE_BYTES):
            yield self._cipher.encrypt(_nonce(count, last=last), plain, _BOUND)
            count += 1

    async def unseal(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """See ContentKey."""
        count = 0
        async for sealed, last in _cut(pieces, PIECE_BYTES + TAG_BYTES):
            try:
                plain = self._cipher.decrypt(_nonce(count, last=last), sealed, _BOUND)
            except (InvalidTag, ValueError):
                raise ContentDamaged from None
            yield plain
            count += 1


def new_content_key() -> bytes:
    """Fresh bytes for one blob."""
    return secrets.token_bytes(KEY_BYTES)


def _nonce(count: int, *, last: bool) -> bytes:
    """Eleven bytes of counting and one that says whether it is the last: never the same twice."""
    return count.to_bytes(11) + (b"\1" if last else b"\0")


async def _cut(pieces: AsyncIterator[bytes], size: int) -> AsyncIterator[tuple[bytes, bool]]:
    """The bytes in pieces of that size, each with whether it is the last: maybe a shorter one.

    Of no bytes there is one piece, which is empty.
    """
    held = bytearray()
    async for piece in pieces:
        held += piece
        at = 0
        while len(held) - at > size:  # what fills the last one exactly waits for what follows
            yield bytes(held[at : at + size]), False
            at += size
        del held[:at]
    yield bytes(held), True

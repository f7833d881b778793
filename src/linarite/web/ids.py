"""Identifiers: GUIDs for requests, short random names for objects."""

from __future__ import annotations

import os
import time

_POOL_BYTES = 4096
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_LETTER_OF = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))
"""for each random byte a letter or digit"""


class RandomPool:
    """Random bytes, fetched from the kernel in blocks: one system call for 256 identifiers."""

    def __init__(self) -> None:
        """Start empty; the first use fills it."""
        self._block = b""
        self._at = 0

    def take(self, size: int) -> bytes:
        """`size` fresh random bytes, at most a block."""
        at = self._at
        if at + size > len(self._block):
            self._block = os.urandom(_POOL_BYTES)
            at = 0
        self._at = at + size
        return self._block[at : at + size]


_POOL = RandomPool()


def new_guid() -> str:
    """A version 4 GUID in lower case, as `apim-request-id` carries it; 74 bits are random.

    It begins with the time in milliseconds: an index over GUIDs of one moment then grows in one
    place, where random ones would have the database write a page for almost every row.
    """
    moment = f"{time.time_ns() // 1_000_000:012x}"
    digits = _POOL.take(10).hex()
    variant = "89ab"[int(digits[3], 16) & 3]
    return f"{moment[:8]}-{moment[8:]}-4{digits[:3]}-{variant}{digits[4:7]}-{digits[7:19]}"


def sorted_id(prefix: str) -> str:
    """`prefix` and the 32 digits of a new GUID: ids that sort as they were made."""
    return prefix + new_guid().replace("-", "")


def new_object_id(prefix: str) -> str:
    """`prefix` and 29 random letters or digits, as in `chatcmpl-…`."""
    return prefix + _POOL.take(29).translate(_LETTER_OF).decode()

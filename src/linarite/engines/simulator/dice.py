"""Seeded choices that come out the same on every machine and Python version."""

from __future__ import annotations

import random
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

ItemT = TypeVar("ItemT")


class Dice:
    """A stream of choices that depends on nothing but what it was made from.

    Everything is derived from `random()`, the one method whose sequence Python promises to keep.
    """

    __slots__ = ("share",)

    def __init__(self, *parts: object) -> None:
        seed = int.from_bytes(digest_of(*parts), "big")
        self.share = random.Random(seed).random  # noqa: S311 - texts, not secrets
        """the next number between 0 (included) and 1 (excluded)"""

    def below(self, count: int) -> int:
        """A whole number from 0 to count - 1."""
        return int(self.share() * count)

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.share() * (high - low + 1))

    def pick(self, items: Sequence[ItemT]) -> ItemT:
        """One of the items."""
        return items[int(self.share() * len(items))]

    def text(self, alphabet: str, length: int) -> str:
        """`length` characters of an alphabet."""
        return "".join(self.pick(alphabet) for _ in range(length))


def digest_of(*parts: object) -> bytes:
    """Eight bytes that stand for the parts, in this order."""
    digest = blake2b(digest_size=8)
    for part in parts:
        encoded = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.digest()

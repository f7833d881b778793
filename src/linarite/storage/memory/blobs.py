"""Bytes in memory, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class MemoryBlobs:
    """`Blobs` in a dictionary."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    async def write(self, name: str, pieces: AsyncIterator[bytes]) -> int:
        """See Blobs."""
        whole = b"".join([piece async for piece in pieces])
        self._kept[name] = whole
        return len(whole)

    async def read(self, name: str) -> AsyncIterator[bytes]:
        """See Blobs."""
        yield self._kept[name]

    async def remove(self, name: str) -> None:
        """See Blobs."""
        self._kept.pop(name, None)

    async def names(self) -> list[str]:
        """See Blobs."""
        return list(self._kept)

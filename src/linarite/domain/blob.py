"""The bytes of files, apart from what is known about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Blobs(Protocol):
    """Keeps bytes under names of our own making. Never holds more than a piece in memory."""

    async def write(self, name: str, pieces: AsyncIterator[bytes]) -> int:
        """Keep all of them, and say how many bytes they were.

        When it returns they survive the death of the process. When it raises, what `pieces`
        raised included, nothing is left under the name.
        """
        ...

    def read(self, name: str) -> AsyncIterator[bytes]:
        """The bytes in pieces. Raises KeyError, with the first, when there are none."""
        ...

    async def remove(self, name: str) -> None:
        """Forget them, if they are there."""
        ...

    async def names(self) -> list[str]:
        """Every name under which something is kept."""
        ...

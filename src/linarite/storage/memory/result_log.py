"""The results of running batches in memory, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.batch import Counts, Done, LineResult, added

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


class MemoryResultLog:
    """`ResultLog` in a dictionary."""

    def __init__(self) -> None:
        self._kept: dict[str, list[LineResult]] = {}

    async def done(self, name: str, total: int, account_id: str) -> Done:
        """See ResultLog."""
        del account_id
        found = Done(bytearray(total), Counts(total))
        for result in self._kept.get(name, []):
            found.places[result.place] = 1
            found.counts = added(found.counts, result)
            found.size += len(result.text)
        return found

    def add(self, name: str, result: LineResult) -> None:
        """See ResultLog."""
        self._kept.setdefault(name, []).append(result)

    async def flush(self, name: str) -> None:
        """See ResultLog."""

    async def lines(self, name: str, account_id: str, *, failed: bool) -> AsyncIterator[bytes]:
        """See ResultLog."""
        del account_id
        for result in self._kept.get(name, []):
            if result.failed is failed:
                yield result.text + b"\n"

    async def remove(self, name: str) -> None:
        """See ResultLog."""
        self._kept.pop(name, None)

    async def names(self) -> Sequence[str]:
        """See ResultLog."""
        return list(self._kept)

"""Counting what the network's rules decide, and writing it to its log every second.

Whoever decides calls `see`, which costs about a microsecond and never waits. Memory is bounded:
when there are too many different ones in a second, the rest is counted without its host.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import msgspec
import structlog

from linarite.domain.network_log import Entry, Occurrence, joined, key_of

if TYPE_CHECKING:
    from linarite.domain.network_log import NetworkLog

log = structlog.get_logger("linarite.network")

EVERY_S = 0.5
PENDING_MAX = 1_000
REMOTE_CHARACTERS_MAX = 253
OTHERS = "(others)"
"""the host of those that were too many"""


class LeftEntries(Protocol):
    """What other processes have left for the log."""

    def read(self) -> tuple[list[Entry], int]:
        """It, and how many bytes that is."""
        ...

    def drop(self, count: int) -> None:
        """Remove the first bytes, which are in the log by now."""
        ...


class NetworkWatch:
    """What has been seen and is not in the log yet. `start`, then `stop` once."""

    def __init__(
        self, kept: NetworkLog, *, every_s: float = EVERY_S, left: LeftEntries | None = None
    ) -> None:
        self._log = kept
        self._left = left
        self._every_s = every_s
        self._pending: dict[tuple[str, Occurrence], Entry] = {}
        self._task: asyncio.Task[None] | None = None

    def see(self, what: Occurrence, reason: str) -> None:
        """Count an occurrence."""
        now = datetime.now(UTC).isoformat()
        if len(what.remote) > REMOTE_CHARACTERS_MAX:
            what = msgspec.structs.replace(what, remote=what.remote[:REMOTE_CHARACTERS_MAX])
        entry = Entry(what=what, reason=reason, first_at=now, last_at=now)
        key = key_of(entry)
        there = self._pending.get(key)
        if there is None and len(self._pending) >= PENDING_MAX:
            what = msgspec.structs.replace(what, remote=OTHERS, port=0)
            entry = msgspec.structs.replace(entry, what=what)
            key = key_of(entry)
            there = self._pending.get(key)
        self._pending[key] = joined(there, entry) if there is not None else entry

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._run(), name="network watch")

    async def stop(self) -> None:
        """Write what is left, and end."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.flush()

    async def flush(self) -> None:
        """Write what is pending; what can't be written is tried again."""
        await self._take_over()
        if not self._pending:
            return
        taken, self._pending = self._pending, {}
        try:
            await self._log.add(list(taken.values()))
        except Exception as problem:  # noqa: BLE001 - whatever it is, nothing is lost by it
            log.warning("the network log could not be written", why=str(problem))
            self._put_back(taken)

    async def _take_over(self) -> None:
        entries, size = self._left.read() if self._left is not None else ([], 0)
        if self._left is None or not size:
            return
        try:
            await self._log.add(entries)
        except Exception as problem:  # noqa: BLE001 - as in `flush`
            log.warning("the network log could not be written", why=str(problem))
        else:
            self._left.drop(size)

    def _put_back(self, taken: dict[tuple[str, Occurrence], Entry]) -> None:
        for key, later in self._pending.items():
            if key in taken:
                taken[key] = joined(taken[key], later)
            elif len(taken) < 2 * PENDING_MAX:
                taken[key] = later
        self._pending = taken

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            await self.flush()

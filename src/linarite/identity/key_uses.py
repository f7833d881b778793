"""When application keys were used last, brought to disk now and then: no request waits for it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.application_key import ApplicationKeyStore

log = structlog.get_logger(__name__)

EVERY_S = 60.0


class KeyUses:
    """Takes what the data path has seen, once in a while. `start`, then `stop` once."""

    def __init__(
        self,
        take: Callable[[], dict[str, int]],
        store: ApplicationKeyStore,
        *,
        every_s: float = EVERY_S,
    ) -> None:
        """`take` gives the uses since it was asked last: key id → seconds since the epoch."""
        self._take = take
        self._store = store
        self._every_s = every_s
        self._pending: dict[str, int] = {}
        """taken, and not yet on disk; at most one for each key"""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="application key uses")

    async def stop(self) -> None:
        """Bring what is left to disk, and end."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.flush()

    async def flush(self) -> None:
        """Bring to disk what there is; what can't be written now is tried again next time."""
        self._pending |= self._take()
        if not self._pending:
            return
        try:
            await self._store.note_used(self._pending)
        except LinariteError as problem:
            log.warning("uses of application keys are not kept yet", why=problem.message)
            return
        self._pending = {}

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            await self.flush()

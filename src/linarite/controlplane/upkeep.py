"""What the control plane does by itself from time to time: it purges, forgets and trims."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog

from linarite.controlplane.activity import ACTIVITY_KEPT
from linarite.controlplane.resources.accounts.effects import seal_anew
from linarite.controlplane.resources.template_deployments.history import trim_history
from linarite.controlplane.retired import recoverable

if TYPE_CHECKING:
    from linarite.controlplane.surface import Surface

log = structlog.get_logger("linarite.controlplane")

EVERY_S = 60.0


async def tidy(surface: Surface) -> None:
    """Purge what can't be recovered any more; forget old records; trim deployments' history.

    Accounts are sealed with the newest version of their key, and closed while it is not there.
    """
    async with surface.turn:
        await recoverable(surface)
        await seal_anew(surface)
    await surface.activity.forget((surface.now() - ACTIVITY_KEPT).isoformat())
    await surface.network_log.forget((surface.now() - ACTIVITY_KEPT).isoformat())
    await trim_history(surface)


class Upkeep:
    """Tidies up at the start and every minute. `start`, then `stop` once."""

    def __init__(self, surface: Surface, every_s: float = EVERY_S) -> None:
        self._surface = surface
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="upkeep of the control plane")

    async def stop(self) -> None:
        """End; what is under way is left."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                await tidy(self._surface)
            except Exception:
                log.exception("the control plane could not be tidied up; it is tried again")
            await asyncio.sleep(self._every_s)

"""Opening the keeper of files, and the work that it does by itself."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from linarite.domain.resource import ACCOUNT_TYPE, DELETED_ACCOUNT_TYPE, DELETED_FROM

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from linarite.domain.resource import Committed, ResourceStore
    from linarite.files.keeper import FileKeeper

SWEEP_EVERY_S = 600.0

log = structlog.get_logger(__name__)


async def tidy_files(stack: AsyncExitStack, keeper: FileKeeper, resources: ResourceStore) -> None:
    """Tidy up from now on until the stack is left."""
    upkeep = FileUpkeep(keeper, resources)
    await upkeep.forget_the_gone()
    resources.subscribe(upkeep.follow)
    task = asyncio.create_task(upkeep.run())
    stack.push_async_callback(_ended, task)


class FileUpkeep:
    """Ends what is over: files whose time or whose account has ended, bytes without a file."""

    def __init__(self, keeper: FileKeeper, resources: ResourceStore) -> None:
        self._keeper = keeper
        self._resources = resources

    async def follow(self, committed: Committed) -> None:
        """An account that is purged takes its files with it, before its name can be had again."""
        if committed.removed:
            await self.forget_the_gone()

    async def forget_the_gone(self) -> None:
        """Forget what accounts had that are neither there nor to be recovered."""
        there = {each.id.lower() for each in await self._resources.list_under("", ACCOUNT_TYPE)}
        for deleted in await self._resources.list_under("", DELETED_ACCOUNT_TYPE):
            there.add(str(deleted.properties.get(DELETED_FROM, "")).lower())
        await self._keeper.remove_others(there)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            for tidy in (self._keeper.sweep_bytes, self._keeper.sweep):
                try:
                    await tidy()
                except Exception as problem:  # noqa: BLE001 - whatever it is, it is tried again
                    log.warning("files were not tidied up", reason=str(problem))
            await asyncio.sleep(SWEEP_EVERY_S)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

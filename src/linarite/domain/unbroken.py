"""Work that is done whole, whatever becomes of whoever waits for it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

ResultT = TypeVar("ResultT")


async def unbroken(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """What the work gives or raises; a cancellation meanwhile comes with the next await after it.

    For what nobody may break off in the middle, or has to know the end of: a commit, a change that
    a thread makes. Whoever is cancelled can still do what belongs to it, as long as that awaits
    nothing. The work must end by itself, and soon. Never the last thing within `asyncio.timeout`:
    what came too late to stop it would then strike whoever comes behind the block.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait((task,))
        if not task.cancelled():
            cancel_later()
        return task.result()


def cancel_later() -> None:
    """Have the cancellation that was caught here come with the next await."""
    if (waiting := asyncio.current_task()) is not None:
        waiting.uncancel()  # it is still the same cancellation, and counts once
        waiting.cancel()

"""One line that says which models are being loaded, for as long as they are."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from linarite.cli.plain import Plain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from rich.console import Console

    from linarite.cli.serving_file import ServedDeployment

LOOK_EVERY_S = 0.2
CLEAR = "\r\x1b[2K"
COMING = frozenset(("NotStarted", "Starting", "BackingOff"))


async def show_loading(
    settled: Awaitable[object],
    look: Callable[[], Iterable[ServedDeployment]],
    *,
    console: Console | Plain,
) -> None:
    """Wait for `settled`, and meanwhile show on a terminal what `look` tells.

    Elsewhere nothing is shown: the log says when each model is there.
    """
    waiting = asyncio.ensure_future(settled)
    try:
        if not isinstance(console, Plain) and console.is_terminal:
            await draw_until(waiting, look, console)
        await waiting
    finally:
        waiting.cancel()


async def draw_until(
    waiting: asyncio.Future[object],
    look: Callable[[], Iterable[ServedDeployment]],
    console: Console,
) -> None:
    """Draw what has changed, every little while.

    The cursor is left at the line's beginning, so that a line of the log writes over it.
    """
    drawn = ""
    try:
        while not waiting.done():
            line = loading_line(look())[: console.width - 1]
            if line != drawn:
                console.file.write(f"{CLEAR}{line}\r")
                console.file.flush()
                drawn = line
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await asyncio.shield(waiting)
    finally:
        console.file.write(CLEAR)
        console.file.flush()


def loading_line(deployments: Iterable[ServedDeployment]) -> str:
    """What is still coming, and how far it is."""
    coming = [described(each) for each in deployments if each.state in COMING]
    return f"Coming up: {', '.join(coming)}" if coming else ""


def described(deployment: ServedDeployment) -> str:
    """A deployment's progress; engines often name the model in it already."""
    if deployment.name in deployment.detail.split():
        return deployment.detail
    return f"{deployment.name} ({deployment.detail})" if deployment.detail else deployment.name

"""Following a batch to its end: with a bar on a terminal, with lines elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from linarite.cli.arm.answers import part
from linarite.cli.arm.printed import say

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from linarite.cli.batch.service import BatchService

OPEN = frozenset(("validating", "in_progress", "finalizing", "cancelling"))
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
GROWTH = 1.5
TENTHS = 10


async def watch(service: BatchService, batch: dict[str, Any]) -> dict[str, Any]:
    """The batch once it has ended."""
    pause_s = FIRST_PAUSE_S
    with shown_progress() as show:
        while batch["status"] in OPEN:
            show(batch)
            try:
                await asyncio.sleep(pause_s)
            except asyncio.CancelledError:
                again = f"linarite batch show {batch['id']} --watch --to ."
                say(f"It goes on all the same; to wait for it and take the answers: {again}")
                raise
            pause_s = min(pause_s * GROWTH, LONGEST_PAUSE_S)
            batch = await service.batch(batch["id"])
        show(batch)
    return batch


@contextmanager
def shown_progress() -> Generator[Callable[[dict[str, Any]], None]]:
    """What shows how far a batch is."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines().show
        return
    columns = (
        TextColumn("{task.description}", style="bold"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]}", style="red"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("validating", total=None, failed="")

        def show(batch: dict[str, Any]) -> None:
            total, done, failed = counts(batch)
            progress.update(
                task,
                description=batch["status"],
                total=total or None,
                completed=done,
                failed=f"{failed:,} failed" if failed else "",
            )

        yield show


class Lines:
    """A line when the status changes, and for each tenth that is done."""

    def __init__(self) -> None:
        self._told = ("", 0)

    def show(self, batch: dict[str, Any]) -> None:
        """Print what is new."""
        total, done, _ = counts(batch)
        news = (batch["status"], done * TENTHS // total if total else 0)
        if news != self._told:
            self._told = news
            say(standing(batch))


def counts(batch: dict[str, Any]) -> tuple[int, int, int]:
    """How many requests there are, how many are done, and how many of these have failed."""
    told = part(batch, "request_counts")
    failed = int(told.get("failed", 0))
    return int(told.get("total", 0)), int(told.get("completed", 0)) + failed, failed


def standing(batch: dict[str, Any]) -> str:
    """How a batch stands, in a line."""
    total, done, failed = counts(batch)
    return f"{batch['id']}: {batch['status']}, {done:,} of {total:,}, {failed:,} failed"

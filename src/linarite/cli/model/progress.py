"""Shows how far models have come: bars on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    DownloadColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars

from linarite.cli.model.screen import megabytes

if TYPE_CHECKING:
    from collections.abc import Generator

    from rich.console import Console
    from rich.progress import TaskID

    from linarite.hosting.models.progress import Progress, Step


@contextmanager
def shown(console: Console) -> Generator[Progress]:
    """Give a function that shows every step passed to it, until the block is left."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    bars = Bars(
        TextColumn("{task.fields[model]}", style="bold"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        expand=True,
    )
    with bars:
        yield _Bars(bars)


class _Bars:
    """One bar for each model; it begins anew with each action."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._running: dict[str, tuple[str, TaskID]] = {}

    def __call__(self, step: Step) -> None:
        action, task = self._running.get(step.model, ("", None))
        total = step.total_bytes or None
        if task is None:
            task = self._bars.add_task(step.action, total=total, model=step.model)
        elif action != step.action:
            self._bars.reset(task, total=total, description=step.action)
        self._running[step.model] = (step.action, task)
        self._bars.update(task, completed=step.done_bytes, total=total)


class _Lines:
    """One line for each action of each model."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: set[tuple[str, str]] = set()

    def __call__(self, step: Step) -> None:
        if (step.model, step.action) in self._said:
            return
        self._said.add((step.model, step.action))
        size = f" ({megabytes(step.total_bytes)})" if step.total_bytes else ""
        self._console.print(f"{step.model}: {step.action.lower()}{size}", markup=False)

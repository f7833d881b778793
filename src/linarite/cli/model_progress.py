"""How far downloads and conversions of models have come."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console
    from rich.progress import TaskID

    from linarite.hosting.models.progress import Progress as ShowStep
    from linarite.hosting.models.progress import Step

QUARTERS = 4
MEGABYTE = 1_000_000


class ModelProgress:
    """A bar for each model on a terminal, a few plain lines elsewhere.

    with ModelProgress(console) as progress:
        store.add("smollm2-135m-instruct", progress=progress)
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: Bars | Lines | None = None

    def __enter__(self) -> ShowStep:
        """Begin; what is returned may be called from any thread."""
        self._shown = Bars(self._console) if self._console.is_terminal else Lines(self._console)
        return self._shown.show

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as a person expects it, whatever happened."""
        if isinstance(self._shown, Bars):
            self._shown.close()


class Bars:
    """One bar a model; it begins with the model's first step."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.fields[model]}", style="bold"),
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._tasks: dict[str, tuple[TaskID, str]] = {}
        self._lock = threading.Lock()

    def show(self, step: Step) -> None:
        """Move the model's bar; a new action starts it again."""
        total = step.total_bytes or None
        with self._lock:
            if not self._tasks:
                self._bars.start()
            task, action = self._tasks.get(step.model, (None, ""))
            if task is not None and action != step.action:
                self._bars.remove_task(task)  # a bar that has had a total can't lose it
                task = None
            if task is None:
                task = self._bars.add_task(step.action, total=total, model=step.model)
            self._tasks[step.model] = (task, step.action)
            self._bars.update(task, completed=step.done_bytes, total=total)

    def close(self) -> None:
        """Stop drawing; what was drawn stays."""
        self._bars.stop()


class Lines:
    """A line when an action begins, and at each quarter of it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def show(self, step: Step) -> None:
        """Say it, unless it has been said."""
        quarter = QUARTERS * step.done_bytes // step.total_bytes if step.total_bytes else 0
        with self._lock:
            if self._told.get(step.model) == (step.action, quarter):
                return
            self._told[step.model] = (step.action, quarter)
            self._console.print(
                f"{step.model}: {described(step)}", soft_wrap=True, markup=False, highlight=False
            )


def described(step: Step) -> str:
    """A step in words."""
    if not step.total_bytes:
        return step.action.lower()
    done, total = step.done_bytes / MEGABYTE, step.total_bytes / MEGABYTE
    percent = 100 * step.done_bytes // step.total_bytes
    return f"{step.action.lower()}, {done:.0f} of {total:.0f} MB ({percent} %)"

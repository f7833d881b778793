"""Bars on a terminal, of downloads and conversions of models."""

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
    from rich.console import Console
    from rich.progress import TaskID

    from linarite.hosting.models.progress import Step


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

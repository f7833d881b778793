"""How far downloads and conversions of models have come."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from linarite.cli.plain import Plain

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from linarite.cli.model_bars import Bars
    from linarite.hosting.models.progress import Progress as ShowStep
    from linarite.hosting.models.progress import Step

QUARTERS = 4
MEGABYTE = 1_000_000


class ModelProgress:
    """A bar for each model on a terminal, a few plain lines elsewhere.

    with ModelProgress(console) as progress:
        store.add("smollm2-135m-instruct", progress=progress)
    """

    def __init__(self, console: Console | Plain) -> None:
        self._console = console
        self._shown: Bars | Lines | None = None

    def __enter__(self) -> ShowStep:
        """Begin; what is returned may be called from any thread."""
        if isinstance(self._console, Plain) or not self._console.is_terminal:
            self._shown = Lines(self._console)
        else:
            from linarite.cli.model_bars import Bars  # noqa: PLC0415 - slow, and for terminals alone

            self._shown = Bars(self._console)
        return self._shown.show

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as a person expects it, whatever happened."""
        if self._shown is not None:
            self._shown.close()


class Lines:
    """A line when an action begins, and at each quarter of it."""

    def __init__(self, console: Console | Plain) -> None:
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

    def close(self) -> None:
        """All is said."""


def described(step: Step) -> str:
    """A step in words."""
    if not step.total_bytes:
        return step.action.lower()
    done, total = step.done_bytes / MEGABYTE, step.total_bytes / MEGABYTE
    percent = 100 * step.done_bytes // step.total_bytes
    return f"{step.action.lower()}, {done:.0f} of {total:.0f} MB ({percent} %)"

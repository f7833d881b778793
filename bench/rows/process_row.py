"""What rows have in common: a process and a target, once started."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.load.target import Target
    from bench.processes import Started


class ProcessRow:
    """Holds the process and the target of a row."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._started: Started | None = None
        self._target: Target | None = None

    @property
    def started(self) -> Started:
        """Its process."""
        assert self._started is not None, f"{self.name} has not been started"
        return self._started

    @property
    def target(self) -> Target:
        """Where its load goes."""
        assert self._target is not None, f"{self.name} has not been started"
        return self._target

    def stop(self) -> None:
        """End it."""
        if self._started is not None:
            self._started.stop()
            self._started = None

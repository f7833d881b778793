"""States of alerts in a dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from linarite.domain.alerts import AlertState


class MemoryAlertStates:
    """`AlertStates` without a file: gone with the process."""

    def __init__(self) -> None:
        self._states: dict[str, AlertState] = {}

    async def all(self) -> list[AlertState]:
        """Every one, ordered by key."""
        return [self._states[key] for key in sorted(self._states)]

    async def keep(self, state: AlertState) -> None:
        """Write it."""
        self._states[state.key] = state

    async def forget(self, keys: Collection[str]) -> None:
        """Remove those of these keys."""
        for key in keys:
            self._states.pop(key, None)

"""What every sink does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.diagnostics import DiagnosticRecord


class SinkDown(Exception):
    """The sink has not taken everything; all of it is to be sent again. Says why."""


class Sink(Protocol):
    """Takes records of one account, in their order."""

    async def write(self, records: Sequence[DiagnosticRecord]) -> None:
        """Return once it has them, as far as its protocol can tell. Raises SinkDown."""
        ...

    async def close(self) -> None:
        """Let go of files and connections."""
        ...

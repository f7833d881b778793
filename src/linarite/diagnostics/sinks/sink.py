"""What every sink does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.diagnostics import DiagnosticRecord


USUAL_PAUSE_S = 0.5
"""how often the logs are looked at"""


class SinkDown(Exception):
    """The sink has not taken everything; all of it is to be sent again. Says why.

    That is shown to readers of the account. `detail` may say where, too: it is for the log alone.
    """

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(why)
        self.detail = detail


class Sink(Protocol):
    """Takes records of one account, in their order."""

    @property
    def pause_s(self) -> float:
        """How long more is waited for, once it has taken all there was."""
        ...

    async def write(self, records: Sequence[DiagnosticRecord]) -> int:
        """Return once it has them, as far as its protocol can tell. Raises SinkDown.

        How many of them it does not have and never will.
        """
        ...

    async def close(self) -> None:
        """Let go of files and connections."""
        ...

"""What is refused because nobody could prove later that it was done."""

from __future__ import annotations

from linarite.domain.errors import LinariteError

RETRY_AFTER_S = 5


class AuditUnavailable(LinariteError):
    """The audit log can't be written, and what was asked must be in it. Nothing was done."""

    status = 503
    code = "AuditUnavailable"

    def __init__(self, reason: str) -> None:
        """Say what to look at, and which setting decides."""
        super().__init__(
            "The audit log can't be written, so nothing that must be in it is done now "
            f"({reason}). Free the disk of the data folder, or put audit.db back; "
            "`audit.required = false` lets the server go on without.",
            headers={"retry-after": str(RETRY_AFTER_S)},
        )

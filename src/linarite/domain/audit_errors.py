"""What is refused because nobody could prove later that it was done."""

from __future__ import annotations

from linarite.domain.errors import LinariteError

RETRY_AFTER_S = 5


class AuditUnavailable(LinariteError):
    """The audit log can't be written, and what was asked must be in it."""

    status = 503
    code = "AuditUnavailable"

    def __init__(self, reason: str, *, done: bool = False) -> None:
        """Say what to look at, and which setting decides; `done` when it was noticed too late."""
        self.reason = reason
        effect = (
            "What was asked is done, and how it ended could not be written to the audit log"
            if done
            else "The audit log can't be written, so nothing that must be in it is done now"
        )
        super().__init__(
            f"{effect} ({reason}). Free the disk of the data folder, or put audit.db back; "
            "`audit.required = false` lets the server go on without.",
            headers={"retry-after": str(RETRY_AFTER_S)},
        )

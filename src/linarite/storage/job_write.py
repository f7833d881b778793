"""What a write makes of a job, the same for every adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.errors import InvalidRequest
from linarite.domain.jobs import JobEnded

if TYPE_CHECKING:
    from linarite.domain.jobs import Job


def require_running(job: Job, present: Job | None) -> None:
    """Refuse to change a job that has ended, or to go on with one that is gone."""
    if present is not None and not present.running:
        raise JobEnded(f"The job {job.id} has ended: {present.status}.")


def encoded_job(job: Job) -> str:
    """The JSON text that is stored. Raises InvalidRequest when it cannot be JSON."""
    try:
        return msgspec.json.encode(job).decode()
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidRequest(f"The job {job.id} cannot be stored as JSON: {error}.") from error

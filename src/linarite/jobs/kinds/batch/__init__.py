"""Batches: the job that looks through a file of requests, answers them, and keeps the results."""

from __future__ import annotations

from linarite.jobs.kinds.batch.kind import BatchJob, batch_job
from linarite.jobs.kinds.batch.tools import BatchTools

__all__ = ["BatchJob", "BatchTools", "batch_job"]

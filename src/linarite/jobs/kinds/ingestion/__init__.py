"""Ingestion: the job that takes the files of a vector store in."""

from __future__ import annotations

from linarite.jobs.kinds.ingestion.kind import IngestFiles, ingestion_job

__all__ = ["IngestFiles", "ingestion_job"]

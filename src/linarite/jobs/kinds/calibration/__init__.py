"""Calibration: the job that finds out what a model's engine does on this hardware."""

from __future__ import annotations

from linarite.jobs.kinds.calibration.kind import CalibrationJob

__all__ = ["CalibrationJob"]

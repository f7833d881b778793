"""Provisioning: the job that makes a deployment serve, or serve otherwise."""

from __future__ import annotations

from linarite.jobs.kinds.provisioning.kind import Provisioning

__all__ = ["Provisioning"]

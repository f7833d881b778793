"""Provisioning: the job that makes a deployment serve, or serve otherwise."""

from __future__ import annotations

from linarite.jobs.kinds.provisioning.kind import Provisioning, provision_anew

__all__ = ["Provisioning", "provision_anew"]

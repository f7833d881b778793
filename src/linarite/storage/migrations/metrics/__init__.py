"""Revisions of `metrics.db`: what requests amounted to, by minute and hour."""

from __future__ import annotations

"""Revisions of `requests.db`: one row per call, written in batches."""

from __future__ import annotations

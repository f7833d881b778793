"""Batches of an account: kept, found, listed, cancelled; and the reading of their files."""

from __future__ import annotations

from linarite.batches.keeper import BatchKeeper, NewBatch

__all__ = ["BatchKeeper", "NewBatch"]
